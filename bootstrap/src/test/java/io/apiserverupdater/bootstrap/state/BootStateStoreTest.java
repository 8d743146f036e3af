package io.apiserverupdater.bootstrap.state;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.bootstrap.files.LockFile;
import io.apiserverupdater.bootstrap.log.Log;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A hand-over that keeps its state while restore, which has the lock, keeps that it ended it. */
@Timeout(60)
class BootStateStoreTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final BootState PINNED =
      new BootState(BootPhase.PINNED, "10.0.0.1", Evidence.READY, 7, Optional.empty());
  private static final BootState HANDED_OVER =
      new BootState(BootPhase.HANDED_OVER, "10.96.0.1", Evidence.READY, 8, Optional.empty());
  private static final BootState UNPINNED = BootState.unpinned("10.0.0.1", 9);

  @TempDir Path folder;
  private Path file;
  private Path temporary;

  @BeforeEach
  void write() throws IOException {
    file = folder.resolve("state");
    temporary = folder.resolve(".state.apiserver-bootstrap-1");
    Files.write(file, PINNED.toBytes());
    Files.writeString(temporary, "of who has the lock");
  }

  private BootStateStore store(Duration deadline) {
    return new BootStateStore(
        folder,
        new Log(new PrintStream(OutputStream.nullOutputStream(), true, UTF_8), false),
        deadline);
  }

  /** Lets it come as far as it comes while another has the lock, in which that one ends it. */
  private Thread keepsWhileItIsEnded(BootStateStore store) throws IOException {
    Thread handover = new Thread(() -> store.keepUnlessUnpinned(HANDED_OVER), "handover");
    handover.start();
    while (handover.getState() != Thread.State.TIMED_WAITING
        && handover.getState() != Thread.State.TERMINATED) {
      Thread.onSpinWait();
    }
    assertArrayEquals(PINNED.toBytes(), Files.readAllBytes(file));
    assertTrue(Files.exists(temporary), temporary::toString);
    Files.write(file, UNPINNED.toBytes());
    return handover;
  }

  @Test
  void handOverWritesNothingOverAnEndThatCameBeforeIt() throws Exception {
    BootStateStore store = store(LONG);
    Thread handover;
    try (LockFile lock = LockFile.acquire(folder.resolve("lock"), LONG)) {
      assertEquals(Optional.of(PINNED), store.read(), lock::toString);
      handover = keepsWhileItIsEnded(store);
    }
    handover.join();
    assertEquals(Optional.of(UNPINNED), store.read());
    assertEquals(Optional.of(UNPINNED), store(LONG).read());
  }

  @Test
  void whatCouldNotBeKeptDoesNotHideTheEnd() throws Exception {
    BootStateStore store = store(Duration.ofMillis(300));
    try (LockFile lock = LockFile.acquire(folder.resolve("lock"), LONG)) {
      keepsWhileItIsEnded(store).join();
      assertTrue(store.isUnpinned(), lock::toString);
      store.keepUnlessUnpinned(HANDED_OVER);
      assertTrue(store.isUnpinned(), lock::toString);
    }
  }

  @Test
  void pinBeginsAnewAndWhatFollowsIsKept() throws Exception {
    Files.write(file, UNPINNED.toBytes());
    BootStateStore store = store(LONG);
    store.keepUnlessUnpinned(HANDED_OVER);
    assertEquals(Optional.of(UNPINNED), store.read());
    store.keep(PINNED);
    store.keepUnlessUnpinned(HANDED_OVER);
    assertEquals(Optional.of(HANDED_OVER), store(LONG).read());
  }
}
