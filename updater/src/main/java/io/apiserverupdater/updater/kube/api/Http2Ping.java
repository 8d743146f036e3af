package io.apiserverupdater.updater.kube.api;

import java.time.Duration;

/**
 * The sign of life of a watch, which is silent for minutes. A ping that is not answered before the
 * next one is due ends its connection, so a server that has vanished or hangs is found after one to
 * two intervals. A watch leaves an apiserver sooner when the probes find it unready.
 */
final class Http2Ping {
  static final Duration INTERVAL = Duration.ofSeconds(2);

  private Http2Ping() {}
}
