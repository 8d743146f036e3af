package io.apiserverupdater.bootstrap.files;

import java.nio.file.Path;
import java.time.Duration;

/** A process that takes a lock, says so, and holds it until it is killed or its input ends. */
final class LockHolder {
  private LockHolder() {}

  public static void main(String[] arguments) throws Exception {
    LockFile lock = LockFile.acquire(Path.of(arguments[0]), Duration.ofSeconds(30));
    System.out.println("held");
    while (System.in.read() >= 0) {
      // Held until the parent is gone.
    }
    lock.close();
  }
}
