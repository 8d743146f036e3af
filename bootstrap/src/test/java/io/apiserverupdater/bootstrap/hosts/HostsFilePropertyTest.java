package io.apiserverupdater.bootstrap.hosts;

import static io.apiserverupdater.bootstrap.hosts.HostsFileTest.entry;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.bootstrap.hosts.HostsFileException.Reason;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.StringTokenizer;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/** What holds for every hosts file, however strange; {@code ./bench fuzz} tries a million each. */
class HostsFilePropertyTest {
  private static final String NAME = "apiserver.cluster.local";
  private static final String MARKER = "apiserver-bootstrap";

  /** Bytes of any kind. */
  @Provide
  Arbitrary<byte[]> anyBytes() {
    return Arbitraries.bytes().array(byte[].class).ofMaxSize(200);
  }

  /** Pieces that hosts files and our own marks consist of, in any order, whole and broken. */
  @Provide
  Arbitrary<byte[]> pieces() {
    Arbitrary<String> piece =
        Arbitraries.of(
            "127.0.0.1 localhost\n",
            "10.0.0.1",
            "fd00::1",
            NAME,
            "APIserver.Cluster.local.",
            "cp1",
            " ",
            "\t",
            "\r",
            "\n",
            "\r\n",
            "\u0000",
            "\u000b",
            "#",
            "# note ",
            "\u00ff\u00fe",
            "\u00ef\u00bb\u00bf",
            "# BEGIN apiserver-bootstrap",
            " [line break added above]\n",
            "# END apiserver-bootstrap\n",
            "10.0.0.9 apiserver.cluster.local\n",
            """
            # BEGIN apiserver-bootstrap
            10.0.0.9 apiserver.cluster.local
            # END apiserver-bootstrap
            """,
            "#apiserver-bootstrap: in its block now is ",
            "#apiserver-bootstrap: in its block now is apiserver.cluster.local, this line was: ",
            "10.0.0.1 cp1 #apiserver-bootstrap: in its block now is apiserver.cluster.local,"
                + " this line was: 10.0.0.1 cp1 apiserver.cluster.local\n");
    return piece.list().ofMaxSize(12).map(all -> String.join("", all).getBytes(ISO_8859_1));
  }

  @Provide
  Arbitrary<byte[]> contents() {
    return Arbitraries.oneOf(anyBytes(), pieces());
  }

  /** What others wrote: none of our marks in it. */
  @Provide
  Arbitrary<byte[]> unmarked() {
    return contents().filter(content -> !new String(content, ISO_8859_1).contains(MARKER));
  }

  @Provide
  Arbitrary<HostsEntry> entries() {
    Arbitrary<List<String>> some =
        Arbitraries.of("10.0.0.11", "10.255.0.12", "fd00::11", "2001:db8::ffff", "0.0.0.0")
            .list()
            .ofMinSize(1)
            .ofMaxSize(3);
    return some.map(addresses -> entry(addresses.toArray(String[]::new)));
  }

  private static HostsFile pointOrAdopt(byte[] content, HostsEntry entry)
      throws HostsFileException {
    return HostsFile.parse(content).adopt(NAME).point(entry);
  }

  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void restoreIsTheExactOpposite(
      @ForAll("unmarked") byte[] content,
      @ForAll("entries") HostsEntry first,
      @ForAll("entries") HostsEntry second)
      throws HostsFileException {
    HostsFile pointed = pointOrAdopt(content, first);
    assertEquals(Optional.of(first), pointed.entry());
    assertArrayEquals(content, pointed.restore().bytes());
    assertArrayEquals(content, pointed.point(second).point(first).restore().bytes());
    assertArrayEquals(content, HostsFile.parse(content).restore().bytes());
  }

  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void pointingTwiceIsPointingOnce(
      @ForAll("unmarked") byte[] content,
      @ForAll("entries") HostsEntry first,
      @ForAll("entries") HostsEntry second)
      throws HostsFileException {
    byte[] once = pointOrAdopt(content, second).bytes();
    assertArrayEquals(once, pointOrAdopt(once, second).bytes());
    assertArrayEquals(once, pointOrAdopt(content, first).point(second).bytes());
  }

