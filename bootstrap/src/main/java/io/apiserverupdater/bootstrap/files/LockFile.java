package io.apiserverupdater.bootstrap.files;

import io.apiserverupdater.apiserver.time.Deadline;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One process at a time. The kernel holds the lock and gives it up when the process ends, however
 * it ends; the file stays, for deleting it would let two processes lock two files of one name.
 */
public final class LockFile implements AutoCloseable {
  /** A change takes milliseconds; another program that takes longer is stuck. */
  public static final Duration DEADLINE = Duration.ofSeconds(10);

  /** The kernel's lock is the process's: among its threads, this one decides. */
  private static final ReentrantLock THREADS = new ReentrantLock();

  /** Whoever can open the file, be it to read, can lock it and so hold up its owner (fcntl(2)). */
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private final FileChannel channel;

  private LockFile(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Waits for the lock. The file is made when it is missing, its folder is not. Only its owner may
   * open it; a file that others may open is corrected.
   *
   * @param deadline how long to wait for another process that has it
   * @throws LockTimeoutException when the other still has it then
   * @throws IOException when the file cannot be made or locked
   */
  public static LockFile acquire(Path file, Duration deadline) throws IOException {
    Deadline end = Deadline.after(deadline);
    if (!lockThreads(deadline)) {
      throw new LockTimeoutException(file, deadline);
    }
    FileChannel channel = null;
    boolean locked = false;
    try {
      channel =
          FileChannel.open(
              file,
              Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(OWNER_ONLY));
      closeToOthers(file);
      locked = channel.tryLock() != null || lock(channel, end.nanos());
      if (!locked) {
        throw new LockTimeoutException(file, deadline);
      }
      return new LockFile(channel);
    } finally {
      if (!locked) {
        THREADS.unlock();
        if (channel != null) {
          channel.close();
        }
      }
    }
  }

  /** An earlier version left it open to all. Some file systems know no modes. */
  private static void closeToOthers(Path file) {
    try {
      if (!Files.getPosixFilePermissions(file).equals(OWNER_ONLY)) {
        Files.setPosixFilePermissions(file, OWNER_ONLY);
      }
    } catch (IOException | UnsupportedOperationException e) {
      // The lock works all the same.
    }
  }

  private static boolean lockThreads(Duration deadline) throws IOException {
    try {
      return THREADS.tryLock(deadline.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** The JDK has no lock with a deadline: closing the channel is what ends the wait. */
  private static boolean lock(FileChannel channel, long nanos) throws IOException {
    FutureTask<FileLock> waiting = new FutureTask<>(channel::lock);
    Thread thread = new Thread(waiting, "lock-file");
    thread.setDaemon(true);
    thread.start();
    try {
      waiting.get(Math.max(nanos, 0), TimeUnit.NANOSECONDS);
      return true;
    } catch (TimeoutException e) {
      channel.close();
      return false;
    } catch (InterruptedException e) {
      channel.close();
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw new IOException("cannot lock: " + e.getMessage(), e);
    }
  }

  private static IOException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return new IOException("interrupted while waiting for a lock", cause);
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      THREADS.unlock();
    }
  }
}
