package io.apiserverupdater.updater.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Port;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class ExporterTest {
  private static final List<EndpointSlice> MEMBERS = member(11);

  @TempDir Path folder;

  private static List<EndpointSlice> member(int number) {
    return List.of(
        new EndpointSlice(
            "kubernetes",
            "IPv4",
            Map.of(),
            List.of(new Port("https", 6443, Port.TCP)),
            List.of(Endpoint.ready("10.0.0." + number)),
            "1"));
  }

  private Path file() {
    return folder.resolve("servers");
  }

  private Export export(Optional<HostCommand> check, Optional<HostCommand> onChange) {
    return new Export(
        new ExportRule(
            "default/kubernetes",
            Optional.empty(),
            Optional.empty(),
            Format.LIST,
            "apiserver",
            Format.HealthCheck.READYZ),
        file(),
        check,
        onChange);
  }

  /** Nothing else would notice that the thread has ended. */
  @Test
  void goesOnAfterAnException() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    ServerSource source =
        () -> {
          if (asked.getAndIncrement() == 0) {
            throw new IllegalStateException("as a fault of ours would");
          }
          return Optional.of(MEMBERS);
        };
    try (Exporter exporter = new Exporter(export(Optional.empty(), Optional.empty()), source)) {
      exporter.start();
      exporter.trigger();
      while (!Files.exists(file())) {
        Thread.onSpinWait();
      }
    }
    assertEquals("10.0.0.11:6443\n", Files.readString(file()));
  }

  /** Each node says something every few seconds, and each trial may be a reload. */
  @Test
  void changesDoNotShortenThePauseAfterAFailure() throws Exception {
    Path runs = folder.resolve("runs");
    HostCommand failing = new HostCommand(List.of("sh", "-c", "echo >>" + runs + "; exit 1"));
    try (Exporter exporter =
        new Exporter(export(Optional.of(failing), Optional.empty()), () -> Optional.of(MEMBERS))) {
      exporter.start();
      exporter.trigger();
      while (!Files.exists(runs)) {
        Thread.onSpinWait();
      }
      // The first pause is a second at least.
      long end = System.nanoTime() + Duration.ofMillis(500).toNanos();
      while (System.nanoTime() < end) {
        exporter.trigger();
        Thread.onSpinWait();
      }
      assertEquals(1, Files.readAllLines(runs).size());
      // And then it is tried again, whatever happens.
      while (Files.readAllLines(runs).size() == 1) {
        Thread.onSpinWait();
      }
    }
  }

  /** As when several control planes are replaced at once: HAProxy forks at each reload. */
  @Test
  void burstOfChangesIsFewReloads() throws Exception {
    Path told = folder.resolve("told");
    HostCommand count = new HostCommand(List.of("sh", "-c", "echo >>" + told));
    AtomicInteger last = new AtomicInteger(10);
    long begun = System.nanoTime();
    try (Exporter exporter =
        new Exporter(
            export(Optional.empty(), Optional.of(count)), () -> Optional.of(member(last.get())))) {
      exporter.start();
      for (int i = 1; i <= 20; i++) {
        last.set(10 + i);
        exporter.trigger();
        // Far longer than to write the file takes.
        boolean unusedDone = new CountDownLatch(1).await(25, TimeUnit.MILLISECONDS);
      }
      while (!Files.exists(file()) || !Files.readString(file()).equals("10.0.0.30:6443\n")) {
        Thread.onSpinWait();
      }
    }
    long reloads = Files.readAllLines(told).size();
    // Usually two: the first change, and a second later all the others.
    long allowed = 1 + Duration.ofNanos(System.nanoTime() - begun).toSeconds();
    assertTrue(reloads <= allowed, () -> reloads + " reloads, expected at most " + allowed);
  }
}
