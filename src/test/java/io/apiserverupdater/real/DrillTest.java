package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code docs/drill.sh}, as a person runs it against a cluster of their own. */
@Tag("real")
@Timeout(180)
class DrillTest {
  @RegisterExtension
  static final UpdaterCluster cluster =
      new UpdaterCluster(
          Lab.builder("drill")
              // Else an apiserver that is told to stop waits a minute for watches.
              .apiserverFlags("--shutdown-watch-termination-grace-period=1s"));

  private static final Duration SOON = Duration.ofSeconds(60);

  /** Of the process that starts the apiserver when the limit is over. */
  private static final Path GUARD = Path.of("/run/apiserver-drill.pid");

  private Optional<StaticPod> running = Optional.empty();

  @BeforeEach
  void giveTheApiserverAManifest() throws IOException {
    cluster.startBothAndAwaitTarget();
    running = Optional.of(StaticPod.of(cluster.lab().controlPlane(3), cluster.lab().work()));
  }

  @AfterEach
  void endItsKubelet() {
    running.ifPresent(StaticPod::close);
  }

  private StaticPod pod() {
    return running.orElseThrow();
  }

  @Test
  void stopsAnApiserverWatchesAndPutsItBack() {
    Execution drill = drill("", "--yes", "--hold", "1", pod().address());
    System.out.println("real: a drill\n" + drill.out());
    assertEquals(0, drill.exitCode(), drill.out() + drill.err());
    assertTrue(
        drill
            .out()
            .matches(
                "(?s).*OUT of the slice after .*BACK in the slice after .*"
                    + "REQUESTS: \\d+, FAILED: \\d+, .*As expected\\.\n"),
        drill.out());
    assertTrue(pod().stopped(), "it was not stopped at all");
    assertTrue(Files.exists(pod().manifest()));
    cluster.awaitTarget();
    assertCalledOff();
  }

  @Test
  void putsItBackWhenItIsInterrupted() {
    LabProcess drill =
        LabProcess.start(
            "drill",
            command("--yes", "--hold", "120", pod().address()),
            cluster.lab().logs().resolve("drill-interrupted.log"));
    drill.awaitLog("OUT", line -> line.startsWith("OUT of the slice"), SOON);
    assertFalse(Files.exists(pod().manifest()));
    drill.terminate();
    assertEquals(130, drill.awaitExit(SOON), drill::logTail);
    assertTrue(Files.exists(pod().manifest()), drill::logTail);
    cluster.awaitSource();
    cluster.awaitTarget();
    assertCalledOff();
  }

  /** Without a shell on the control plane: a person runs there what is printed. */
  @Test
  void showsWhatToRunByHandAndWaits() {
    LabProcess drill =
        LabProcess.start(
            "drill",
            command("--yes", "--by-hand", "--hold", "1", pod().address()),
            cluster.lab().logs().resolve("drill-by-hand.log"));
    runByHand(drill, 1);
    assertFalse(Files.exists(pod().manifest()));
    runByHand(drill, 2);
    assertEquals(0, drill.awaitExit(SOON.multipliedBy(2)), drill::logTail);
    assertTrue(drill.logText().contains("OUT of the slice after "), drill::logTail);
    assertTrue(drill.logText().endsWith("As expected.\n"), drill::logTail);
    assertTrue(pod().stopped(), "it was not stopped at all");
    assertTrue(Files.exists(pod().manifest()));
    cluster.awaitTarget();
  }

  /** Runs the command below the line of that number, from 1, which asks for it. */
  private void runByHand(LabProcess drill, int number) {
    Pattern asked =
        Pattern.compile("Now run this on " + pod().host() + ", as root:\n\n    (.*)\n\n");
    Supplier<List<String>> commands =
        () -> asked.matcher(drill.logText()).results().map(it -> it.group(1)).toList();
    Deadline.in(SOON).await("what to run", () -> commands.get().size() >= number, drill::logTail);
    assertEquals(number, commands.get().size(), drill::logTail);
    Execution.run(SOON, "sh", "-c", commands.get().get(number - 1)).orThrow();
  }

  /** As where the apiserver is a unit of systemd. */
  @Test
  void stopsAndStartsByTheCommandsThatItIsGiven() {
    Path other = pod().manifest().resolveSibling("taken-out");
    String stop = "mv '" + pod().manifest() + "' '" + other + "'";
    String start = "[ ! -e '" + other + "' ] || mv '" + other + "' '" + pod().manifest() + "'";
    Execution drill =
        drill("", "--yes", "--hold", "1", "--stop", stop, "--start", start, pod().address());
    assertEquals(0, drill.exitCode(), drill.out() + drill.err());
    assertTrue(drill.out().contains("\n    " + stop + "\n"), drill.out());
    assertTrue(drill.out().endsWith("As expected.\n"), drill.out());
    assertTrue(pod().stopped(), "it was not stopped at all");
    assertTrue(Files.exists(pod().manifest()));
    cluster.awaitTarget();
    assertCalledOff();
  }

