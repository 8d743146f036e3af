package io.apiserverupdater.updater.metrics;

import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The process and its Java runtime, under the names that Prometheus' client libraries use. From
 * Linux and java.base alone: the image has no java.management, which the library's own module for
 * this needs.
 */
final class ProcessMetrics {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path OPEN_FILES = Path.of("/proc/self/fd");
  private static final String RESIDENT = "VmRSS:";

  private ProcessMetrics() {}

  static void register(PrometheusRegistry registry) {
    ProcessHandle process = ProcessHandle.current();
    CounterWithCallback.builder()
        .name("process_cpu_seconds_total")
        .help("Total user and system CPU time spent in seconds.")
        .callback(
            sample ->
                process.info().totalCpuDuration().ifPresent(time -> sample.call(seconds(time))))
        .register(registry);
    GaugeWithCallback.builder()
        .name("process_start_time_seconds")
        .help("Start time of the process since unix epoch in seconds.")
        .callback(
            sample ->
                process
                    .info()
                    .startInstant()
                    .ifPresent(start -> sample.call(start.toEpochMilli() / 1000.0)))
        .register(registry);
    GaugeWithCallback.builder()
        .name("process_resident_memory_bytes")
        .help("Resident memory size in bytes.")
        .callback(ProcessMetrics::residentMemory)
        .register(registry);
    GaugeWithCallback.builder()
        .name("process_open_fds")
        .help("Number of open file descriptors.")
        .callback(ProcessMetrics::openFiles)
        .register(registry);
    Runtime java = Runtime.getRuntime();
    GaugeWithCallback.builder()
        .name("jvm_memory_used_bytes")
        .help("Used bytes of a given JVM memory area.")
        .labelNames("area")
        .callback(sample -> sample.call((double) java.totalMemory() - java.freeMemory(), "heap"))
        .register(registry);
    GaugeWithCallback.builder()
        .name("jvm_memory_max_bytes")
        .help("Max (bytes) of a given JVM memory area.")
        .labelNames("area")
        .callback(sample -> sample.call((double) java.maxMemory(), "heap"))
        .register(registry);
  }

  static double seconds(Duration time) {
    return (double) time.toNanos() / TimeUnit.SECONDS.toNanos(1);
  }

  /** In KiB in that file: proc_pid_status(5). What cannot be read is left out. */
  private static void residentMemory(GaugeWithCallback.Callback sample) {
    try (Stream<String> lines = Files.lines(STATUS)) {
      lines
          .filter(line -> line.startsWith(RESIDENT))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .forEach(kib -> sample.call(kib * 1024.0));
    } catch (IOException e) {
      // It stays away from this scrape.
    }
  }

  private static void openFiles(GaugeWithCallback.Callback sample) {
    try (Stream<Path> files = Files.list(OPEN_FILES)) {
      sample.call((double) files.count());
    } catch (IOException e) {
      // It stays away from this scrape.
    }
  }
}
