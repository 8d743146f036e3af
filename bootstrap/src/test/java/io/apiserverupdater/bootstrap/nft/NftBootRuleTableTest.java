package io.apiserverupdater.bootstrap.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.program.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** With a script in the place of nft; the real one is in the real tier. */
@Timeout(20)
class NftBootRuleTableTest {
  private static final ApiserverAddress SERVICE = BootRuleTest.address("10.96.0.64:6443");
  private static final BootRule RULE = new BootRule(SERVICE, BootRuleTest.addresses("172.30.1.1"));
  private static final String KERNEL = "6.1.0-42-amd64";
  private static final Duration LONG = Duration.ofSeconds(10);

  @TempDir Path folder;

  private NftBootRuleTable tableOf(String script) throws IOException {
    Path nft = folder.resolve("nft");
    Files.writeString(nft, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(nft, PosixFilePermissions.fromString("rwxr-xr-x"));
    return new NftBootRuleTable(SERVICE, Program.find("nft", List.of(folder)), KERNEL);
  }

  private static String unsupported(RuleOutcome outcome) {
    return assertInstanceOf(RuleOutcome.Unsupported.class, outcome).reason();
  }

  private static String failed(RuleOutcome outcome) {
    return assertInstanceOf(RuleOutcome.Failed.class, outcome).reason();
  }

  @Test
  void handsTheWholeRulesetToNft() throws IOException {
    NftBootRuleTable table =
        tableOf("echo \"$@\" >" + folder + "/arguments; exec /bin/cat >" + folder + "/input");
    assertEquals(new RuleOutcome.Done(), table.install(RULE, LONG));
    assertEquals("-f -\n", Files.readString(folder.resolve("arguments")));
    assertEquals(RULE.ruleset(), Files.readString(folder.resolve("input")));
  }

  @Test
  void asksForTheTableInNumbers() throws IOException {
    NftBootRuleTable table = tableOf("echo \"$@\" >" + folder + "/arguments");
    assertInstanceOf(RuleReading.Unreadable.class, table.read(LONG));
    assertEquals(
        "-nnn list table ip apiserver_bootstrap\n", Files.readString(folder.resolve("arguments")));
  }

  @Test
  void saysThatNftIsMissing() {
    NftBootRuleTable table =
        new NftBootRuleTable(
            SERVICE, Program.find("nft", List.of(folder.resolve("nowhere"))), KERNEL);
    assertTrue(unsupported(table.install(RULE, LONG)).contains("install the package nftables"));
    assertTrue(unsupported(table.remove(LONG)).contains("there is no program nft"));
    assertInstanceOf(RuleReading.Unreadable.class, table.read(LONG));
  }

  @Test
  void saysThatNftCannotBeStarted() throws IOException {
    NftBootRuleTable table = tableOf("");
    Files.writeString(folder.resolve("nft"), "#!/nowhere/interpreter\n");
    assertTrue(unsupported(table.install(RULE, LONG)).contains("cannot be started"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "netlink: Error: Could not process rule: Operation not supported",
        "Unable to initialize Netlink socket: Protocol not supported",
        "/dev/stdin:5:42-45: Error: Could not process rule: No such file or directory",
        "/dev/stdin:1:1-1: Error: syntax error, unexpected newline",
        "/dev/stdin:9:1-1: Error: Could not process rule: Device or resource busy",
      })
  void tellsWhatIsMissingForGood(String words) throws IOException {
    NftBootRuleTable table = tableOf("echo '" + words + "' >&2; exit 1");
    String reason = unsupported(table.install(RULE, LONG));
    assertTrue(reason.contains("--strategy hosts"), reason);
    assertTrue(reason.contains(words), reason);
  }

  @ParameterizedTest
  @CsvSource({
    "'Operation not permitted (you must be root)', CAP_NET_ADMIN",
    "'Error: something else', 'nft said: Error: something else'",
    "'', 'nft said: nothing'",
  })
  void tellsWhatFailedThisTime(String words, String expected) throws IOException {
    NftBootRuleTable table = tableOf("echo '" + words + "' >&2; exit 1");
    String reason = failed(table.install(RULE, LONG));
    assertTrue(reason.contains(expected), reason);
  }

  @Test
  void keepsControlCharactersOutOfTheReason() throws IOException {
    NftBootRuleTable table = tableOf("printf 'a\\033[31mb\\nmore' >&2; exit 1");
    assertEquals("nft said: a\\u001b[31mb", failed(table.install(RULE, LONG)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // Hangs; never ends its output; writes more than a pipe holds.
        "exec /bin/sleep 60",
        "while :; do echo; done",
        "/bin/cat /dev/zero | /usr/bin/head -c 1000000; exec /bin/sleep 60",
      })
  void neverWaitsLongerThanTheDeadline(String script) throws IOException {
    NftBootRuleTable table = tableOf(script);
    long begin = System.nanoTime();
    String reason = failed(table.install(RULE, Duration.ofMillis(300)));
    long millis = Duration.ofNanos(System.nanoTime() - begin).toMillis();
    assertTrue(reason.contains("did not finish within 300 ms and was killed"), reason);
    assertTrue(millis < 5_000, millis + " ms");
  }

  @Test
  void doesNotMindThatNftReadsNothing() throws IOException {
    assertEquals(new RuleOutcome.Done(), tableOf("exec <&-; exit 0").install(RULE, LONG));
  }

  @Test
  void isInterruptedAtOnce() throws IOException {
    NftBootRuleTable table = tableOf("exec /bin/sleep 60");
    Thread.currentThread().interrupt();
    String reason = failed(table.install(RULE, LONG));
    assertTrue(Thread.interrupted());
    assertFalse(reason.isEmpty());
  }

  @Test
  void missingTableIsAbsent() throws IOException {
    NftBootRuleTable table =
        tableOf("echo 'Error: No such file or directory' >&2; echo 'list table ip x' >&2; exit 1");
    assertEquals(new RuleReading.Absent(), table.read(LONG));
  }

  @Test
  void tableThatMayNotBeReadIsNotAbsent() throws IOException {
    NftBootRuleTable table =
        tableOf("echo 'Operation not permitted (you must be root)' >&2; exit 1");
    RuleReading.Unreadable unreadable =
        assertInstanceOf(RuleReading.Unreadable.class, table.read(LONG));
    assertTrue(unreadable.reason().contains("CAP_NET_ADMIN"), unreadable.reason());
  }

  @Test
  void removesItsTablesOfBothFamiliesAndNoOther() throws IOException {
    NftBootRuleTable table =
        tableOf(
            """
            if [ "$1" = list ]; then
              echo 'table ip nat'
              echo 'table ip apiserver_bootstrap'
              echo 'table inet apiserver_bootstrap'
              echo 'table ip6 apiserver_bootstrap'
              echo 'table ip apiserver_bootstrap_not'
            else
              exec /bin/cat >FOLDER/input
            fi
            """
                .replace("FOLDER", folder.toString()));
    assertEquals(new RuleOutcome.Done(), table.remove(LONG));
    assertEquals(
        """
        add table ip apiserver_bootstrap
        delete table ip apiserver_bootstrap
        add table ip6 apiserver_bootstrap
        delete table ip6 apiserver_bootstrap
        """,
        Files.readString(folder.resolve("input")));
  }

  @Test
  void hasNothingToRemoveWhereNothingIs() throws IOException {
    NftBootRuleTable table = tableOf("[ \"$1\" = list ] && echo 'table ip nat'");
    assertEquals(new RuleOutcome.Done(), table.remove(LONG));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "3.10.0-1160.el7.x86_64, false",
    "4.17.19, false",
    "4.18.0-553.el8_10.x86_64, true",
    "4.19, true",
    "5.10.0-33-amd64, true",
    "10.0.1, true",
    "strange, true",
    "x.y, true",
    "'', true",
  })
  void oldKernelsCannotShareTheirNat(String release, boolean expected) {
    assertEquals(expected, NftBootRuleTable.natCanBeShared(release));
  }

  @Test
  void leavesKubeProxyTheNatOfAnOldKernel() throws IOException {
    tableOf("echo >" + folder + "/ran");
    NftBootRuleTable table =
        new NftBootRuleTable(
            SERVICE, Program.find("nft", List.of(folder)), "3.10.0-1160.el7.x86_64");
    assertTrue(unsupported(table.install(RULE, LONG)).contains("--strategy hosts"));
    assertFalse(Files.exists(folder.resolve("ran")));
  }

  @Test
  void looksInAllFoldersOfThePathAndThoseOfSystemPrograms() {
    assertEquals(
        List.of(Path.of("/a"), Path.of("/b c"), Path.of("/usr/sbin"), Path.of("/sbin")),
        Program.folders("/a:relative::/b c"));
    assertEquals(Optional.empty(), Program.find("nft", List.of(folder)).map(found -> "found"));
  }
}