  /** As when the battery of the one who drills is empty: nothing there puts it back. */
  @Test
  void controlPlaneStartsItsApiserverByItselfAfterTheLimit() {
    LabProcess drill =
        LabProcess.start(
            "drill",
            command("--yes", "--hold", "30", "--limit", "10", pod().address()),
            cluster.lab().logs().resolve("drill-limit.log"));
    drill.awaitLog("OUT", line -> line.startsWith("OUT of the slice"), SOON);
    drill.kill();
    assertFalse(Files.exists(pod().manifest()), drill::logTail);
    Deadline.in(SOON)
        .await("the manifest is back", () -> Files.exists(pod().manifest()), drill::logTail);
    cluster.awaitSource();
    cluster.awaitTarget();
    Deadline.in(SOON).await("the guard has ended", () -> !Files.exists(GUARD));
  }

  @Test
  void refusesWhatWouldHurt() {
    String kubectls = cluster.lab().controlPlane(1).address();
    assertRefused("kubectl itself uses " + kubectls, "--yes", kubectls);
    assertRefused("10.0.0.99 is not among the members", "--yes", "10.0.0.99");
    assertRefused("one control plane at a time", "--yes", pod().address(), kubectls);
    assertRefused("not confirmed", pod().address());
    for (String half : List.of("--stop", "--start")) {
      assertRefused("--stop and --start belong together", "--yes", half, "true", pod().address());
    }
    for (int number : List.of(2, 3)) {
      cluster.lab().controlPlane(number).kill();
    }
    cluster.awaitTarget(Set.of(kubectls));
    assertRefused("1 members are ready", "--yes", kubectls);
    assertFalse(pod().stopped(), "it was stopped");
  }

  private void assertRefused(String reason, String... arguments) {
    Execution drill = drill("\n", arguments);
    assertEquals(2, drill.exitCode(), drill.out() + drill.err());
    assertTrue(drill.err().contains(reason), drill.err());
    assertTrue(Files.exists(pod().manifest()));
  }

  /** What the control plane would do by itself some minutes later is called off. */
  private static void assertCalledOff() {
    assertFalse(Files.exists(GUARD));
  }

  private Execution drill(String input, String... arguments) {
    return Execution.run(command(arguments), input, SOON.multipliedBy(2));
  }

  private ProcessBuilder command(String... arguments) {
    Lab lab = cluster.lab();
    List<String> line =
        new ArrayList<>(
            List.of(lab.projectRoot().resolve("docs/drill.sh").toString(), "--host", pod().host()));
    // A cluster IP leads nowhere here, as on a person's own machine.
    line.addAll(List.of("--from", lab.worker(1).name(), "--remote", "ip netns exec"));
    line.addAll(List.of("--manifest", pod().manifest().toString()));
    line.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().put("KUBECONFIG", lab.kubectl().kubeconfig().toString());
    builder.environment().put("HOME", lab.work().toString());
    builder.environment().merge("PATH", lab.programs().toString(), (path, own) -> own + ":" + path);
    return builder;
  }

  /** An apiserver that runs as long as its manifest is there, as a kubelet sees to it. */
  private static final class StaticPod implements AutoCloseable {
    private final ControlPlaneHost apiserver;
    private final Path manifest;
    private final Thread kubelet = new Thread(this::run, "drill-kubelet");
    private volatile boolean ended;
    private volatile boolean stopped;

    private StaticPod(ControlPlaneHost apiserver, Path manifest) {
      this.apiserver = apiserver;
      this.manifest = manifest;
    }

    static StaticPod of(ControlPlaneHost apiserver, Path folder) throws IOException {
      Path manifest = folder.resolve("manifests/kube-apiserver.yaml");
      Files.createDirectories(manifest.getParent());
      Files.writeString(manifest, "kind: Pod\n");
      StaticPod pod = new StaticPod(apiserver, manifest);
      pod.kubelet.setDaemon(true);
      pod.kubelet.start();
      return pod;
    }

    private void run() {
      boolean wanted = true;
      while (!ended) {
        boolean there = Files.exists(manifest);
        if (wanted && !there) {
          stopped = true;
          apiserver.terminate();
        } else if (!wanted && there) {
          int unusedCode = apiserver.process().awaitExit(SOON);
          apiserver.startAgain();
        }
        wanted = there;
        LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
      }
    }

    String host() {
      return apiserver.name();
    }

    String address() {
      return apiserver.address();
    }

    Path manifest() {
      return manifest;
    }

    boolean stopped() {
      return stopped;
    }

    @Override
    public void close() {
      ended = true;
      Deadline.in(SOON).await("the end of the kubelet", () -> !kubelet.isAlive());
    }
  }
}