  private static Optional<HostsFile> pointUnlessTaken(byte[] content, HostsEntry entry) {
    try {
      return Optional.of(HostsFile.parse(content).point(entry));
    } catch (HostsFileException e) {
      assertEquals(Reason.NAME_TAKEN, e.reason());
      return Optional.empty();
    }
  }

  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void whatIsOutsideTheBlockStays(
      @ForAll("unmarked") byte[] content,
      @ForAll("unmarked") byte[] appended,
      @ForAll("entries") HostsEntry first,
      @ForAll("entries") HostsEntry second) {
    Optional<HostsFile> pointed = pointUnlessTaken(content, first);
    if (pointed.isEmpty()) {
      return;
    }
    byte[] bytes = pointed.get().bytes();
    assertArrayEquals(content, Arrays.copyOf(bytes, content.length));
    byte[] longer =
        ByteBuffer.allocate(bytes.length + appended.length).put(bytes).put(appended).array();
    Optional<HostsFile> again = pointUnlessTaken(longer, second);
    if (again.isEmpty()) {
      return;
    }
    byte[] outcome = again.get().bytes();
    assertArrayEquals(content, Arrays.copyOf(outcome, content.length));
    assertArrayEquals(
        appended, Arrays.copyOfRange(outcome, outcome.length - appended.length, outcome.length));
    assertEquals(Optional.of(second), again.get().entry());
  }

  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void anyContentIsHandledOrRefusedInWords(
      @ForAll("contents") byte[] content, @ForAll("entries") HostsEntry entry) {
    HostsFile file;
    try {
      file = HostsFile.parse(content);
    } catch (HostsFileException e) {
      assertRefused(e, content, Reason.DAMAGED_BLOCK);
      return;
    }
    assertArrayEquals(content, file.bytes());
    List<Integer> taken = file.linesNaming(NAME);
    try {
      HostsFile pointed = file.point(entry);
      assertEquals(List.of(), taken);
      assertEquals(Optional.of(entry), pointed.entry());
      assertEquals(List.of(), pointed.linesNaming(NAME));
    } catch (HostsFileException e) {
      if (e.reason() == Reason.EDITED_ADOPTION) {
        assertOtherBlockIsEdited(file, e);
        return;
      }
      assertRefused(e, content, Reason.NAME_TAKEN);
      // None in a line that stood in the block of another name, or was adopted for it.
      if (!taken.isEmpty()) {
        assertEquals(taken, e.lines());
      }
    }
    try {
      HostsFile pointed = file.adopt(NAME).point(entry);
      assertEquals(Optional.of(entry), pointed.entry());
      assertEquals(List.of(), pointed.linesNaming(NAME));
      assertArrayEquals(pointed.bytes(), pointed.point(entry).bytes());
    } catch (HostsFileException e) {
      // Else adopting always works.
      assertEquals(Reason.EDITED_ADOPTION, e.reason(), e.toString());
      assertOtherBlockIsEdited(file, e);
    }
    try {
      HostsFile restored = file.restore();
      assertEquals(Optional.empty(), restored.entry());
      assertArrayEquals(restored.bytes(), restored.restore().bytes());
    } catch (HostsFileException e) {
      assertRefused(e, content, Reason.EDITED_ADOPTION);
    }
  }

  /** A block for another name has to go first, and cannot. */
  private static void assertOtherBlockIsEdited(HostsFile file, HostsFileException e) {
    assertTrue(!e.lines().isEmpty(), e.toString());
    HostsFileException same = assertThrows(HostsFileException.class, file::restore);
    assertEquals(e.lines(), same.lines());
  }

  private static void assertRefused(HostsFileException e, byte[] content, Reason expected) {
    assertEquals(expected, e.reason(), e.toString());
    assertFalse(e.lines().isEmpty());
    int lines = new String(content, ISO_8859_1).split("\n", -1).length;
    assertTrue(e.lines().stream().allMatch(line -> line >= 1 && line <= lines), e.toString());
    assertNotEquals("", e.getMessage());
    assertTrue(
        e.getMessage().chars().noneMatch(c -> c < ' '), "unprintable bytes: " + e.getMessage());
  }

  /** Reads hosts files as glibc's nss_files does: an own, independent reading of the rules. */
  private static List<String> addressesOf(byte[] content, String name) {
    List<String> addresses = new ArrayList<>();
    for (String line : new String(content, ISO_8859_1).split("\n", -1)) {
      StringTokenizer fields = new StringTokenizer(line.split("[#\u0000]", 2)[0], " \t\u000b\f\r");
      String address = fields.hasMoreTokens() ? fields.nextToken() : "";
      boolean named = false;
      while (fields.hasMoreTokens()) {
        named |= fields.nextToken().equalsIgnoreCase(name);
      }
      if (named) {
        addresses.add(address);
      }
    }
    return addresses;
  }

  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void theCLibraryFindsTheEntryAndAllOtherNamesAsBefore(
      @ForAll("unmarked") byte[] content, @ForAll("entries") HostsEntry entry)
      throws HostsFileException {
    byte[] pointed = pointOrAdopt(content, entry).bytes();
    List<String> expected = entry.addresses().stream().map(InetAddress::getHostAddress).toList();
    assertEquals(expected, addressesOf(pointed, NAME));
    for (String other : List.of("localhost", "cp1")) {
      assertEquals(addressesOf(content, other), addressesOf(pointed, other), other);
    }
  }

  /** As others leave it: the file, our block without its markers, and what they add. */
  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void claimTakesOurLinesAndNothingOfAnybodyElse(
      @ForAll("contents") byte[] content, @ForAll("entries") HostsEntry entry)
      throws HostsFileException {
    HostsFile file;
    try {
      file = HostsFile.parse(content);
    } catch (HostsFileException e) {
      return;
    }
    HostsFile claimed = file.claim(entry);
    if (file.entry().isPresent()
        || new String(content, ISO_8859_1).contains("# BEGIN " + MARKER)
        || Arrays.equals(content, claimed.bytes())) {
      assertArrayEquals(content, claimed.bytes());
      return;
    }
    assertEquals(Optional.of(entry), claimed.entry());
    assertArrayEquals(claimed.bytes(), claimed.claim(entry).bytes());
    List<String> kept = new ArrayList<>();
    int last = -1;
    List<String> addresses = entry.addresses().stream().map(InetAddress::getHostAddress).toList();
    for (String line : new String(content, ISO_8859_1).split("(?<=\n)", -1)) {
      StringTokenizer fields = new StringTokenizer(line, " \t\u000b\f\r\n\u0000");
      boolean two = fields.countTokens() == 2 && !line.contains("#");
      boolean ours =
          two
              && IpAddress.parse(fields.nextToken())
                  .filter(ip -> addresses.contains(ip.getHostAddress()))
                  .isPresent()
              && fields.nextToken().equalsIgnoreCase(NAME);
      last = ours ? kept.size() : last;
      kept.add(line);
    }
    kept.remove(last);
    String text = new String(claimed.bytes(), ISO_8859_1);
    String before = text.substring(0, text.indexOf("# BEGIN " + MARKER + ": do not edit"));
    assertEquals(String.join("", kept).stripTrailing(), before.stripTrailing());
  }
}
