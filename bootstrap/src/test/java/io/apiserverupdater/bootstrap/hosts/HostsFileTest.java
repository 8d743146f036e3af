package io.apiserverupdater.bootstrap.hosts;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.bootstrap.hosts.HostsFileException.Reason;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostsFileTest {
  private static final String NAME = "apiserver.cluster.local";
  private static final String BEGIN =
      "# BEGIN apiserver-bootstrap: do not edit; rewritten at each boot,"
          + " \"apiserver-bootstrap restore\" removes it";
  private static final String END = "# END apiserver-bootstrap\n";
  private static final HostsEntry FIRST = entry("10.0.0.11");
  private static final HostsEntry SECOND = entry("10.0.0.12");

  private static HostsEntry entry(String... addresses) {
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

  private static String text(HostsFile file) {
    return new String(file.bytes(), ISO_8859_1);
  }

  @Test
  void putsItsBlockAtTheEnd() throws Exception {
    assertEquals(
        "127.0.0.1 localhost\n" + BEGIN + "\n10.0.0.11 " + NAME + "\n" + END,
        text(file("127.0.0.1 localhost\n").point(FIRST)));
  }

  @Test
  void remembersTheLineBreakItAdded() throws Exception {
    HostsFile pointed = file("127.0.0.1 localhost").point(FIRST);
    assertEquals(
        "127.0.0.1 localhost\n"
            + BEGIN
            + " [line break added above]\n10.0.0.11 "
            + NAME
            + "\n"
            + END,
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
        "1.1.1.1 a\n" + BEGIN + "\n10.0.0.12 " + NAME + "\n" + END + "2.2.2.2 b\n",
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
}
