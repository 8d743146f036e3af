package io.apiserverupdater.bootstrap.hosts;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.apiserverupdater.apiserver.address.DnsName;
import io.apiserverupdater.bootstrap.hosts.HostsFileException.Reason;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostsFileTest {
  private static final String NAME = "apiserver.cluster.local";
  private static final String BEGIN =
      "# BEGIN apiserver-bootstrap: do not edit; rewritten at each boot,"
          + " \"apiserver-bootstrap restore\" removes it";
  private static final String END = "# END apiserver-bootstrap\n";
  private static final HostsEntry FIRST = entry("10.0.0.11");
  private static final HostsEntry SECOND = entry("10.0.0.12");

  static HostsEntry entry(String... addresses) {
    return new HostsEntry(NAME, List.of(addresses).stream().map(HostsFileTest::ip).toList());
  }

  private static InetAddress ip(String text) {
    try {
      return InetAddress.getByName(text);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static HostsFile file(String content) throws HostsFileException {
    return HostsFile.parse(content.getBytes(ISO_8859_1));
  }

  private static String block(String entries) {
    return BEGIN + "\n" + entries + END;
  }

  private static String text(HostsFile file) {
    return new String(file.bytes(), ISO_8859_1);
  }

  @Test
  void putsItsBlockAtTheEnd() throws Exception {
    assertEquals(
        "127.0.0.1 localhost\n" + block("10.0.0.11 " + NAME + "\n"),
        text(file("127.0.0.1 localhost\n").point(FIRST)));
  }

  @Test
  void remembersTheLineBreakItAdded() throws Exception {
    HostsFile pointed = file("127.0.0.1 localhost").point(FIRST);
    assertEquals(
        "127.0.0.1 localhost\n"
            + block("10.0.0.11 " + NAME + "\n").replaceFirst("\n", " [line break added above]\n"),
        text(pointed));
    assertEquals("127.0.0.1 localhost", text(pointed.point(SECOND).restore()));
  }

  @Test
  void keepsTheAddedLineBreakOnceLinesFollowTheBlock() throws Exception {
    HostsFile appended = file(text(file("1.1.1.1 a").point(FIRST)) + "2.2.2.2 b\n");
    assertEquals("1.1.1.1 a\n2.2.2.2 b\n", text(appended.restore()));
  }

  @Test
  void replacesTheBlockWhereItStands() throws Exception {
    HostsFile pointed = file(text(file("1.1.1.1 a\n").point(FIRST)) + "2.2.2.2 b\n");
    assertEquals(
        "1.1.1.1 a\n" + block("10.0.0.12 " + NAME + "\n") + "2.2.2.2 b\n",
        text(pointed.point(SECOND)));
  }

  @Test
  void writesOneLineForEachAddress() throws Exception {
    HostsEntry dual = entry("10.0.0.11", "fd00::11");
    HostsFile pointed = file("").point(dual);
    assertTrue(text(pointed).contains("\n10.0.0.11 " + NAME + "\nfd00:0:0:0:0:0:0:11 " + NAME));
    assertEquals(Optional.of(dual), pointed.entry());
    assertEquals("", text(pointed.restore()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "127.0.0.1 localhost\r\n10.0.0.1 other\r\n",
        "127.0.0.1 localhost\r\n10.0.0.1 other",
        "\u00ef\u00bb\u00bf127.0.0.1 localhost\n",
        "# \u00e4\u00ff\u0000 latin\n\n\n  ::1\tip6-localhost # loop\n\r",
        "\u0000\u0000",
        "# apiserver.cluster.local is not here\n10.0.0.1 xapiserver.cluster.local\n",
        "10.0.0.1 apiserver.cluster.local.example apiserver.cluster\n",
        "apiserver.cluster.local\n"
      })
  void restoresByteForByte(String content) throws Exception {
    HostsFile pointed = file(content).point(FIRST);
    assertTrue(text(pointed).startsWith(content));
    assertEquals(text(pointed), text(pointed.point(FIRST)));
    assertEquals(content, text(pointed.point(SECOND).point(FIRST).restore()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.0.0.1 apiserver.cluster.local",
        "10.0.0.1\tcp1\tAPIserver.Cluster.Local cp2 # by hand\r\n",
        "  fd00::1 apiserver.cluster.local#x\n",
        "10.0.0.1 apiserver.cluster.local.\n",
        "10.0.0.1 cp1\u000bapiserver.cluster.local\n"
      })
  void refusesANameThatIsTakenAndAdoptsItWhenAsked(String line) throws Exception {
    String content = "127.0.0.1 localhost\n" + line;
    HostsFile file = file(content);
    HostsFileException refusal = assertThrows(HostsFileException.class, () -> file.point(FIRST));
    assertEquals(Reason.NAME_TAKEN, refusal.reason());
    assertEquals(List.of(2), refusal.lines());
    assertTrue(refusal.getMessage().contains("--adopt"), refusal.getMessage());

    HostsFile adopted = file.adopt(NAME).point(FIRST);
    assertEquals(List.of(), adopted.linesNaming(NAME));
    assertEquals(content, text(adopted.point(SECOND).restore()));
  }

  @Test
  void keepsTheOtherNamesOfAnAdoptedLine() throws Exception {
    HostsFile adopted = file("10.0.0.1 cp1 " + NAME + "\tcp2 # note\n").adopt(NAME);
    assertEquals(
        "10.0.0.1 cp1\tcp2 #apiserver-bootstrap: in its block now is "
            + NAME
            + ", this line was: 10.0.0.1 cp1 "
            + NAME
            + "\tcp2 # note\n",
        text(adopted));
  }

  /** A damaged block, the lines that the refusal names, and a part of what it says. */
  static Stream<Arguments> damagedBlocks() {
    String entry = "10.0.0.11 " + NAME + "\n";
    return Stream.of(
        arguments("begin without end", "a b\n" + BEGIN + "\n" + entry, "2", "has no end marker"),
        arguments(
            "cut in the end marker", BEGIN + "\n" + entry + "# END apis", "1", "has no end marker"),
        arguments("end without begin", entry + END, "2", "has no begin marker"),
        arguments("end before begin", END + BEGIN + "\n", "2, 1", "ends before it begins"),
        arguments("two ends", block(entry) + END, "1, 3, 4", "more than one"),
        arguments("block in a block", BEGIN + "\n" + block(entry) + END, "1, 2, 4, 5", "more than"),
        arguments("two begins", BEGIN + "\n" + block(entry), "1, 2, 4", "more than one"),
        arguments(
            "an entry of another host inside",
            block("10.0.0.5 registry.local\n" + entry),
            "3",
            "which is lines 1 to 4"),
        arguments("an alias inside", block("10.0.0.11 " + NAME + " cp1\n"), "2", "would be lost"),
        arguments(
            "text appended to the end marker",
            BEGIN + "\n" + entry + "# END apiserver-bootstrap10.0.0.7 b\n",
            "1",
            "has no end marker"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damagedBlocks")
  void refusesADamagedBlock(String situation, String content, String lines, String part) {
    HostsFileException refusal = assertThrows(HostsFileException.class, () -> file(content));
    assertEquals(Reason.DAMAGED_BLOCK, refusal.reason());
    assertEquals("[" + lines + "]", refusal.lines().toString(), situation);
    assertTrue(refusal.getMessage().contains(part), refusal.getMessage());
  }

  /** A block that is not as we wrote it, yet certainly ours. */
  static Stream<Arguments> changedBlocks() {
    return Stream.of(
        arguments(
            "line ends of another system",
            BEGIN + "\r\n10.0.0.9 " + NAME + "\r\n# END apiserver-bootstrap\r\n"),
        arguments("blanks around the markers", "  " + BEGIN + " \n10.0.0.9 " + NAME + "\n\t" + END),
        arguments("no line break at the end", BEGIN + "\n10.0.0.9 " + NAME + "\n" + END.strip()),
        arguments("no entry", block("")),
        arguments("another address by hand", block("10.7.7.7  " + NAME + " # bob\n")),
        arguments("comments and empty lines", block("\n# 10.0.0.8 " + NAME + "\n")),
        arguments("no address", block("nowhere " + NAME + "\n")),
        arguments(
            "another explanation", "# BEGIN apiserver-bootstrap v9\n10.0.0.9 " + NAME + "\n" + END),
        arguments("letters of another case", block("10.0.0.9 APIserver.cluster.LOCAL\n")),
        arguments("another host's block", block("10.0.0.9 old.name\n")),
        arguments("two of it", block("10.0.0.9 " + NAME + "\n").repeat(2)),
        arguments("a second one for another host", block("") + block("10.0.0.9 old.name\n")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("changedBlocks")
  void replacesABlockThatIsCertainlyOurs(String situation, String block) throws Exception {
    assertEquals(
        "1.1.1.1 a\n" + block("10.0.0.11 " + NAME + "\n"),
        text(file("1.1.1.1 a\n" + block).point(FIRST)),
        situation);
    assertEquals("1.1.1.1 a\n", text(file("1.1.1.1 a\n" + block).restore()));
  }

  @Test
  void bringsBackWhatItAdoptedForAnotherName() throws Exception {
    HostsFile old = file("10.0.0.1 old.name cp1\n");
    HostsEntry former = HostsEntry.of("old.name", ip("10.0.0.9"));
    HostsFile pointed = old.adopt("old.name").point(former);
    assertEquals(
        "10.0.0.1 old.name cp1\n" + block("10.0.0.11 " + NAME + "\n"), text(pointed.point(FIRST)));
  }

  @Test
  void doesNotBringBackALineThatWasEditedAfterItsAdoption() throws Exception {
    String adopted = text(file("10.0.0.1 cp1 " + NAME + "\n").adopt(NAME));
    HostsFile edited = file(adopted.replaceFirst("cp1", "cp1 cp9"));
    HostsFileException refusal = assertThrows(HostsFileException.class, edited::restore);
    assertEquals(Reason.EDITED_ADOPTION, refusal.reason());
    assertEquals(List.of(1), refusal.lines());
    // What keeps the name working is not held up by that.
    assertEquals(Optional.of(FIRST), edited.point(FIRST).entry());
  }

  /** By tabs, by a blank after the comment's sign, by a comment in front, or cut short. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "#apiserver-bootstrap:\tin\tits\tblock\tnow\tis\tapiserver.cluster.local,\tthis\tline\twas:\t1.1.1.1\ta",
        "10.0.0.1 cp1 # apiserver-bootstrap: in its block now is a, this line was: 10.0.0.1 cp1 a",
        "# 10.0.0.1 cp1 #apiserver-bootstrap: in its block now is a, this line was: 10.0.0.1 cp1 a",
        "#Apiserver-bootstrap: in its  block now",
      })
  void damagedTagOfAnAdoptionIsAnErrorAndNotAnAbsence(String line) throws Exception {
    HostsFile file = file("127.0.0.1 localhost\n" + line + "\n").point(FIRST);
    HostsFileException refusal = assertThrows(HostsFileException.class, file::restore);
    assertEquals(Reason.EDITED_ADOPTION, refusal.reason());
    assertEquals(List.of(2), refusal.lines());
  }

  @Test
  void tellsWhoseBlockALineIsIn() throws Exception {
    String line = "10.0.0.1 " + NAME + "\n";
    String ansible = "# BEGIN ANSIBLE MANAGED BLOCK\n" + line + "# END ANSIBLE MANAGED BLOCK\n";
    assertEquals(
        Optional.of("# BEGIN ANSIBLE MANAGED BLOCK"), file(ansible + line).foreignBlockAt(2));
    assertEquals(Optional.empty(), file(ansible + line).foreignBlockAt(4));
    assertEquals(
        Optional.of("## vagrant-hostmanager-start"),
        file("a b\n## vagrant-hostmanager-start\n" + line).foreignBlockAt(3));
    assertEquals(Optional.empty(), file(line).foreignBlockAt(1));
  }

  @Test
  void doubledFileKeepsOneBlockAndGivesBackWhatWasDoubled() throws Exception {
    String content = "10.0.0.1 cp1 " + NAME + "\n";
    String doubled = text(file(content).adopt(NAME).point(FIRST)).repeat(2);
    HostsFile pointed = file(doubled).point(SECOND);
    assertEquals(Optional.of(SECOND), pointed.entry());
    assertEquals(2, text(pointed).split("# BEGIN", -1).length);
    assertEquals(content.repeat(2), text(pointed.restore()));
    assertEquals(content.repeat(2), text(file(doubled).restore()));
  }

  @Test
  void aBlankAfterAnAdoptedLineIsPartOfIt() throws Exception {
    String content = "10.0.0.1 " + NAME + " \t\r\n";
    assertEquals(content, text(file(content).adopt(NAME).point(FIRST).restore()));
  }

  @Test
  void doesNotBringNamesBehindANulToLife() throws Exception {
    String adopted = text(file("10.0.0.1\u0000" + NAME + " localhost\n").adopt(NAME));
    assertTrue(adopted.startsWith("10.0.0.1\u0000 localhost #apiserver"), adopted);
  }

  @Test
  void showsStrangeBytesOfATakenLineAsPlainText() throws Exception {
    HostsFile file = file("10.0.0.1 " + NAME + " \u001b[31m\u00ff" + "x".repeat(300) + "\n");
    HostsFileException refusal = assertThrows(HostsFileException.class, () -> file.point(FIRST));
    assertTrue(refusal.getMessage().contains("\\u001b[31mÿxxx"), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("x…\""), refusal.getMessage());
  }

  @Test
  void handlesTenThousandLines() throws Exception {
    StringBuilder content = new StringBuilder();
    for (int i = 0; i < 10_000; i++) {
      content.append("10.1.").append(i / 250).append('.').append(i % 250).append(" h").append(i);
      content.append(i % 7 == 0 ? "\r\n" : "\n");
    }
    HostsFile pointed = file(content.toString()).point(FIRST);
    assertEquals(content.toString(), text(pointed.restore()));
    assertEquals(List.of(8_001), pointed.linesNaming("H8000"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ".", "a.", ".a", "a..b", "-a", "a-", "a-.b", "a_b", "a b", "a#b", "ä", "a\n"})
  void takesNoNameThatIsNone(String name) {
    assertFalse(DnsName.isName(name));
    assertFalse(DnsName.isName("a".repeat(64)));
    assertTrue(DnsName.isName("a".repeat(63) + ".B-2.3"));
    assertFalse(DnsName.isName("a.".repeat(126) + "aa"));
    assertThrows(IllegalArgumentException.class, () -> HostsEntry.of(name, ip("10.0.0.1")));
  }

  /** As the person sees them, with the block of the other name still there. */
  @Test
  void linesThatNameTheHostAreNumberedAsTheyStandInTheFile() throws Exception {
    HostsFile file = file(block("10.0.0.1 other.local\n") + "10.0.0.5 " + NAME + "\n");
    HostsFileException taken = assertThrows(HostsFileException.class, () -> file.point(FIRST));
    assertEquals(Reason.NAME_TAKEN, taken.reason());
    assertEquals(List.of(4), taken.lines());
  }
}
