package io.apiserverupdater.tour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Deadline;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("component")
@Timeout(180)
class TourTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root", ""));
  private static final int SIGTERM = 143;

  private final Backstage backstage = new Backstage();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
  private final Timeline timeline = new Timeline(stream(out), false, System::nanoTime);

  // Another test class may have left a process that lasts as long as this one.
  private final Set<ProcessHandle> before =
      ProcessHandle.current().descendants().collect(Collectors.toSet());

  @TempDir Path parent;

  @AfterEach
  void close() {
    backstage.close();
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private Optional<Tour> play(Main.StageMaker maker) throws InterruptedException {
    return Main.play(backstage, ROOT, parent, maker, false, timeline, stream(errors));
  }

  @Test
  void tellsWhatHappensInTheOrderInWhichItHappens() throws Exception {
    assertTrue(play(folder -> new SandboxStage(ROOT, folder)).isPresent(), this::told);
    String[] inOrder = {
      "cp3 127.* ready",
      "default/kubernetes lists 127.*",
      "created the Service kube-system/apiserver: no selector, cluster IP 10.* port https 6443.*",
      "exits with code 1",
      "leads: it holds the Lease .*",
      "kube-system/apiserver lists 127.*",
      "stands by.*",
      "is stopped gracefully",
      "kube-system/apiserver lists the same",
      "is restarted and ready",
      "kube-system/apiserver lists the same",
      "exits with code 0",
      "is killed.*",
      "removes .* from the slice by hand",
      "leads: the Lease, valid for .*",
      "repaired: lists .*",
      "is restarted and stands by",
      "gets SIGTERM and exits with code 0",
      "leads .*",
      "points the name at a control plane: 127.* apiserver.cluster.local",
      "points the name at the cluster IP: 127.* apiserver.cluster.local",
      "exits with code 0; no process stays on the node"
    };
    int found = 0;
    for (Timeline.Entry entry : timeline.entries()) {
      if (found < inOrder.length && entry.what().matches("(.*, )?" + inOrder[found])) {
        found++;
      }
    }
    assertEquals(inOrder.length, found, () -> told());
    assertEquals(
        3, timeline.entries().stream().filter(it -> it.what().startsWith("leads")).count());
    // Between the acts the leader may change as well: a busy machine may not let it renew in time.
    for (String end : List.of("is killed", "gets SIGTERM")) {
      assertNotEquals(actor(0, end), actor(indexOf(0, end), "leads"), end);
    }
    assertEquals(
        List.of(
            "first mirrored",
            "mirrored, control plane left",
            "mirrored, control plane returned",
            "takeover after a kill",
            "repair by the new leader",
            "leader stopped by SIGTERM",
            "leader change",
            "node pinned",
            "node handed over"),
        timeline.figures().stream().map(Timeline.Figure::name).toList());
    assertTrue(timeline.figures().stream().noneMatch(f -> f.value().isNegative()), this::told);
    backstage.close();
    assertNothingIsLeft();
  }

  private int indexOf(int from, String beginning) {
    List<Timeline.Entry> entries = timeline.entries();
    return IntStream.range(from, entries.size())
        .filter(i -> entries.get(i).what().startsWith(beginning))
        .findFirst()
        .orElseThrow();
  }

  /** Who does what begins so, from an entry on. */
  private String actor(int from, String beginning) {
    return timeline.entries().get(indexOf(from, beginning)).actor();
  }

  @Test
  void aStepThatFailsIsToldWithTheLogsAndLeavesNothing() throws Exception {
    Optional<Tour> tour =
        play(
            folder ->
                new SandboxStage(ROOT, folder) {
                  @Override
                  public void stop(Member member) {
                    throw new TourException(member.name() + " does not stop");
                  }
                });
    assertTrue(tour.isEmpty());
    String text = errors.toString(StandardCharsets.UTF_8);
    assertTrue(text.startsWith("try: the tour failed: cp3 does not stop"), text);
    assertTrue(text.contains("the log of updater-2 ends:"), text);
    assertTrue(text.contains("started=true"), text);
    backstage.close();
    assertNothingIsLeft();
  }

  @Test
  void aSignalLeavesNothing() throws Exception {
    Process tour =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dproject.root=" + ROOT,
                "-Djava.io.tmpdir=" + parent,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName())
            .redirectErrorStream(true)
            .start();
    List<ProcessHandle> updaters = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(tour.getInputStream(), StandardCharsets.UTF_8))) {
      List<String> told = new ArrayList<>();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        told.add(line);
        if (line.contains("leads: it holds")) {
          updaters.addAll(tour.descendants().toList());
          // By its handle: Process.destroy would close the stream that is read here.
          assertTrue(tour.toHandle().destroy());
        }
      }
      assertTrue(tour.waitFor(30, TimeUnit.SECONDS));
      assertEquals(SIGTERM, tour.exitValue(), () -> String.join("\n", told));
      assertEquals(2, updaters.size(), () -> String.join("\n", told));
      assertTrue(told.stream().noneMatch(line -> line.contains("failed")), told::toString);
    } finally {
      tour.destroyForcibly();
      updaters.stream().filter(ProcessHandle::isAlive).forEach(ProcessHandle::destroyForcibly);
    }
    assertTrue(updaters.stream().noneMatch(ProcessHandle::isAlive));
    assertNothingIsLeft();
  }

  @Test
  void nothingStartsAfterTheEnd() {
    List<String> ended = new ArrayList<>();
    AutoCloseable unusedFirst = backstage.own(() -> () -> ended.add("first"));
    AutoCloseable unusedSecond = backstage.own(() -> () -> ended.add("second"));
    backstage.close();
    assertThrows(TourException.class, () -> backstage.own(() -> () -> ended.add("late")));
    assertEquals(List.of("second", "first"), ended);
  }

  private void assertNothingIsLeft() throws Exception {
    try (Stream<Path> left = Files.list(parent)) {
      assertEquals(List.of(), left.filter(TourTest::isOurs).toList());
    }
    assertEquals(
        List.of(),
        ProcessHandle.current()
            .descendants()
            .filter(handle -> !before.contains(handle))
            .map(handle -> handle.info().toString())
            .toList());
    Deadline.in(Duration.ofSeconds(10))
        .await(
            "the end of the threads",
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(t -> t.getName().matches("(tour|sandbox)-.*")));
  }

  // A JVM keeps files of its own in the folder for temporary files.
  private static boolean isOurs(Path path) {
    return path.getFileName().toString().startsWith("apiserver-updater-");
  }

  private String told() {
    return out.toString(StandardCharsets.UTF_8) + errors.toString(StandardCharsets.UTF_8);
  }
}
