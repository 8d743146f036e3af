package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.sandbox.Fault;
import io.apiserverupdater.sandbox.NodeFiles;
import io.apiserverupdater.sandbox.RequestInfo;
import io.apiserverupdater.sandbox.SandboxApiserver;
import io.apiserverupdater.sandbox.SandboxCluster;
import io.apiserverupdater.sandbox.ServiceAddress;
import io.apiserverupdater.sandbox.WireServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("component")
@Timeout(60)
class BootstrapTest {
  private static final Predicate<RequestInfo> PROBES =
      request -> request.userAgent().equals("apiserver-probe");

  private final SandboxCluster cluster = SandboxCluster.start();
  private final ServiceAddress service = cluster.serviceAddress();
  private final BootstrapNode node = new BootstrapNode(cluster);
  private final NodeFiles files = node.files();

  @AfterEach
  void close() {
    node.close();
    service.close();
    cluster.close();
  }

  private SandboxApiserver at(String ip) {
    return cluster.apiservers().stream().filter(s -> s.ip().equals(ip)).findFirst().orElseThrow();
  }

  private static final Pattern FIRST = Pattern.compile("candidates=([0-9.]+):");

  /** The one that this machine asks first; it says so. */
  private SandboxApiserver first() throws InterruptedException {
    UpdaterProcess.Result shown = node.run("pin", "--dry-run").exits(1);
    Matcher first = FIRST.matcher(shown.err());
    assertTrue(first.find(), shown::toString);
    return at(first.group(1));
  }

  /** On a busy machine a healthy one may be slow enough for the next to be asked. */
  private void makeOthersSlow(SandboxApiserver first) {
    Predicate<RequestInfo> others = request -> !request.apiserver().equals(first.name());
    cluster.faults().always(PROBES.and(others), new Fault.AnsweredLate(Duration.ofSeconds(1)));
  }

  private Map<String, Long> probes() {
    return cluster.audit().entries(e -> PROBES.test(e.request())).stream()
        .collect(Collectors.groupingBy(e -> e.request().apiserver(), Collectors.counting()));
  }

  private void awaitTarget(String ip, UpdaterProcess process) {
    Deadline.in(SOON)
        .await(
            "the name to point at " + ip,
            () -> files.target().equals(ip),
            () -> "It points at " + files.target() + "\n" + process.logText());
  }

  // pin

  @Test
  void pinsOneThatIsReadyAndAsksNobodyTwice() throws Exception {
    UpdaterProcess.Result result = node.run("pin").exits(0);
    SandboxApiserver pinned = at(files.target());
    assertTrue(probes().values().stream().allMatch(count -> count == 1), result::toString);
    assertTrue(files.hostsText().startsWith(NodeFiles.ORIGINAL), files::hostsText);
    result.says("phase=pinned name=apiserver.cluster.local target=" + pinned.ip());
  }

  @Test
  void librariesAreLoadedByRefreshAndNotOnTheWayToAPinnedName() throws Exception {
    cluster.kubeconfig().write(files.folder().resolve("kubelet.conf"));
    cluster.source().set("10.0.0.1", "10.0.0.2");
    Pattern libraries = Pattern.compile(" (org\\.yaml|com\\.google\\.gson)\\.");
    List<String> refresh =
        node.classesOf("refresh").stream().filter(libraries.asPredicate()).toList();
    for (String library : List.of("org.yaml.", "com.google.gson.")) {
      assertTrue(refresh.stream().anyMatch(line -> line.contains(library)), library);
    }
    List<String> pin = node.classesOf("pin");
    assertTrue(pin.stream().anyMatch(line -> line.contains("bootstrap.boot.BootSequence")));
    assertEquals(List.of(), pin.stream().filter(libraries.asPredicate()).toList());
    assertEquals(List.of(), pin.stream().filter(line -> line.contains("Completion")).toList());
  }

