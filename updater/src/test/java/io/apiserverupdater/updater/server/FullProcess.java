package io.apiserverupdater.updater.server;

import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process with a status server that runs out of file descriptors. It prints one line for each
 * step, and takes the next one when it reads a line: its port; {@code full}; how often the server
 * looked at its clock within half a second; {@code free}, with one closed again.
 */
final class FullProcess {
  private FullProcess() {}

  /** Ends with its input. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    AtomicLong looks = new AtomicLong();
    StatusServer server =
        StatusServer.bind(
            new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0),
            List.of(),
            accept -> new MetricsPage.Text("", ""),
            List.of(),
            () -> {
              looks.incrementAndGet();
              return System.nanoTime();
            });
    server.start();
    step(String.valueOf(server.address().getPort()));
    List<Closeable> held = holdAll();
    step("full");
    long before = looks.get();
    boolean unusedDone = new CountDownLatch(1).await(500, TimeUnit.MILLISECONDS);
    step(String.valueOf(looks.get() - before));
    held.get(0).close();
    step("free");
    server.close();
  }

  private static void step(String line) throws IOException {
    System.out.println(line);
    int next;
    do {
      next = System.in.read();
    } while (next >= 0 && next != '\n');
  }

  /** Opens files until the kernel refuses. */
  private static List<Closeable> holdAll() {
    List<Closeable> held = new ArrayList<>();
    try {
      while (true) {
        held.add(new FileInputStream("/dev/null"));
      }
    } catch (IOException e) {
      return held;
    }
  }
}
