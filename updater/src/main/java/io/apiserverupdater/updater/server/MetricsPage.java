package io.apiserverupdater.updater.server;

/** What {@code /metrics} shows. Asked by one thread, which serves all clients: it must be brief. */
@FunctionalInterface
public interface MetricsPage {

  /**
   * The metrics of this moment.
   *
   * @param accept the formats that the client reads, as in the header Accept; empty for any
   */
  Text of(String accept);

  /** In one of these formats. */
  record Text(String contentType, String text) {}
}