  // One that says, with a certificate of the cluster, that it is ready: that is an apiserver.
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "PARTING")
  void passesOverWhatIsNoApiserver(WireServer.Wrong wrong) throws Exception {
    SandboxApiserver first = first();
    first.kill();
    try (WireServer server = WireServer.inPlaceOf(first, cluster, wrong)) {
      long start = System.nanoTime();
      UpdaterProcess.Result result = node.run("pin").exits(0);
      long seconds = Duration.ofNanos(System.nanoTime() - start).toSeconds();
      assertNotEquals(first.ip(), files.target(), result::toString);
      assertEquals("", at(files.target()).state() == SandboxApiserver.State.RUNNING ? "" : "dead");
      // Until another one has answered it is asked again, less and less often.
      assertTrue(server.connections() <= 3 + seconds, result::toString);
    }
  }

  @Test
  void passesOverOneThatIsDown() throws Exception {
    SandboxApiserver first = first();
    first.kill();
    makeOthersSlow(first);
    UpdaterProcess.Result result = node.run("pin").exits(0);
    assertNotEquals(first.ip(), files.target());
    result.says("apiserver=" + first.ip() + ":6443 found=refused");
  }

  @Test
  void passesOverOneThatIsNotReady() throws Exception {
    SandboxApiserver first = first();
    first.failReadyz("etcd");
    makeOthersSlow(first);
    UpdaterProcess.Result result = node.run("pin").exits(0);
    assertNotEquals(first.ip(), files.target());
    result.says("found=not-ready status=500 failing=etcd");
  }

  @Test
  void takesASlowOneWhenThereIsNoOther() throws Exception {
    cluster.faults().always(PROBES, new Fault.AnsweredLate(Duration.ofSeconds(2)));
    node.run("pin").exits(0);
    assertNotEquals("", files.target());
  }

  @Test
  void goesOnTryingAndTakesTheOneThatComesBack() throws Exception {
    cluster.apiservers().forEach(SandboxApiserver::kill);
    UpdaterProcess pin = node.start("pin");
    pin.awaitLog("found=refused", SOON);
    assertEquals("", files.target());
    cluster.apiserver(2).start();
    pin.result(SOON).exits(0);
    assertEquals(cluster.apiserver(2).ip(), files.target());
  }

  @Test
  void fallsBackToOneThatIsStarting() throws Exception {
    cluster.apiserver(0).kill();
    cluster.apiserver(2).kill();
    cluster.apiserver(1).failReadyz("etcd");
    node.run("pin", "--timeout=5s").exits(3);
    assertEquals(cluster.apiserver(1).ip(), files.target());
  }

  @Test
  void keepsTheOldEntryWhenNobodyAnswers() throws Exception {
    node.run("pin").exits(0);
    String pinned = files.target();
    cluster.apiservers().forEach(SandboxApiserver::kill);
    String before = files.hostsText();
    node.run("pin", "--timeout=1s").exits(4);
    assertEquals(before, files.hostsText());
    assertEquals(pinned, files.target());
  }

  @Test
  void firstBootWithNobodyThereStillGetsAnEntry() throws Exception {
    cluster.apiservers().forEach(SandboxApiserver::kill);
    node.run("pin", "--timeout=1s").exits(4);
    assertNotEquals("", files.target());
  }

  @ParameterizedTest
  @ValueSource(strings = {"pin", "handover", ""})
  void dryRunShowsTheChangeAndWritesNothing(String command) throws Exception {
    List<String> flags = new ArrayList<>(files.flags(cluster));
    flags.addAll(List.of("--dry-run", "--cluster-ip=" + service.ip()));
    if (!command.isEmpty()) {
      flags.add(command);
    }
    UpdaterProcess.Result result = node.startBare(flags).result(SOON).exits(1);
    result.prints("--- " + files.hosts());
    result.prints("apiserver.cluster.local\n");
    assertEquals(NodeFiles.ORIGINAL, files.hostsText());
    assertTrue(Files.notExists(files.state()), result::toString);
  }

  @Test
  void foreignEntryIsNeitherOverwrittenNorSearchedFor() throws Exception {
    files.writeHosts("10.9.9.9 apiserver.cluster.local\n");
    cluster.apiservers().forEach(SandboxApiserver::kill);
    node.run("pin").exits(1).says("--adopt");
    assertEquals("10.9.9.9 apiserver.cluster.local\n", files.hostsText());
  }

  @Test
  void twoAtOnceLeaveOneEntry() throws Exception {
    for (int i = 0; i < 3; i++) {
      UpdaterProcess one = node.start("pin");
      UpdaterProcess two = node.start("pin");
      UpdaterProcess.Result first = one.result(SOON);
      UpdaterProcess.Result second = two.result(SOON);
      first.exits(0);
      second.exits(0);
      assertEquals(2, files.hostsText().split("apiserver.cluster.local", -1).length);
      node.run("restore").exits(0);
      assertEquals(NodeFiles.ORIGINAL, files.hostsText());
    }
  }

  @Test
  void sigtermEndsTheSearch() throws Exception {
    cluster.apiservers().forEach(SandboxApiserver::kill);
    UpdaterProcess pin = node.start("pin");
    pin.awaitLog("found=refused", SOON);
    assertEquals(143, pin.stop());
    assertEquals(NodeFiles.ORIGINAL, files.hostsText());
  }

  // A cluster that answers nobody who does not say who he is: --anonymous-auth=false.

  @Test
  void asksWithTheKubeletsCredentialWhereAnonymousRequestsAreOff() throws Exception {
    cluster.access().refuseAnonymous();
    cluster.kubeconfig().write(files.folder().resolve("kubelet.conf"));
    SandboxApiserver first = first();
    first.failReadyz("etcd");
    makeOthersSlow(first);
    UpdaterProcess boot = node.start("--cluster-ip=" + service.ip());
    boot.awaitLog("phase=pinned .* evidence=ready", SOON);
    assertNotEquals(first.ip(), files.target(), boot::logText);
    first.passReadyz();
    service.open();
    assertEquals(0, boot.awaitExit(SOON), boot::logText);
    assertEquals(service.ip(), files.target());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void oneThatTellsNobodyIsAlive(boolean joined) throws Exception {
    cluster.access().refuseAnonymous();
    if (joined) {
      cluster.kubeconfig().write(files.folder().resolve("kubelet.conf"));
      cluster.access().revokeTokens("admin");
    }
    UpdaterProcess boot = node.start("--cluster-ip=" + service.ip());
    boot.awaitLog("phase=pinned .* evidence=alive", SOON);
    service.open();
    boot.awaitLog("phase=handed-over", SOON);
    assertEquals(service.ip(), files.target());
  }

  @Test
  void oneThatHangsForTheKubeletIsNotAlive() throws Exception {
    cluster.access().refuseAnonymous();
    cluster.kubeconfig().write(files.folder().resolve("kubelet.conf"));
    SandboxApiserver hanging = cluster.apiserver(1);
    cluster.apiservers().stream().filter(it -> it != hanging).forEach(SandboxApiserver::kill);
    // Who does not say who he is is refused before a fault strikes.
    cluster.faults().always(PROBES, new Fault.NeverAnswered());
    node.run("pin", "--timeout=6s")
        .exits(3)
        .says("target=" + hanging.ip() + ":6443 evidence=verified");
  }

  // Control planes that are given by name.

  @Test
  void listThatWasKeptDoesWhereNoNameCanBeLookedUp() throws Exception {
    StringBuilder list = new StringBuilder("format 1\n");
    cluster.runningAddresses().forEach(ip -> list.append("current " + ip + ":6443\n"));
    CRC32C checksum = new CRC32C();
    checksum.update(list.toString().getBytes(StandardCharsets.US_ASCII));
    Files.createDirectory(files.state());
    Path kept = files.state().resolve("control-planes");
    Files.writeString(kept, "%schecksum %08x\n".formatted(list, checksum.getValue()));
    List<String> flags = new ArrayList<>(files.flags(cluster));
    flags.set(flags.size() - 1, "--control-plane=cp1.invalid");
    flags.add(0, "pin");
    node.startBare(flags).result(SOON).exits(0).says("found=no-address").says("evidence=ready");
    Files.delete(kept);
    node.startBare(flags)
        .result(SOON)
        .exits(1)
        .says("no control plane is known: cp1.invalid:6443 cannot be looked up");
  }

  // role control-plane

  @Test
  void controlPlanePinsItsOwnApiserver() throws Exception {
    SandboxApiserver own = cluster.apiserver(1);
    makeOthersSlow(own);
    node.run("pin", "--role=control-plane", "--local-apiserver=" + own.ip()).exits(0);
    assertEquals(own.ip(), files.target());
  }

  @Test
  void controlPlaneTakesAPeerAndGoesBackToItsOwnApiserver() throws Exception {
    SandboxApiserver own = cluster.apiserver(1);
    own.kill();
    UpdaterProcess boot = node.start("--role=control-plane", "--local-apiserver=" + own.ip());
    boot.awaitLog("phase=pinned", SOON);
    assertNotEquals(own.ip(), files.target());
    assertNotEquals("", files.target());
    own.start();
    boot.result(SOON).exits(0);
    assertEquals(own.ip(), files.target());
  }

  @Test
  void controlPlaneDoesNotHoldTheKubeletThatStartsItsApiserver() throws Exception {
    cluster.apiservers().forEach(SandboxApiserver::kill);
    SandboxApiserver own = cluster.apiserver(1);
    UpdaterProcess.Result result =
        node.run("pin", "--role=control-plane", "--local-apiserver=" + own.ip(), "--timeout=10m")
            .exits(0);
    assertEquals(own.ip(), files.target());
    result.says("evidence=local");
  }

  // handover

  @Test
  void handsOverWhenTheClusterIpWorks() throws Exception {
    UpdaterProcess boot = node.start("--cluster-ip=" + service.ip());
    boot.awaitLog("phase=pinned", SOON);
    boot.awaitLog("apiserver=" + service.ip() + ":6443 found=refused", SOON);
    service.open();
    UpdaterProcess.Result result = boot.result(SOON).exits(0);
    assertEquals(service.ip(), files.target());
    assertTrue(service.connections() <= 5, result::toString);
    result.says("phase=handed-over");
  }

  @Test
  void clusterIpThatAnswersWronglyIsNotTakenAndMakesLittleLoad() throws Exception {
    cluster.apiservers().forEach(server -> server.failReadyz("etcd"));
    service.open();
    UpdaterProcess.Result result =
        node.run("handover", "--cluster-ip=" + service.ip(), "--wait=3s").exits(4);
    assertEquals("", files.target());
    assertTrue(service.connections() <= 8, () -> service.connections() + "\n" + result);
  }

  @Test
  void pinsAnewWhenThePinnedOneDiesBeforeTheClusterIpWorks() throws Exception {
    node.run("pin").exits(0);
    at(files.target()).kill();
    String dead = files.target();
    UpdaterProcess handover = node.start("handover", "--cluster-ip=" + service.ip());
    handover.awaitLog("phase=pinned", SOON);
    assertNotEquals(dead, files.target());
    service.open();
    assertEquals(0, handover.awaitExit(SOON), handover::logText);
    assertEquals(service.ip(), files.target());
  }

  /** As cloud-init does it at each boot: the whole file again, by a rename. */
  @Test
  void handsOverThoughAnotherProgramRewritesTheFileMeanwhile() throws Exception {
    String clusterIp = "--cluster-ip=" + service.ip();
    node.run("pin", clusterIp).exits(0);
    UpdaterProcess handover = node.start("handover", clusterIp);
    handover.awaitLog("apiserver=" + service.ip(), SOON);
    files.writeHosts(NodeFiles.ORIGINAL);
    // Not at the same one if that is slow at this moment.
    Deadline.in(SOON)
        .await("the entry to be back", () -> !files.target().isEmpty(), handover::logText);
    files.writeHosts(NodeFiles.ORIGINAL);
    service.open();
    assertEquals(0, handover.awaitExit(SOON), handover::logText);
    assertEquals(service.ip(), files.target());
    node.run("restore", clusterIp).exits(0);
    node.run("handover", clusterIp).exits(0).says("phase=unpinned");
    assertEquals(NodeFiles.ORIGINAL, files.hostsText());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void comesBackAfterAToolHasStrippedTheCommentsOrDoubledTheFile(boolean stripped)
      throws Exception {
    service.open();
    String clusterIp = "--cluster-ip=" + service.ip();
    node.run("pin", clusterIp).exits(0);
    node.run("handover", clusterIp).exits(0);
    String text = files.hostsText();
    String others = stripped ? NodeFiles.ORIGINAL.replaceAll("#.*\n", "") : NodeFiles.ORIGINAL;
    files.writeHosts(stripped ? text.replaceAll("#.*\n", "") : text + text);
    node.run("pin", clusterIp).exits(0);
    at(files.target());
    node.run("handover", clusterIp).exits(0);
    assertEquals(service.ip(), files.target());
    node.run("restore", clusterIp).exits(0);
    assertEquals(stripped ? others : others + others, files.hostsText());
  }

  /** The path unit tells of no change while the hand-over runs, so it has to look itself. */
  @Test
  void entryThatIsRemovedAfterTheHandOverWhileItStillRunsIsPutBack() throws Exception {
    cluster.kubeconfig().write(files.folder().resolve("kubelet.conf"));
    Predicate<RequestInfo> list = request -> request.resource().equals("endpointslices");
    cluster.faults().always(list, new Fault.AnsweredLate(Duration.ofSeconds(3)));
    service.open();
    UpdaterProcess handover = node.start("handover", "--cluster-ip=" + service.ip());
    handover.awaitLog("phase=handed-over", SOON);
    files.writeHosts(NodeFiles.ORIGINAL);
    assertEquals("", files.target());
    assertEquals(0, handover.awaitExit(SOON), handover::logText);
    assertEquals(service.ip(), files.target());
    assertEquals(2, handover.logText().split("phase=handed-over", -1).length - 1);
  }

  /** What restore brings back, and what a person writes after it, is none of ours. */
  @Test
  void restoreTwiceTakesNothingOfAPerson() throws Exception {
    service.open();
    String clusterIp = "--cluster-ip=" + service.ip();
    String own = NodeFiles.ORIGINAL + service.ip() + " apiserver.cluster.local\n";
    files.writeHosts(own);
    node.run("pin", "--adopt", clusterIp).exits(0);
    node.run("handover", "--adopt", clusterIp).exits(0);
    for (int times = 0; times < 2; times++) {
      node.run("restore", clusterIp).exits(0);
      assertEquals(own, files.hostsText());
    }
    node.run("handover", "--adopt", clusterIp).exits(0).says("phase=unpinned");
    assertEquals(own, files.hostsText());
  }

  @Test
  void restoreThatCannotKeepThatItRanChangesNothing() throws Exception {
    node.run("pin").exits(0);
    String pinned = files.hostsText();
    Path state = files.state().resolve("state");
    Files.delete(state);
    Files.createDirectories(state.resolve("in the way"));
    UpdaterProcess.Result result = node.run("restore").exits(1);
    assertTrue(result.err().contains("cannot save in " + files.state()), result::toString);
    assertEquals(pinned, files.hostsText());
    // The node has to come back all the same.
    node.run("pin").exits(0);
  }

  /** A waiting hand-over cannot be told that restore has not ended it after all. */
  @Test
  void restoreThatCannotChangeTheFileSaysHowToGoOn() throws Exception {
    node.run("pin").exits(0);
    String pinned = files.hostsText();
    Path state = files.state().resolve("state");
    byte[] before = Files.readAllBytes(state);
    // No name is left for a file beside it.
    Path target = files.folder().resolve("h".repeat(250));
    Files.move(files.hosts(), target);
    Files.createSymbolicLink(files.hosts(), target);
    UpdaterProcess.Result result = node.run("restore").exits(1);
    assertTrue(
        result.err().contains("run systemctl start apiserver-bootstrap-handover.service"),
        result::toString);
    assertEquals(pinned, files.hostsText());
    assertArrayEquals(before, Files.readAllBytes(state));
  }

  @Test
  void recoversWhenEverybodyWasDownAtBoot() throws Exception {
    cluster.apiservers().forEach(SandboxApiserver::kill);
    UpdaterProcess boot = node.start("--cluster-ip=" + service.ip(), "--timeout=1s");
    boot.awaitLog("evidence=none", SOON);
    cluster.apiserver(2).start();
    awaitTarget(cluster.apiserver(2).ip(), boot);
    service.open();
    assertEquals(0, boot.awaitExit(SOON), boot::logText);
    assertEquals(service.ip(), files.target());
  }

  @Test
  void sigtermEndsTheWaitAndLeavesTheEntry() throws Exception {
    UpdaterProcess boot = node.start("--cluster-ip=" + service.ip());
    boot.awaitLog("apiserver=" + service.ip(), SOON);
    assertEquals(143, boot.stop());
    assertNotEquals("", files.target(), boot::logText);
  }

  /** As the unit runs it: before version 244, systemd itself starts no oneshot unit again. */
  @Test
  void handOverOfTheUnitIsTriedAgainUntilItSucceeds() throws Exception {
    String clusterIp = "--cluster-ip=" + service.ip();
    node.run("pin", clusterIp).exits(0);
    service.open();
    String whole = files.hostsText();
    files.writeHosts(whole.replaceAll("# END apiserver-bootstrap.*\n", ""));
    UpdaterProcess unit = node.start("handover", "--if-configured", "--retry=100ms", clusterIp);
    unit.awaitLog("handover=failed exit-code=1 retry-every=100ms", SOON);
    files.writeHosts(whole);
    assertEquals(0, unit.awaitExit(SOON), unit::logText);
    assertEquals(service.ip(), files.target());
    assertEquals(1, unit.log("handover=failed").size(), unit::logText);
  }

  @Test
  void handOverOfTheUnitEndsWhenItsConfigurationIsWrong() throws Exception {
    Path config = files.folder().resolve("bootstrap.conf");
    UpdaterProcess unit =
        node.start("handover", "--retry=100ms", "--wait=300ms", "--cluster-ip=" + service.ip());
    unit.awaitLog("handover=failed exit-code=4 retry-every=100ms", SOON);
    Files.writeString(config, "CONTROL_PLAN = 10.0.0.1\n");
    unit.result(SOON).exits(2).says("unknown key CONTROL_PLAN");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void sigtermEndsTheHandOverOfTheUnit(boolean betweenTwoAttempts) throws Exception {
    String wait = betweenTwoAttempts ? "--wait=300ms" : "--wait=1h";
    UpdaterProcess unit =
        node.start("handover", "--retry=1h", wait, "--cluster-ip=" + service.ip());
    unit.awaitLog(betweenTwoAttempts ? "retry-every=1h" : "apiserver=" + service.ip(), SOON);
    assertEquals(143, unit.stop());
    assertEquals(betweenTwoAttempts ? 1 : 0, unit.log("retry-every").size(), unit::logText);
  }

  // status, restore, configuration

  @Test
  void statusFollowsTheHostsFileThroughAllPhases() throws Exception {
    String clusterIp = "--cluster-ip=" + service.ip();
    assertEquals("unpinned", status(clusterIp).get("phase").getAsString());
    node.run("pin", clusterIp).exits(0);
    assertEquals("pinned", status(clusterIp).get("phase").getAsString());
    assertEquals(files.target(), status(clusterIp).get("target").getAsString());
    service.open();
    node.run("handover", clusterIp).exits(0);
    assertEquals("handed-over", status(clusterIp).get("phase").getAsString());
    assertTrue(status(clusterIp).get("since").isJsonPrimitive());
    files.writeHosts(files.hostsText().replace(service.ip(), "10.1.2.3"));
    assertEquals("pinned", status(clusterIp).get("phase").getAsString());
    assertTrue(status(clusterIp).get("since").isJsonNull());
    node.run("restore", clusterIp).exits(0);
    assertEquals(NodeFiles.ORIGINAL, files.hostsText());
    assertEquals("unpinned", status(clusterIp).get("phase").getAsString());
  }

  private JsonObject status(String clusterIp) throws InterruptedException {
    UpdaterProcess.Result result = node.run("status", "-o", "json", clusterIp).exits(0);
    return JsonParser.parseString(result.out()).getAsJsonObject();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "# CONTROL_PLANE = 10.0.0.1 | 0",
        "HOSTNAME = a.example       | 0",
        "control-plane = '10.0.0.1' | 1",
        "CONTROL_PLANE = somewhere! | 2"
      })
  void saysWhetherTheNodeIsConfigured(String line, int exitCode) throws Exception {
    Path config = Files.writeString(files.folder().resolve("some.conf"), "\uFEFF" + line + "\n");
    node.startBare(List.of("unconfigured", "--config=" + config)).result(SOON).exits(exitCode);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pin", "handover", "refresh"})
  void unitDoesNothingUntilItIsConfigured(String command) throws Exception {
    Path config = Files.writeString(files.folder().resolve("some.conf"), "# CONTROL_PLANE = a\n");
    List<String> arguments =
        List.of(command, "--if-configured", "--config=" + config, "--hosts-file=" + files.hosts());
    node.startBare(arguments).result(SOON).exits(0).prints("not configured");
    assertEquals(NodeFiles.ORIGINAL, files.hostsText());
    Files.writeString(config, "CONTROL_PLANE = somewhere!\n");
    node.startBare(arguments).result(SOON).exits(2);
  }

  @Test
  void allThatIsWrongWithFlagsAndFileIsToldAtOnce() throws Exception {
    Path config = files.folder().resolve("wrong.conf");
    Files.writeString(
        config,
        "# a comment\nCLUSTER_IP = 10.96.0\nCONTROL_PLAN=10.0.0.1\nPORT=0\nROLE=master\nnonsense\n");
    UpdaterProcess.Result result =
        node.startBare(
                List.of("pin", "--config=" + config, "--timeout=soon", "--hosts-file=", "--nope"))
            .result(SOON)
            .exits(2);
    for (String expected :
        List.of(
            "unknown flag --nope",
            config + ":2: CLUSTER_IP is \"10.96.0\", expected an IP address",
            config + ":3: unknown key CONTROL_PLAN; did you mean CONTROL_PLANE?",
            config + ":4: PORT is \"0\", expected a number from 1 to 65535",
            config + ":5: ROLE is \"master\", expected worker or control-plane",
            config + ":6: \"nonsense\" is not a setting",
            "--timeout is \"soon\", expected a duration",
            "--hosts-file is \"\", expected a path",
            "--control-plane is missing")) {
      assertTrue(result.err().contains(expected), () -> expected + " in\n" + result);
    }
    assertEquals(NodeFiles.ORIGINAL, files.hostsText());
  }
}
