package io.apiserverupdater.updater.export;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Port;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class ExporterTest {
  private static final List<EndpointSlice> MEMBERS =
      List.of(
          new EndpointSlice(
              "kubernetes",
              "IPv4",
              Map.of(),
              List.of(new Port("https", 6443, Port.TCP)),
              List.of(Endpoint.ready("10.0.0.11")),
              "1"));

  @TempDir Path folder;

  /** Nothing else would notice that the thread has ended. */
  @Test
  void goesOnAfterAnException() throws Exception {
    Path file = folder.resolve("servers");
    Export export =
        new Export(
            new ExportRule(
                "default/kubernetes",
                Optional.empty(),
                Optional.empty(),
                Format.LIST,
                "apiserver",
                Format.HealthCheck.READYZ),
            file,
            Optional.empty(),
            Optional.empty());
    AtomicInteger asked = new AtomicInteger();
    ServerSource source =
        () -> {
          if (asked.getAndIncrement() == 0) {
            throw new IllegalStateException("as a fault of ours would");
          }
          return Optional.of(MEMBERS);
        };
    try (Exporter exporter = new Exporter(export, source)) {
      exporter.start();
      while (!Files.exists(file)) {
        exporter.trigger();
        Thread.onSpinWait();
      }
    }
    assertEquals("10.0.0.11:6443\n", Files.readString(file));
  }
}
