package io.apiserverupdater.bootstrap.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LockFileTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir Path folder;

  @Test
  void canBeTakenAgainOnceItIsFree() throws Exception {
    Path file = folder.resolve("lock");
    LockFile.acquire(file, LONG).close();
    LockFile.acquire(file, Duration.ZERO).close();
  }

  @Test
  void letsOneThreadInAtATime() throws Exception {
    Path file = folder.resolve("lock");
    List<Integer> order = new ArrayList<>();
    List<FutureTask<Boolean>> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      threads.add(
          new FutureTask<>(
              () -> {
                LockFile lock = LockFile.acquire(file, LONG);
                int seen = order.size();
                order.add(seen);
                lock.close();
                return true;
              }));
    }
    for (FutureTask<Boolean> thread : threads) {
      new Thread(thread, "taker").start();
    }
    for (FutureTask<Boolean> thread : threads) {
      assertTrue(thread.get(30, TimeUnit.SECONDS));
    }
    assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7), order);
  }

  @Test
  void anotherProcessHasItUntilThatDies() throws Exception {
    Path file = folder.resolve("lock");
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                LockHolder.class.getName(),
                file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader output = holder.inputReader()) {
      assertEquals("held", output.readLine());
      LockTimeoutException late =
          assertThrows(
              LockTimeoutException.class,
              () -> LockFile.acquire(file, Duration.ofMillis(30)).close());
      assertTrue(String.valueOf(late.getMessage()).contains(file.toString()), late::toString);
      FutureTask<Boolean> waiting =
          new FutureTask<>(
              () -> {
                LockFile.acquire(file, LONG).close();
                return true;
              });
      new Thread(waiting, "waiter").start();
      assertThrows(TimeoutException.class, () -> waiting.get(100, TimeUnit.MILLISECONDS));
      holder.destroyForcibly();
      assertTrue(waiting.get(30, TimeUnit.SECONDS));
    } finally {
      holder.destroyForcibly().waitFor();
    }
  }

  /** Whoever can open it can lock it, and so hold up a program of root. */
  @Test
  void onlyItsOwnerMayOpenIt() throws Exception {
    Path file = folder.resolve("lock");
    LockFile.acquire(file, LONG).close();
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)), "made");
    for (String before : List.of("rw-r--r--", "rw-rw-rw-", "rw-----w-")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(before));
      LockFile.acquire(file, LONG).close();
      assertEquals(
          "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)), before);
    }
  }

  @Test
  void failsAtOnceWhereNoFileCanBeMade() {
    Path nowhere = folder.resolve("missing").resolve("lock");
    assertThrows(IOException.class, () -> LockFile.acquire(nowhere, LONG).close());
  }
}
