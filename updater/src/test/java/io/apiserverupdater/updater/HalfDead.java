package io.apiserverupdater.updater;

import java.util.concurrent.CountDownLatch;

/** A process with one thread that ends on an error, and one that would go on without end. */
final class HalfDead {
  private HalfDead() {}

  /** Ends by what is tested only. */
  public static void main(String[] arguments) throws InterruptedException {
    ShutdownSequence.endWithError();
    new Thread(
            () -> {
              throw new StackOverflowError();
            },
            "dying")
        .start();
    new CountDownLatch(1).await();
  }
}
