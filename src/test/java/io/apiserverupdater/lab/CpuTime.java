package io.apiserverupdater.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** How much a process has computed, as the kernel counts it (proc(5)). */
public final class CpuTime {
  private static final int TICKS_PER_SECOND = 100;

  private CpuTime() {}

  /** The CPU time that a process has used so far, in seconds. */
  public static double seconds(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      // After the name, which may hold spaces: field 3 is the first, utime and stime are 14 and 15.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / (double) TICKS_PER_SECOND;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of that, what its living threads have used whose names begin so. */
  public static double seconds(long pid, String threads) {
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
      long nanos = 0;
      for (Path task : tasks.toList()) {
        if (Files.readString(task.resolve("comm")).startsWith(threads)) {
          String schedstat = Files.readString(task.resolve("schedstat"));
          nanos += Long.parseLong(schedstat.substring(0, schedstat.indexOf(' ')));
        }
      }
      return nanos / 1e9;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
