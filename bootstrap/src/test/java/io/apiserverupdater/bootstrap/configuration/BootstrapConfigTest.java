package io.apiserverupdater.bootstrap.configuration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Parsed;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Trust;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BootstrapConfigTest {
  private static final String HASH = "sha256:" + "0123456789abcdef".repeat(4);

  @TempDir Path folder;
  private Path file = Path.of("");

  @BeforeEach
  void emptyFile() throws IOException {
    file = write("");
  }

  private Path write(String text) throws IOException {
    return Files.writeString(folder.resolve("bootstrap.conf"), text);
  }

  private Parsed parse(String... arguments) {
    return BootstrapFlags.parse(
        Stream.concat(Stream.of(arguments), Stream.of("--config=" + file)).toList());
  }

  private BootstrapConfig valid(String... arguments) {
    return assertInstanceOf(Parsed.Run.class, parse(arguments)).config();
  }

  private List<String> errors(String... arguments) {
    return assertInstanceOf(Parsed.Invalid.class, parse(arguments)).errors();
  }

  @Test
  void controlPlanesMayBeGivenByName() {
    BootstrapConfig config = valid(with("--control-plane=cp1.example,10.0.0.2,CP-3,cp1.example"));
    assertEquals(List.of("cp1.example:6443", "CP-3:6443"), config.controlPlaneNames());
    assertEquals(
        List.of(ApiserverAddress.parse("10.0.0.2", 6443).orElseThrow()), config.controlPlanes());
    assertEquals(1, errors(with("--control-plane=apiserver.cluster.local")).size());
    assertEquals(1, errors(with("--control-plane=cp1.example:7443")).size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"kubelet@.service", "-kubelet.service", ".kubelet.service"})
  void whatIsNoUnitThatCanStartIsRefused(String unit) {
    assertEquals(1, errors(with("--kubelet-unit=" + unit)).size());
    assertEquals(
        "kubelet@a.service", valid(with("--kubelet-unit=kubelet@a.service")).kubeletUnit());
  }

  @Test
  void byteOrderMarkIsNoPartOfTheFirstKey() throws IOException {
    file = write("\uFEFFCONTROL_PLANE = 10.0.0.7\n");
    assertEquals(
        List.of(ApiserverAddress.parse("10.0.0.7", 6443).orElseThrow()),
        valid("unconfigured").controlPlanes());
    file = write("\uFEFF# nothing\n");
    assertEquals(List.of(), valid("unconfigured").controlPlanes());
  }

  /** The least that is needed, as far as it is not given otherwise, and more. */
  private static String[] with(String... more) {
    Stream<String> least =
        Stream.of("--control-plane=10.0.0.1", "--cluster-ip=10.96.0.64", "--ca-cert-hash=" + HASH)
            .filter(
                flag ->
                    Stream.of(more)
                        .noneMatch(
                            other -> other.split("=", -1)[0].equals(flag.split("=", -1)[0])));
    return Stream.concat(least, Stream.of(more)).toArray(String[]::new);
  }

  private static ApiserverAddress address(String text) {
    return ApiserverAddress.parse(text, 6443).orElseThrow();
  }

  @Test
  void defaultsAreTheOnesOfTheHelp() {
    BootstrapConfig config = valid(with());
    assertEquals(Command.RUN, config.command());
    assertEquals("apiserver.cluster.local", config.hostname());
    assertEquals(List.of(address("10.0.0.1")), config.controlPlanes());
    assertEquals(Path.of("/etc/hosts"), config.hostsFile());
    assertEquals(Path.of("/var/lib/apiserver-bootstrap"), config.stateDir());
    assertEquals(Duration.ofSeconds(30), config.timeout());
    assertEquals(Optional.empty(), config.waitLimit());
    assertEquals(3, config.rise());
    assertEquals(Role.WORKER, config.role());
    assertEquals(Strategy.HOSTS, config.strategy());
    assertEquals(Path.of("/etc/kubernetes/kubelet.conf"), config.kubeconfig());
    assertEquals(Optional.of(new Trust.AuthorityHashes(List.of(HASH))), config.trust());
  }

  @Test
  void controlPlanesOfBothFamiliesAreReadAndEachCountsOnce() {
    assertEquals(
        List.of(address("10.0.0.1"), address("10.0.0.2:6444"), address("[fd00::1]:6443")),
        valid(
                with(
                    "--strategy=nft",
                    "--control-plane=10.0.0.1, 10.0.0.2:6444,fd00::1,10.0.0.1:6443"))
            .controlPlanes());
  }

  @Test
  void portCountsForThoseThatAreGivenWithoutOne() {
    assertEquals(List.of(address("10.0.0.1:7443")), valid(with("--port=7443")).controlPlanes());
  }

  @Test
  void fileIsReadInTheFormThatSystemdTakes() throws IOException {
    file =
        write(
            "# a comment\r\n; another\n\n  CONTROL_PLANE = 10.0.0.1,10.0.0.2  \n"
                + "CLUSTER_IP=\"10.96.0.64\"\nCA_CERT_HASH='"
                + HASH
                + "'\nwait = 5m\nWAIT_=1");
    assertEquals(List.of(file + ":8: unknown key WAIT_; did you mean WAIT?"), errors("handover"));
    file = write(Files.readString(file).replace("WAIT_=1", ""));
    BootstrapConfig config = valid("handover");
    assertEquals(List.of(address("10.0.0.1"), address("10.0.0.2")), config.controlPlanes());
    assertEquals(Optional.of(Duration.ofMinutes(5)), config.waitLimit());
    assertEquals(Optional.of(new Trust.AuthorityHashes(List.of(HASH))), config.trust());
  }

  @Test
  void flagGoesOverTheFile() throws IOException {
    file = write("RISE=5\nHOSTNAME=one.example\n");
    BootstrapConfig config = valid(with("--hostname=two.example"));
    assertEquals("two.example", config.hostname());
    assertEquals(5, config.rise());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PORT=1\\nPORT=2|:2: PORT is set twice, first in FILE:1: PORT; keep one",
        "PORT|:1: \"PORT\" is not a setting, expected KEY = value or a # comment",
        "=1|:1: \"=1\" is not a setting, expected KEY = value or a # comment",
        "DRY_RUN=true|:1: unknown key DRY_RUN; see --help",
        "IF_CONFIGURED=true|:1: unknown key IF_CONFIGURED; see --help",
        "RETRY=30s|:1: unknown key RETRY; see --help",
        "HOSTNAME=\"a|:1: HOSTNAME is \"a, expected quotes around all of it or none",
        "HOSTNAME=a\\\\|:1: HOSTNAME ends with a backslash, expected the value on one line",
        "RISE=101|:1: RISE is \"101\", expected a number from 1 to 100",
      })
  void whatIsWrongInTheFileIsToldWithItsLine(String text, String expected) throws IOException {
    file = write(text.replace("\\n", "\n").replace("\\\\", "\\"));
    assertEquals(List.of(file + expected.replace("FILE", file.toString())), errors(with()));
  }

  @Test
  void fileThatIsNoTextIsRefused() throws IOException {
    file = Files.write(folder.resolve("latin"), new byte[] {(byte) 0xe9});
    assertEquals(List.of(file + " is not UTF-8 text; save it as UTF-8"), errors(with()));
  }

  @Test
  void fileThatIsNamedMustBeThere() {
    file = folder.resolve("absent");
    assertEquals(List.of("--config: no such file: " + file), errors(with()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--cluster-ip=apiserver|--cluster-ip is \"apiserver\", expected an IP address without a"
            + " port, such as 10.96.0.64; kubectl -n kube-system get service apiserver shows it",
        "--hostname=Api_Server|--hostname is \"Api_Server\", expected a DNS name in lower-case"
            + " letters, such as apiserver.cluster.local",
        "--hostname=10.0.0.1|--hostname is \"10.0.0.1\", expected a DNS name in lower-case letters,"
            + " such as apiserver.cluster.local",
        "--hostname=localhost|--hostname is \"localhost\", expected another name: this one is"
            + " the node's own",
        "--port=65536|--port is \"65536\", expected a number from 1 to 65535",
        "--timeout=0|--timeout is \"0\", expected more than 0",
        "--timeout=5|--timeout is \"5\", expected a duration up to 24h, such as 500ms, 30s or"
            + " 1m30s",
        "--strategy=ipvs|--strategy is \"ipvs\", expected hosts or nft",
        "--role=master|--role is \"master\", expected worker or control-plane",
        "--adopt=yes|--adopt is \"yes\", expected true or false",
        "--ca-cert-hash=md5:1|--ca-cert-hash is \"md5:1\", expected sha256: and 64 hexadecimal"
            + " digits",
        "--local-apiserver=10.0.0.1|--local-apiserver needs role control-plane; remove it, or"
            + " set that role",
        "--remove-after-handover|--remove-after-handover needs strategy nft: hosts has no rule"
            + " to remove; remove it, or choose nft",
        "-o=json|--output is for check and status only; remove --output",
        "--retry=30s|--retry is for handover only, without --dry-run; remove --retry",
        "--control-plane=10.0.0.1:7443|--control-plane holds 10.0.0.1:7443, expected port 6443:"
            + " with strategy hosts all programs dial the port of --port; remove this port, or"
            + " choose strategy nft",
        "--control-plane=10.0.0.1,10.96.0.64|--control-plane holds 10.96.0.64, which is the"
            + " cluster IP, expected the control planes' own addresses: the cluster IP does not"
            + " work while a node boots",
        "--insecure-skip-tls-verify|--ca-cert-hash and --insecure-skip-tls-verify exclude each"
            + " other: use one of them",
      })
  void wrongValueIsToldWithWhatWasExpected(String flag, String expected) {
    assertEquals(List.of(expected), errors(with(flag)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cp_1", "10.0.0.256", "10.0.0.1:0", "", "0.0.0.0", "224.0.0.1", "::"})
  void controlPlaneMustBeTheAddressOfAHost(String item) {
    assertEquals(
        List.of(
            "--control-plane holds \""
                + item
                + "\", expected IP or IP:PORT, separated by commas, such as"
                + " 10.0.0.1,10.0.0.2:6444,[fd00::1]:6443, or a DNS name in the place of an IP"),
        errors(with("--control-plane=10.0.0.9," + item)));
  }

  @Test
  void authorityMustBeReadable() {
    Path absent = folder.resolve("ca.crt");
    assertEquals(
        List.of("--ca-file is \"" + absent + "\", expected a PEM file that can be read"),
        errors(
            "pin", "--control-plane=10.0.0.1", "--cluster-ip=10.96.0.64", "--ca-file=" + absent));
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "restore", "check"})
  void commandsThatAskNoApiserverNeedNoConfiguration(String command) {
    assertEquals(Command.of(Optional.of(command)), valid(command).command());
  }

  @Test
  void controlPlaneNeedsNoClusterIp() {
    assertEquals(
        Role.CONTROL_PLANE,
        valid("--role=control-plane", "--control-plane=10.0.0.1", "--ca-cert-hash=" + HASH).role());
  }

  @Test
  void handoverOfAWorkerNeedsTheClusterIp() {
    assertEquals(
        List.of(
            "--cluster-ip is missing, expected the cluster IP of the Service apiserver, such as"
                + " 10.96.0.64; use the flag, or CLUSTER_IP in the configuration file"),
        errors("handover", "--control-plane=10.0.0.1", "--ca-cert-hash=" + HASH));
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "check"})
  void dryRunOfWhatWritesNothingIsAMistake(String command) {
    assertEquals(
        List.of("--dry-run: " + command + " writes nothing; remove --dry-run"),
        errors(command, "--dry-run"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"pin", "handover", "refresh"})
  void unitDoesNothingUntilItIsConfigured(String command) throws IOException {
    file = write("# CONTROL_PLANE = 10.0.0.1\nHOSTNAME = a.example\n");
    assertEquals(Command.UNCONFIGURED, valid(command, "--if-configured").command());
    file = write("CONTROL_PLAN = 10.0.0.1\n");
    assertEquals(
        List.of(file + ":1: unknown key CONTROL_PLAN; did you mean CONTROL_PLANE?"),
        errors(command, "--if-configured"));
    file = write("CONTROL_PLANE = 10.0.0.1\nCLUSTER_IP = 10.96.0.64\nCA_CERT_HASH = " + HASH);
    assertEquals(Command.of(Optional.of(command)), valid(command, "--if-configured").command());
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "restore", "check", "unconfigured"})
  void ifConfiguredIsForTheUnits(String command) {
    assertEquals(
        List.of("--if-configured is for pin, handover and refresh only; remove --if-configured"),
        errors(command, "--if-configured"));
  }

  @Test
  void onlyHandoverIsTriedAgain() {
    assertEquals(
        Optional.of(Duration.ofSeconds(30)), valid(with("handover", "--retry=30s")).retry());
    assertEquals(Optional.empty(), valid(with("handover")).retry());
    assertEquals(1, errors(with("pin", "--retry=30s")).size());
    assertEquals(1, errors(with("handover", "--retry=30s", "--dry-run")).size());
    assertEquals(1, errors(with("handover", "--retry=0")).size());
  }

  @Test
  void helpAndVersionGoBeforeAllErrors() {
    assertInstanceOf(Parsed.Help.class, parse("--nope", "-h"));
    assertInstanceOf(Parsed.Version.class, parse("--nope", "--version"));
  }

  @Test
  void completionNeedsAShell() {
    assertInstanceOf(Parsed.Completion.class, BootstrapFlags.parse(List.of("completion", "fish")));
    assertEquals(
        new Parsed.Invalid(List.of("completion needs a shell: bash, zsh or fish")),
        BootstrapFlags.parse(List.of("completion", "fish", "zsh")));
  }
}
