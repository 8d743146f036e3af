package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.FreePort;
import io.apiserverupdater.sandbox.Json;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Members that a person has taken out for a while. */
@Tag("component")
class DrainTest {
  private static final String ANNOTATION = "apiserver-updater.io/drain";
  private static final String METRIC = "apiserver_updater_member_drained_until_timestamp_seconds";
  private static final String[] PROBING = {
    "--health-check=readyz", "--probe-timeout=5s", "--apiserver-failover", "--events"
  };

  private final SandboxCluster cluster =
      SandboxCluster.builder().reconcileTtl(Duration.ofMinutes(5)).start();
  private final Replicas replicas = new Replicas(cluster);
  private final String namespace = replicas.namespace();
  private final Path kubeconfig = replicas.kubeconfig("person");
  private final List<String> all = cluster.runningAddresses();
  private final String first = all.get(0);
  private final List<String> others = all.subList(1, all.size());

  @AfterEach
  void end() {
    replicas.close();
  }

  private UpdaterProcess updater(String... flags) {
    UpdaterProcess updater =
        replicas.single(
            "updater",
            namespace,
            Stream.concat(Stream.of(PROBING), Stream.of(flags)).toArray(String[]::new));
    replicas.awaitReady(namespace, all);
    return updater;
  }

  private void annotate(String value) {
    cluster
        .store()
        .patch(
            ApiResource.SERVICES,
            namespace,
            "apiserver",
            Json.of("metadata", Json.of("annotations", Json.of(ANNOTATION, value))).toString());
  }

  private String annotation() {
    JsonObject service = cluster.store().require(ApiResource.SERVICES, namespace, "apiserver");
    return Json.text(service, "metadata/annotations/" + ANNOTATION.replace('/', '~'));
  }

  private UpdaterProcess.Result run(String... command) throws InterruptedException {
    return replicas.oneShot(
        Stream.concat(
                Stream.of(command),
                Stream.of("--kubeconfig=" + kubeconfig, "--namespace=" + namespace))
            .toArray(String[]::new));
  }

  private void awaitEvent(String reason, String text) {
    cluster.awaitTrue(
        reason,
        () ->
            cluster.store().list(ApiResource.EVENTS, namespace).stream()
                .filter(event -> Json.text(event, "reason").equals(reason))
                .anyMatch(event -> Json.text(event, "message").contains(text)));
  }

