package io.apiserverupdater.bootstrap.hosts;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.apiserverupdater.apiserver.address.DnsName;
import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.bootstrap.hosts.HostsFileException.Reason;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The content of a hosts file, and what may be done to it. Immutable; bytes in, bytes out.
 *
 * <p>Between two marker lines lies one block, which is ours. All other bytes are other people's and
 * come out as they went in, whatever they are: the file has no encoding (here each byte is one
 * character, by ISO 8859-1), a line ends at a line feed and nowhere else, as the C library has it.
 * {@link #restore} gives back what was there before the first {@link #point}, a missing line break
 * at the end included: the begin marker remembers it.
 *
 * <p>Where libc and Go's resolver, which the kubelet uses, read a line differently, a name that
 * either of them would see counts as named: letters of any case, an alias among others, a trailing
 * dot.
 */
public final class HostsFile {
  private static final String BEGIN = "# BEGIN apiserver-bootstrap";
  private static final String END = "# END apiserver-bootstrap";
  private static final String EXPLANATION =
      ": do not edit; rewritten at each boot, \"apiserver-bootstrap restore\" removes it";
  private static final String BREAK_ADDED = " [line break added above]";

  /** Stands in a line that we took over; the host name, {@link #ADOPTED_OF}, the line as it was. */
  private static final String ADOPTED = "#apiserver-bootstrap: in its block now is ";

  private static final String ADOPTED_OF = ", this line was: ";

  /** The same as other tools leave it: with tabs, with a blank or nothing for the {@code #}. */
  private static final Pattern ADOPTED_SOMEHOW =
      Pattern.compile(
          "apiserver-bootstrap\\s*:\\s*in\\s+its\\s+block\\s+now", Pattern.CASE_INSENSITIVE);

  /** As Ansible ("BEGIN ANSIBLE MANAGED BLOCK") and Vagrant ("vagrant-hostmanager-start") mark. */
  private static final Pattern BLOCK_BEGINS =
      Pattern.compile("\\b(begin|start)\\b", Pattern.CASE_INSENSITIVE);

  private static final Pattern BLOCK_ENDS =
      Pattern.compile("\\b(end|stop)\\b", Pattern.CASE_INSENSITIVE);

  private final String content;
  private final int[] lineEnds;
  private final @Nullable Block block;

  /** Further blocks, where somebody has doubled the file: ours by their markers, and of no use. */
  private final List<Block> doubles = new ArrayList<>();

  /**
   * @param firstLine the index of the begin marker's line
   * @param lastLine the index of the end marker's line
   * @param name the host name inside, null when the block has no entry
   */
  private record Block(
      int firstLine,
      int lastLine,
      boolean breakAdded,
      @Nullable String name,
      List<InetAddress> addresses) {
    boolean has(int line) {
      return line >= firstLine && line <= lastLine;
    }
  }

  private HostsFile(String content) throws HostsFileException {
    this.content = content;
    this.lineEnds = lineEnds(content);
    List<Block> blocks = findBlocks();
    this.block = blocks.isEmpty() ? null : blocks.get(0);
    this.doubles.addAll(blocks.subList(Math.min(1, blocks.size()), blocks.size()));
  }

  /**
   * Reads the content of a hosts file. Anything is valid but a damaged block of ours.
   *
   * @throws HostsFileException with {@link Reason#DAMAGED_BLOCK}
   */
  public static HostsFile parse(byte[] content) throws HostsFileException {
    return new HostsFile(new String(content, ISO_8859_1));
  }

  public byte[] bytes() {
    return content.getBytes(ISO_8859_1);
  }

  boolean sameBytes(HostsFile other) {
    return content.equals(other.content);
  }

  /** What our block says; empty when there is no block, or no entry in it that can be read. */
  public Optional<HostsEntry> entry() {
    if (block == null || block.name() == null || block.addresses().isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new HostsEntry(block.name(), block.addresses()));
  }

  /** The numbers, from 1, of the lines outside our block that name the host. */
  public List<Integer> linesNaming(String name) {
    List<Integer> numbers = new ArrayList<>();
    for (int line = 0; line < lineEnds.length; line++) {
      if (!inBlock(line) && names(text(line), name)) {
        numbers.add(line + 1);
      }
    }
    return numbers;
  }

  /** The begin marker of another tool's block that a line, numbered from 1, is in. */
  public Optional<String> foreignBlockAt(int number) {
    for (int line = number - 2; line >= 0; line--) {
      String comment = text(line).strip();
      if (comment.startsWith("#") && BLOCK_ENDS.matcher(comment).find()) {
        return Optional.empty();
      }
      if (comment.startsWith("#") && BLOCK_BEGINS.matcher(comment).find()) {
        return Optional.of(printable(comment));
      }
    }
    return Optional.empty();
  }

  /** The addresses in the lines outside our block that name the host; what is none is left out. */
  public List<InetAddress> addressesOutside(String name) {
    List<InetAddress> addresses = new ArrayList<>();
    for (int number : linesNaming(name)) {
      IpAddress.parse(fields(text(number - 1)).get(0).text()).ifPresent(addresses::add);
    }
    return addresses;
  }

  /**
   * The file with a block in place of the line that says what we wrote last and nothing else: a
   * tool that strips comments has removed the markers around it. Of several such lines, all but the
   * last are somebody else's, and all of them where there is still a block.
   */
  public HostsFile claim(HostsEntry last) throws HostsFileException {
    if (block != null) {
      return this;
    }
    for (int line = lineEnds.length - 1; line >= 0; line--) {
      if (isExactly(text(line), last)) {
        String others = content.substring(0, start(line)) + content.substring(lineEnds[line]);
        return new HostsFile(others).withBlock(last);
      }
    }
    return this;
  }

  /** How many lines {@link #adopt} has taken over, damaged ones included, equal ones once. */
  public int adoptedLines() {
    Set<String> adopted = new HashSet<>();
    for (int line = 0; line < lineEnds.length; line++) {
      String text = text(line);
      if (!inBlock(line) && !text.equals(beforeAdoption(text))) {
        adopted.add(text);
      }
    }
    return adopted.size();
  }

  /**
   * As {@link #restore}, where lines are known to have been adopted: refused when one of them is
   * gone, because then the name would lose its address.
   *
   * @param lines how many
   * @throws HostsFileException with {@link Reason#EDITED_ADOPTION}
   */
  public HostsFile restoreAdopted(int lines) throws HostsFileException {
    if (adoptedLines() < lines) {
      throw new HostsFileException(
          Reason.EDITED_ADOPTION,
          List.of(),
          """
          an entry that apiserver-bootstrap had commented out is gone; another tool may have \
          removed the comment. Replace the whole block of apiserver-bootstrap, its marker lines \
          included, with that entry and a comment after it, then run this again.""");
    }
    return restore();
  }

  private static boolean isExactly(String line, HostsEntry entry) {
    List<Field> fields = fields(line);
    return fields.size() == 2
        && line.indexOf('#') < 0
        && fields.get(1).text().equalsIgnoreCase(entry.name())
        && IpAddress.parse(fields.get(0).text()).filter(entry.addresses()::contains).isPresent();
  }

  /**
   * The file with the name leading to these addresses and no others. The block stays where it is; a
   * new one goes to the end. A block for another name is taken out as by {@link #restore}.
   *
   * @throws HostsFileException with {@link Reason#NAME_TAKEN} when a line outside the block names
   *     the host; {@link #adopt} takes such lines over. With {@link Reason#EDITED_ADOPTION} when
   *     the block is for another name and cannot be taken out
   */
  public HostsFile point(HostsEntry entry) throws HostsFileException {
    List<Integer> taken = linesNaming(entry.name());
    if (!taken.isEmpty()) {
      throw nameTaken(entry.name(), taken);
    }
    if (isForAnotherThan(entry.name())) {
      return restore().point(entry);
    }
    return withBlock(entry);
  }

  private HostsFile withBlock(HostsEntry entry) throws HostsFileException {
    String before = content;
    StringBuilder after = new StringBuilder();
    boolean breakAdded = !content.isEmpty() && !content.endsWith("\n");
    if (block != null) {
      before = content.substring(0, start(block.firstLine()));
      for (int line = block.lastLine() + 1; line < lineEnds.length; line++) {
        if (!inBlock(line)) {
          after.append(content, start(line), lineEnds[line]);
        }
      }
      breakAdded = block.breakAdded();
    }
    StringBuilder out = new StringBuilder(content.length() + 512).append(before);
    out.append(block == null && breakAdded ? "\n" : "");
    out.append(BEGIN + EXPLANATION).append(breakAdded ? BREAK_ADDED : "").append('\n');
    for (InetAddress address : entry.addresses()) {
      out.append(address.getHostAddress()).append(' ').append(entry.name()).append('\n');
    }
    return new HostsFile(out.append(END).append('\n').append(after).toString());
  }

  /**
   * The file with each line outside the block that names the host taken over: the name is gone from
   * it, other names on the line go on working, and the line as it was follows as a comment, from
   * which {@link #restore} brings it back. A block for another name is taken out before, as by
   * {@link #restore}: afterwards that would bring these lines back too.
   *
   * @throws HostsFileException with {@link Reason#EDITED_ADOPTION} when that block cannot be taken
   *     out
   */
  public HostsFile adopt(String name) throws HostsFileException {
    if (isForAnotherThan(name)) {
      return restore().adopt(name);
    }
    StringBuilder out = new StringBuilder(content.length() + 512);
    for (int line = 0; line < lineEnds.length; line++) {
      String original = text(line);
      if (!inBlock(line) && names(original, name)) {
        String kept = without(original, name);
        out.append(kept).append(kept.isEmpty() ? "" : " ");
        out.append(ADOPTED).append(name).append(ADOPTED_OF);
      }
      out.append(content, start(line), lineEnds[line]);
    }
    return new HostsFile(out.toString());
  }

  /**
   * The file without our block, and with all adopted lines as they were: byte for byte what it was
   * before we first touched it, but for what others have changed since.
   *
   * @throws HostsFileException with {@link Reason#EDITED_ADOPTION}
   */
  public HostsFile restore() throws HostsFileException {
    StringBuilder out = new StringBuilder(content.length());
    List<Integer> edited = new ArrayList<>();
    for (int line = 0; line < lineEnds.length; line++) {
      if (inBlock(line)) {
        continue;
      }
      String original = beforeAdoption(text(line));
      if (original == null) {
        edited.add(line + 1);
        continue;
      }
      out.append(original).append(content, textEnd(line), lineEnds[line]);
    }
    if (!edited.isEmpty()) {
      throw new HostsFileException(
          Reason.EDITED_ADOPTION,
          edited,
          """
          %s had another entry of the host name, which apiserver-bootstrap commented out. The rest \
          of that line was edited since, so it cannot be restored automatically. Correct the entry \
          and delete the comment from %s on, then run this again."""
              .formatted(lines(edited), ADOPTED.strip()));
    }
    // With lines behind the block, the added break is what keeps them apart from those before.
    if (block != null
        && block.breakAdded()
        && lineEnds[block.lastLine()] == content.length()
        && out.length() > 0
        && out.charAt(out.length() - 1) == '\n') {
      out.setLength(out.length() - 1);
    }
    return new HostsFile(out.toString());
  }

  private boolean isForAnotherThan(String name) {
    return block != null && block.name() != null && !block.name().equalsIgnoreCase(name);
  }

  /** All blocks; more than one where somebody has doubled the file. */
  private List<Block> findBlocks() throws HostsFileException {
    List<Integer> begins = new ArrayList<>();
    List<Integer> ends = new ArrayList<>();
    for (int line = 0; line < lineEnds.length; line++) {
      if (isMarker(text(line), BEGIN)) {
        begins.add(line);
      } else if (isMarker(text(line), END)) {
        ends.add(line);
      }
    }
    List<Block> blocks = new ArrayList<>();
    for (int i = 0; i < Math.max(begins.size(), ends.size()); i++) {
      if (begins.size() != ends.size()
          || begins.get(i) > ends.get(i)
          || (i > 0 && begins.get(i) < ends.get(i - 1))) {
        throw damagedMarkers(begins, ends);
      }
      blocks.add(readBlock(begins.get(i), ends.get(i)));
    }
    return blocks;
  }

  private Block readBlock(int first, int last) throws HostsFileException {
    String name = null;
    List<InetAddress> addresses = new ArrayList<>();
    List<Integer> foreign = new ArrayList<>();
    for (int line = first + 1; line < last; line++) {
      List<Field> fields = fields(text(line));
      if (fields.isEmpty()) {
        continue;
      }
      boolean ours =
          fields.size() == 2
              && DnsName.isName(fields.get(1).text())
              && (name == null || name.equalsIgnoreCase(fields.get(1).text()));
      if (!ours) {
        foreign.add(line + 1);
        continue;
      }
      name = fields.get(1).text();
      IpAddress.parse(fields.get(0).text()).ifPresent(addresses::add);
    }
    if (!foreign.isEmpty()) {
      throw new HostsFileException(
          Reason.DAMAGED_BLOCK,
          foreign,
          """
          %s between the markers of apiserver-bootstrap has something other than one host name \
          with its addresses, which would be lost. Move it out of the block (which is lines %d to \
          %d)."""
              .formatted(lines(foreign), first + 1, last + 1));
    }
    boolean breakAdded = text(first).stripTrailing().endsWith(BREAK_ADDED);
    return new Block(first, last, breakAdded, name, addresses);
  }

  private static HostsFileException damagedMarkers(List<Integer> begins, List<Integer> ends) {
    List<Integer> numbers = new ArrayList<>(begins);
    numbers.addAll(ends);
    numbers.replaceAll(line -> line + 1);
    String found;
    if (ends.isEmpty() && begins.size() == 1) {
      found = "the block of apiserver-bootstrap has no end marker";
    } else if (begins.isEmpty() && ends.size() == 1) {
      found = "the block of apiserver-bootstrap has no begin marker";
    } else if (begins.size() == 1 && ends.size() == 1) {
      found = "the block of apiserver-bootstrap ends before it begins";
    } else {
      found = "there is more than one block of apiserver-bootstrap, and one is damaged";
    }
    return new HostsFileException(
        Reason.DAMAGED_BLOCK,
        numbers,
        """
        %s: %s, expected one line "%s" and after it one line "%s". Delete these marker lines and \
        the entries that belong to them; the next run writes a new block."""
            .formatted(lines(numbers), found, BEGIN, END));
  }

  private HostsFileException nameTaken(String name, List<Integer> taken) {
    String shown =
        taken.stream()
            .limit(3)
            .map(number -> '"' + printable(text(number - 1)) + '"')
            .collect(Collectors.joining(", "));
    return new HostsFileException(
        Reason.NAME_TAKEN,
        taken,
        """
        %s already has an entry for %s: %s. Remove the name there, or use --adopt, which comments \
        it out; "restore" brings it back."""
            .formatted(lines(taken), name, shown + (taken.size() > 3 ? ", …" : "")));
  }

  private static String printable(String line) {
    return Printable.line(line.replace('\t', ' '), 120).strip();
  }

  private static String lines(List<Integer> numbers) {
    return (numbers.size() == 1 ? "line " : "lines ")
        + numbers.stream().limit(10).map(String::valueOf).collect(Collectors.joining(", "))
        + (numbers.size() > 10 ? ", …" : "");
  }

  private static int[] lineEnds(String content) {
    int[] ends = new int[256];
    int count = 0;
    int end = 0;
    while (end < content.length()) {
      int lineBreak = content.indexOf('\n', end);
      end = lineBreak < 0 ? content.length() : lineBreak + 1;
      ends = count < ends.length ? ends : Arrays.copyOf(ends, 2 * count);
      ends[count++] = end;
    }
    return Arrays.copyOf(ends, count);
  }

  private int start(int line) {
    return line == 0 ? 0 : lineEnds[line - 1];
  }

  /** Where the line's break is, or would be. */
  private int textEnd(int line) {
    int end = lineEnds[line];
    return content.charAt(end - 1) == '\n' ? end - 1 : end;
  }

  private String text(int line) {
    return content.substring(start(line), textEnd(line));
  }

  private boolean inBlock(int line) {
    return (block != null && block.has(line)) || doubles.stream().anyMatch(it -> it.has(line));
  }

  /** Whether the line is the marker, whatever blanks are around it and whatever text follows. */
  private static boolean isMarker(String line, String marker) {
    int at = 0;
    while (at < line.length() && isBlank(line.charAt(at))) {
      at++;
    }
    int end = at + marker.length();
    return line.startsWith(marker, at) && (end == line.length() || !isOfAName(line.charAt(end)));
  }

  /** A field of a line, between blanks and before a comment. */
  private record Field(int end, String text) {
    boolean is(String name) {
      // Go's resolver knows no difference between "name" and "name.".
      String plain = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
      return plain.equalsIgnoreCase(name);
    }
  }

  private static List<Field> fields(String line) {
    List<Field> fields = new ArrayList<>();
    int at = 0;
    while (at < line.length() && line.charAt(at) != '#') {
      int start = at;
      while (at < line.length() && line.charAt(at) != '#' && !isBlank(line.charAt(at))) {
        at++;
      }
      if (at > start) {
        fields.add(new Field(at, line.substring(start, at)));
      } else {
        at++;
      }
    }
    return fields;
  }

  private static boolean names(String line, String name) {
    List<Field> fields = fields(line);
    for (int i = 1; i < fields.size(); i++) {
      if (fields.get(i).is(name)) {
        return true;
      }
    }
    return false;
  }

  /** The part of a line before its comment without a name; empty when no other name is left. */
  private static String without(String line, String name) {
    StringBuilder kept = new StringBuilder(line.length());
    int fields = 0;
    int copied = 0;
    for (Field field : fields(line)) {
      String withBlanks = line.substring(copied, field.end());
      if (copied > 0 && field.is(name)) {
        // The C library reads no further than a NUL, so what is behind it must stay there.
        kept.append(withBlanks.replaceAll("[^\\x00]", ""));
      } else {
        kept.append(withBlanks);
        fields++;
      }
      copied = field.end();
    }
    return fields > 1 ? kept.toString() : "";
  }

  /** An adopted line as it was, any other line as it is; null when it was edited since. */
  private static @Nullable String beforeAdoption(String line) {
    String current = line;
    while (true) {
      int tag = current.indexOf('#');
      if (tag < 0 || !current.startsWith(ADOPTED, tag)) {
        // A damaged tag is one that cannot be restored, not none.
        return ADOPTED_SOMEHOW.matcher(current).find() ? null : current;
      }
      int nameStart = tag + ADOPTED.length();
      int nameEnd = current.indexOf(',', nameStart);
      if (nameEnd < 0 || !current.startsWith(ADOPTED_OF, nameEnd)) {
        return null;
      }
      String name = current.substring(nameStart, nameEnd);
      String original = current.substring(nameEnd + ADOPTED_OF.length());
      String kept = without(original, name);
      if (!names(original, name)
          || tag != (kept.isEmpty() ? 0 : kept.length() + 1)
          || !current.startsWith(kept)) {
        return null;
      }
      current = original;
    }
  }

  /** What the C library's isspace takes for a blank, and the NUL at which a C string ends. */
  private static boolean isBlank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0;
  }

  private static boolean isOfAName(char c) {
    return c == '-' || c == '_' || (c < 128 && Character.isLetterOrDigit(c));
  }
}
