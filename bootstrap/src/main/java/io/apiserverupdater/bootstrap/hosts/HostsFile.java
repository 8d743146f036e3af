package io.apiserverupdater.bootstrap.hosts;

import io.apiserverupdater.apiserver.address.DnsName;
import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.bootstrap.hosts.HostsFileException.Reason;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The content of a hosts file, and what may be done to it. Immutable; bytes in, bytes out.
 *
 * <p>Between two marker lines lies one block, which is ours. All other bytes are other people's and
 * come out as they went in, whatever they are: the file has no encoding, a line ends at a line feed
 * and nowhere else, as the C library has it. {@link #restore} gives back what was there before the
 * first {@link #point}, a missing line break at the end included: the begin marker remembers it.
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

  private final byte[] content;
  private final int[] lineEnds;
  private final @Nullable Block block;

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
      List<InetAddress> addresses) {}

  private HostsFile(byte[] content) throws HostsFileException {
    this.content = content;
    this.lineEnds = lineEnds(content);
    this.block = findBlock();
  }

  /**
   * Reads the content of a hosts file. Anything is valid but a damaged block of ours.
   *
   * @throws HostsFileException with {@link Reason#DAMAGED_BLOCK}
   */
  public static HostsFile parse(byte[] content) throws HostsFileException {
    return new HostsFile(content.clone());
  }

  public byte[] bytes() {
    return content.clone();
  }

  boolean sameBytes(HostsFile other) {
    return Arrays.equals(content, other.content);
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
      if (!inBlock(line) && names(line, name)) {
        numbers.add(line + 1);
      }
    }
    return numbers;
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
    ByteArrayOutputStream out = new ByteArrayOutputStream(content.length + 512);
    boolean breakAdded;
    int after;
    if (block == null) {
      out.writeBytes(content);
      after = content.length;
      breakAdded = content.length > 0 && content[content.length - 1] != '\n';
      if (breakAdded) {
        out.write('\n');
      }
    } else {
      out.write(content, 0, start(block.firstLine()));
      after = lineEnds[block.lastLine()];
      breakAdded = block.breakAdded();
    }
    write(out, BEGIN + EXPLANATION + (breakAdded ? BREAK_ADDED : "") + "\n");
    for (InetAddress address : entry.addresses()) {
      write(out, address.getHostAddress() + " " + entry.name() + "\n");
    }
    write(out, END + "\n");
    out.write(content, after, content.length - after);
    return new HostsFile(out.toByteArray());
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
    ByteArrayOutputStream out = new ByteArrayOutputStream(content.length + 512);
    for (int line = 0; line < lineEnds.length; line++) {
      if (inBlock(line) || !names(line, name)) {
        out.write(content, start(line), lineEnds[line] - start(line));
        continue;
      }
      byte[] original = withoutBreak(line);
      byte[] kept = without(original, name);
      out.writeBytes(kept);
      if (kept.length > 0) {
        out.write(' ');
      }
      write(out, ADOPTED + name + ADOPTED_OF);
      out.writeBytes(original);
      if (endsWithBreak(line)) {
        out.write('\n');
      }
    }
    return new HostsFile(out.toByteArray());
  }

  /**
   * The file without our block, and with all adopted lines as they were: byte for byte what it was
   * before we first touched it, but for what others have changed since.
   *
   * @throws HostsFileException with {@link Reason#EDITED_ADOPTION}
   */
  public HostsFile restore() throws HostsFileException {
    ByteArrayOutputStream out = new ByteArrayOutputStream(content.length);
    List<Integer> edited = new ArrayList<>();
    for (int line = 0; line < lineEnds.length; line++) {
      if (inBlock(line)) {
        continue;
      }
      byte[] original = beforeAdoption(withoutBreak(line));
      if (original == null) {
        edited.add(line + 1);
        continue;
      }
      out.writeBytes(original);
      if (endsWithBreak(line)) {
        out.write('\n');
      }
    }
    if (!edited.isEmpty()) {
      throw new HostsFileException(
          Reason.EDITED_ADOPTION,
          edited,
          lines(edited)
              + " had another entry of the host name, which apiserver-bootstrap commented out."
              + " The rest of that line was edited since, so it cannot be restored"
              + " automatically. Correct the entry and delete the comment from "
              + ADOPTED.strip()
              + " on, then run this again.");
    }
    byte[] restored = out.toByteArray();
    // With lines behind the block, the added break is what keeps them apart from those before.
    if (block != null
        && block.breakAdded()
        && lineEnds[block.lastLine()] == content.length
        && restored.length > 0
        && restored[restored.length - 1] == '\n') {
      restored = Arrays.copyOf(restored, restored.length - 1);
    }
    return new HostsFile(restored);
  }

  private boolean isForAnotherThan(String name) {
    return block != null && block.name() != null && !equalNames(block.name(), name);
  }

  private @Nullable Block findBlock() throws HostsFileException {
    List<Integer> begins = new ArrayList<>();
    List<Integer> ends = new ArrayList<>();
    for (int line = 0; line < lineEnds.length; line++) {
      if (isMarker(line, BEGIN)) {
        begins.add(line);
      } else if (isMarker(line, END)) {
        ends.add(line);
      }
    }
    if (begins.isEmpty() && ends.isEmpty()) {
      return null;
    }
    if (begins.size() != 1 || ends.size() != 1 || begins.get(0) > ends.get(0)) {
      throw damagedMarkers(begins, ends);
    }
    return readBlock(begins.get(0), ends.get(0));
  }

  private Block readBlock(int first, int last) throws HostsFileException {
    String name = null;
    List<InetAddress> addresses = new ArrayList<>();
    List<Integer> foreign = new ArrayList<>();
    for (int line = first + 1; line < last; line++) {
      List<String> fields = fields(withoutBreak(line));
      if (fields.isEmpty()) {
        continue;
      }
      boolean ours =
          fields.size() == 2
              && DnsName.isName(fields.get(1))
              && (name == null || equalNames(name, fields.get(1)));
      if (!ours) {
        foreign.add(line + 1);
        continue;
      }
      name = fields.get(1);
      IpAddress.parse(fields.get(0)).ifPresent(addresses::add);
    }
    if (!foreign.isEmpty()) {
      throw new HostsFileException(
          Reason.DAMAGED_BLOCK,
          foreign,
          lines(foreign)
              + " between the markers of apiserver-bootstrap has something other than one host"
              + " name with its addresses, which would be lost. Move it out of the block (which is"
              + lineRange(first, last)
              + ").");
    }
    String begin = new String(withoutBreak(first), StandardCharsets.ISO_8859_1);
    return new Block(first, last, begin.stripTrailing().endsWith(BREAK_ADDED), name, addresses);
  }

  private static HostsFileException damagedMarkers(List<Integer> begins, List<Integer> ends) {
    List<Integer> numbers = new ArrayList<>();
    for (int line : begins) {
      numbers.add(line + 1);
    }
    for (int line : ends) {
      numbers.add(line + 1);
    }
    String found;
    if (ends.isEmpty() && begins.size() == 1) {
      found = "the block of apiserver-bootstrap has no end marker";
    } else if (begins.isEmpty() && ends.size() == 1) {
      found = "the block of apiserver-bootstrap has no begin marker";
    } else if (begins.size() == 1 && ends.size() == 1) {
      found = "the block of apiserver-bootstrap ends before it begins";
    } else {
      found = "there is more than one block of apiserver-bootstrap";
    }
    return new HostsFileException(
        Reason.DAMAGED_BLOCK,
        numbers,
        lines(numbers)
            + ": "
            + found
            + ", expected one line \""
            + BEGIN
            + "\" and after it one line \""
            + END
            + "\". Delete these marker lines and the entries that belong to them; the next run"
            + " writes a new block.");
  }

  private HostsFileException nameTaken(String name, List<Integer> taken) {
    StringBuilder shown = new StringBuilder();
    for (int number : taken.subList(0, Math.min(3, taken.size()))) {
      shown.append(shown.length() == 0 ? "" : ", ").append('"');
      shown.append(printable(withoutBreak(number - 1))).append('"');
    }
    return new HostsFileException(
        Reason.NAME_TAKEN,
        taken,
        lines(taken)
            + " already has an entry for "
            + name
            + ": "
            + shown
            + (taken.size() > 3 ? ", …" : "")
            + ". Remove the name there, or use --adopt, which comments it out;"
            + " \"restore\" brings it back.");
  }

  private static String printable(byte[] line) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < line.length && i < 120; i++) {
      text.append(line[i] == '\t' ? ' ' : line[i] >= ' ' && line[i] < 127 ? (char) line[i] : '?');
    }
    return text.append(line.length > 120 ? "…" : "").toString().strip();
  }

  private static String lines(List<Integer> numbers) {
    StringBuilder text = new StringBuilder(numbers.size() == 1 ? "line " : "lines ");
    for (int i = 0; i < numbers.size() && i < 10; i++) {
      text.append(i == 0 ? "" : ", ").append(numbers.get(i));
    }
    return text.append(numbers.size() > 10 ? ", …" : "").toString();
  }

  private static String lineRange(int first, int last) {
    return " lines " + (first + 1) + " to " + (last + 1);
  }

  private static int[] lineEnds(byte[] content) {
    int count = content.length > 0 && content[content.length - 1] != '\n' ? 1 : 0;
    for (byte b : content) {
      if (b == '\n') {
        count++;
      }
    }
    int[] ends = new int[count];
    int line = 0;
    for (int i = 0; i < content.length; i++) {
      if (content[i] == '\n' || i == content.length - 1) {
        ends[line++] = i + 1;
      }
    }
    return ends;
  }

  private int start(int line) {
    return line == 0 ? 0 : lineEnds[line - 1];
  }

  private boolean endsWithBreak(int line) {
    return content[lineEnds[line] - 1] == '\n';
  }

  private byte[] withoutBreak(int line) {
    int end = endsWithBreak(line) ? lineEnds[line] - 1 : lineEnds[line];
    return Arrays.copyOfRange(content, start(line), end);
  }

  private boolean inBlock(int line) {
    return block != null && line >= block.firstLine() && line <= block.lastLine();
  }

  /** Whether the line is the marker, whatever blanks are around it and whatever text follows. */
  private boolean isMarker(int line, String marker) {
    int at = start(line);
    int end = lineEnds[line];
    while (at < end && isBlank(content[at])) {
      at++;
    }
    if (end - at < marker.length()) {
      return false;
    }
    for (int i = 0; i < marker.length(); i++) {
      if (content[at + i] != marker.charAt(i)) {
        return false;
      }
    }
    at += marker.length();
    return at == end || !isNameByte(content[at]);
  }

  private boolean names(int line, String name) {
    return names(content, start(line), lineEnds[line], name);
  }

  private static boolean names(byte[] bytes, int start, int end, String name) {
    int at = start;
    int field = 0;
    while (at < end && bytes[at] != '#') {
      if (isBlank(bytes[at])) {
        at++;
        continue;
      }
      int fieldEnd = fieldEnd(bytes, at, end);
      if (field++ > 0 && isName(bytes, at, fieldEnd, name)) {
        return true;
      }
      at = fieldEnd;
    }
    return false;
  }

  /** The fields of a line, up to a comment. */
  private static List<String> fields(byte[] line) {
    List<String> fields = new ArrayList<>();
    int at = 0;
    while (at < line.length && line[at] != '#') {
      if (isBlank(line[at])) {
        at++;
        continue;
      }
      int end = fieldEnd(line, at, line.length);
      fields.add(new String(line, at, end - at, StandardCharsets.ISO_8859_1));
      at = end;
    }
    return fields;
  }

  private static int fieldEnd(byte[] bytes, int at, int end) {
    int i = at;
    while (i < end && bytes[i] != '#' && !isBlank(bytes[i])) {
      i++;
    }
    return i;
  }

  /** The part of a line before its comment without a name; empty when no other name is left. */
  private static byte[] without(byte[] line, String name) {
    ByteArrayOutputStream kept = new ByteArrayOutputStream(line.length);
    int names = 0;
    int field = 0;
    int copied = 0;
    int at = 0;
    while (at < line.length && line[at] != '#') {
      if (isBlank(line[at])) {
        at++;
        continue;
      }
      int end = fieldEnd(line, at, line.length);
      if (field++ > 0 && isName(line, at, end, name)) {
        // The C library reads no further than a NUL, so what is behind it must stay there.
        for (int i = copied; i < at; i++) {
          if (line[i] == 0) {
            kept.write(0);
          }
        }
        copied = end;
      } else {
        kept.write(line, copied, end - copied);
        copied = end;
        names += field > 1 ? 1 : 0;
      }
      at = end;
    }
    return names == 0 ? new byte[0] : kept.toByteArray();
  }

  /** An adopted line as it was, any other line as it is; null when it was edited since. */
  private static byte @Nullable [] beforeAdoption(byte[] line) {
    byte[] current = line;
    while (true) {
      int tag = indexOf(current, '#', 0);
      if (tag < 0 || !startsWith(current, tag, ADOPTED)) {
        return current;
      }
      int nameStart = tag + ADOPTED.length();
      int nameEnd = indexOf(current, ',', nameStart);
      if (nameEnd < 0 || !startsWith(current, nameEnd, ADOPTED_OF)) {
        return null;
      }
      String name =
          new String(current, nameStart, nameEnd - nameStart, StandardCharsets.ISO_8859_1);
      byte[] original = Arrays.copyOfRange(current, nameEnd + ADOPTED_OF.length(), current.length);
      byte[] kept = without(original, name);
      int keptLength = kept.length == 0 ? 0 : kept.length + 1;
      if (!names(original, 0, original.length, name)
          || tag != keptLength
          || !Arrays.equals(kept, Arrays.copyOf(current, kept.length))) {
        return null;
      }
      current = original;
    }
  }

  private static int indexOf(byte[] bytes, char wanted, int from) {
    for (int i = from; i < bytes.length; i++) {
      if (bytes[i] == wanted) {
        return i;
      }
    }
    return -1;
  }

  private static boolean startsWith(byte[] bytes, int at, String text) {
    if (bytes.length - at < text.length()) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      if (bytes[at + i] != text.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** What the C library's isspace takes for a blank, and the NUL at which a C string ends. */
  private static boolean isBlank(byte b) {
    return b == ' ' || (b >= '\t' && b <= '\r') || b == 0;
  }

  private static boolean isNameByte(byte b) {
    boolean letter = lower(b) >= 'a' && lower(b) <= 'z';
    boolean digit = b >= '0' && b <= '9';
    return letter || digit || b == '-' || b == '_';
  }

  private static boolean isName(byte[] bytes, int start, int end, String name) {
    // Go's resolver knows no difference between "name" and "name.".
    int length = end > start && bytes[end - 1] == '.' ? end - start - 1 : end - start;
    if (length != name.length()) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (lower(bytes[start + i]) != lower((byte) name.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean equalNames(String a, String b) {
    return a.equalsIgnoreCase(b);
  }

  private static int lower(byte b) {
    return b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b;
  }

  private static void write(ByteArrayOutputStream out, String text) {
    out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
  }
}
