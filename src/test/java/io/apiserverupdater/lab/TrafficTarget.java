package io.apiserverupdater.lab;

import java.time.Duration;

/**
 * Whom to ask, what and how often.
 *
 * @param address an IP, usually a cluster IP
 * @param tlsName the name that the certificate must hold; also sent as SNI
 * @param path asked for without credentials, so one that anonymous may read
 * @param interval from the start of one request to the start of the next
 * @param deadline for each request, from the first packet to the last byte of the answer
 */
public record TrafficTarget(
    String address, int port, String tlsName, String path, Duration interval, Duration deadline) {

  /** GET /readyz every 25 ms, each within 1 s. */
  public static TrafficTarget of(String address, int port, String tlsName) {
    return new TrafficTarget(
        address, port, tlsName, "/readyz", Duration.ofMillis(25), Duration.ofSeconds(1));
  }

  public TrafficTarget path(String otherPath) {
    return new TrafficTarget(address, port, tlsName, otherPath, interval, deadline);
  }

  public TrafficTarget every(Duration otherInterval) {
    return new TrafficTarget(address, port, tlsName, path, otherInterval, deadline);
  }

  public TrafficTarget within(Duration otherDeadline) {
    return new TrafficTarget(address, port, tlsName, path, interval, otherDeadline);
  }
}
