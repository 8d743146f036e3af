package io.apiserverupdater.bootstrap.api;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Looks a name up as the system does, with a deadline. The hosts file answers at once, but a name
 * that is not in it goes to a DNS server that may never answer, and the JDK knows no limit for
 * that.
 */
final class NameLookup {
  private NameLookup() {}

  /**
   * The addresses of a name or of an IP literal, in the system's order; none when there are none or
   * time is up. A look-up that was given up goes on in a daemon thread until the system ends it.
   */
  static List<InetAddress> addresses(String host, Duration deadline) {
    BlockingQueue<List<InetAddress>> answer = new ArrayBlockingQueue<>(1);
    Thread thread = new Thread(() -> answer.add(ask(host)), "name-lookup");
    thread.setDaemon(true);
    thread.start();
    try {
      List<InetAddress> addresses = answer.poll(deadline.toNanos(), TimeUnit.NANOSECONDS);
      return addresses == null ? List.of() : addresses;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    }
  }

  @SuppressWarnings("AddressSelection") // All of them are used.
  private static List<InetAddress> ask(String host) {
    try {
      return List.of(InetAddress.getAllByName(host));
    } catch (UnknownHostException e) {
      return List.of();
    }
  }
}