  @Test
  void drainedMemberIsUnreadyWithinASecond() {
    UpdaterProcess updater = updater();
    String until = "=" + Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(3600);
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      long asked = System.nanoTime();
      annotate(first + until);
      replicas.awaitReady(namespace, others);
      best = Math.min(best, System.nanoTime() - asked);
      annotate("");
      replicas.awaitReady(namespace, all);
    }
    assertTrue(best < Duration.ofSeconds(1).toNanos(), updater::logText);
  }

  @Test
  void drainedMemberStaysListedAndComesBackByItself() throws Exception {
    UpdaterProcess updater = updater();
    Instant end = Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(5);
    annotate(first + "=" + end);
    replicas.awaitReady(namespace, others);
    assertEquals(
        all.stream().sorted().toList(), cluster.sliceAddresses(namespace, "apiserver-ipv4"));
    updater.awaitLog("member=drained address=" + first + ":6443 until=" + end, SOON);
    awaitEvent("MemberDrained", first + ":6443 is drained until " + end);
    replicas.awaitReady(namespace, all);
    assertTrue(!Instant.now().isBefore(end), "before its time");
    updater.awaitLog("member=undrained address=" + first + ":6443 .*is over", SOON);
    awaitEvent("MemberUndrained", first + ":6443 is no longer drained");
  }

  @Test
  void metricSaysUntilWhen() throws Exception {
    int port = FreePort.find();
    UpdaterProcess updater = updater("--listen=127.0.0.1:" + port);
    Instant end = Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(3600);
    annotate(first + "=" + end);
    updater.awaitLog("member=drained", SOON);
    String series = METRIC + "{address=\"" + first + ":6443\"} ";
    assertEquals(
        List.of(series + (double) end.getEpochSecond()),
        drainedSeries(port),
        "while it is drained");
    annotate("");
    updater.awaitLog("member=undrained", SOON);
    assertEquals(List.of(), drainedSeries(port), "and no longer");
  }

  private static List<String> drainedSeries(int port) throws IOException {
    URI page = URI.create("http://127.0.0.1:" + port + "/metrics");
    try (InputStream body = page.toURL().openStream()) {
      return new String(body.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> line.startsWith(METRIC))
          .toList();
    }
  }

  @Test
  void personDrainsAndUndrains() throws Exception {
    UpdaterProcess updater = updater();
    run("drain", first, "--for=1h").exits(0).prints(first + " is drained until ").says("note: ");
    assertEquals(others.stream().sorted().toList(), replicas.ready(namespace));
    replicas.awaitReady(namespace, others);
    run("--dry-run")
        .exits(0)
        .says("note: member " + first + ":6443 is drained until ")
        .says("nothing to change");
    // Once more, for longer.
    String before = annotation();
    run("drain", first, "--for=2h").exits(0);
    assertTrue(annotation().compareTo(before) > 0, () -> before + " then " + annotation());
    run("undrain", first).exits(0).prints(first + " is no longer drained");
    replicas.awaitReady(namespace, all);
    assertEquals("", annotation());
    run("undrain", first).exits(0).prints(first + " is not drained");
    updater.awaitLog("member=undrained .*was withdrawn", SOON);
  }

  /** This machine's clock may be ahead of the updater's. */
  @Test
  void withdrawsAlsoWhatIsOverByTheClockHere() throws Exception {
    String ended = "=" + Instant.now().truncatedTo(ChronoUnit.SECONDS).minusSeconds(3600);
    annotate(first + ended + "," + others.get(0) + ended);
    run("undrain", first).exits(0).prints(first + " is no longer drained");
    assertEquals(others.get(0) + ended, annotation());
  }

  @Test
  void lastReadyMemberIsRefusedInWords() throws Exception {
    UpdaterProcess updater = updater();
    for (String address : others) {
      run("drain", address).exits(0);
    }
    String before = annotation();
    run("drain", first).exits(1).says("refused: " + first + " is the last ready member");
    assertEquals(before, annotation());
    // Whoever writes the annotation by hand is told, too.
    String until = "=" + Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(3600);
    annotate(all.stream().map(address -> address + until).collect(Collectors.joining(",")));
    replicas.awaitReady(namespace, all.subList(all.size() - 1, all.size()));
    updater.awaitLog("refused=DrainOfLastReady .*member " + all.get(all.size() - 1), SOON);
    awaitEvent("Refused", "DrainOfLastReady");
  }

  /** The work takes longer than thought, and the apiserver has left the source meanwhile. */
  @Test
  void drainOfAMemberThatIsDownCanBeExtended() throws Exception {
    UpdaterProcess updater = updater();
    String down = all.get(1);
    List<String> serving = List.of(first, all.get(2));
    run("drain", down).exits(0);
    cluster.apiserver(1).stopGracefully();
    cluster.awaitTrue(
        "it is not listed",
        () -> !cluster.sliceAddresses(namespace, "apiserver-ipv4").contains(down));
    String before = annotation();
    run("drain", down, "--for=2h").exits(0).prints(down + " is drained until ");
    assertTrue(annotation().compareTo(before) > 0, () -> before + " then " + annotation());
    run("drain", "192.0.2.77").exits(1).says("192.0.2.77 is not a member");
    cluster.apiserver(1).start();
    cluster.awaitTrue(
        "it is listed again",
        () -> cluster.sliceAddresses(namespace, "apiserver-ipv4").contains(down));
    assertEquals(serving.stream().sorted().toList(), replicas.ready(namespace), updater::logText);
  }

  @Test
  void drainedMemberServesWhenNoOtherDoes() throws Exception {
    UpdaterProcess updater = updater();
    run("drain", first).exits(0);
    cluster.apiserver(1).kill();
    cluster.apiserver(2).kill();
    replicas.awaitReady(namespace, List.of(first));
    updater.awaitLog("member=undrained .*no other member is ready", SOON);
    cluster.apiserver(1).start();
    replicas.awaitReady(namespace, List.of(all.get(1)));
  }

  /** What a person has written there by hand is not lost, and stands in nobody's way. */
  @Test
  void leavesWhatItCannotReadOfOthers() throws Exception {
    UpdaterProcess updater = updater();
    String others = all.get(1) + "=tomorrow,maintenance";
    annotate(first + "=tonight," + others);
    updater.awaitLog("refused=UnreadableDrain .*has 3 entries", SOON);
    run("drain", first).exits(0).says("note: ").says("has 2 entries that cannot be read");
    assertTrue(annotation().startsWith(first + "=2") && annotation().endsWith("," + others));
    run("undrain", first).exits(0).prints("no longer drained");
    assertEquals(others, annotation());
    run("undrain", all.get(1)).exits(0).prints("no longer drained");
    assertEquals("maintenance", annotation());
  }

  @Test
  void refusesWhatItCannotMean() throws Exception {
    UpdaterProcess updater = updater();
    run("drain", "192.0.2.99").exits(1).says("192.0.2.99 is not a member of Service " + namespace);
    assertEquals("", annotation());
    annotate(first + "=tomorrow");
    updater.awaitLog("refused=UnreadableDrain .*" + first + "=tomorrow", SOON);
    assertEquals(all.stream().sorted().toList(), replicas.ready(namespace));
    run("drain").exits(2).says("expected the IP address of an apiserver");
  }
}
