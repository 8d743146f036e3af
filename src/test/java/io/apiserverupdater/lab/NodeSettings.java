package io.apiserverupdater.lab;

import java.time.Duration;
import java.util.Map;

/**
 * What a worker is given beside what Kubernetes and the kernel bring, so that it leaves a dead
 * control plane soon. {@code docs/operate.md} says the same to people.
 *
 * @param proxyEnvironment of kube-proxy
 * @param proxyMinSyncPeriod the least pause between two changes of kube-proxy's rules, as
 *     Kubernetes writes durations
 * @param synSentTimeout how long the kernel keeps an attempt to connect that nobody answered,
 *     together with the endpoint that was chosen for it, in whole seconds; a SYN that is sent again
 *     after that time is balanced again
 * @param closeTimeout how long the kernel keeps a connection that was reset, in whole seconds;
 *     after that time its port is balanced again
 */
public record NodeSettings(
    Map<String, String> proxyEnvironment,
    String proxyMinSyncPeriod,
    Duration synSentTimeout,
    Duration closeTimeout) {
  /** Nothing is changed. */
  public static final NodeSettings UNTOUCHED =
      new NodeSettings(Map.of(), "1s", Duration.ofMinutes(2), Duration.ofSeconds(10));

  /**
   * The values of {@code deploy/kustomize/components/kube-proxy-pings} alone: kube-proxy's HTTP/2
   * client asks after 2 s of silence instead of 30 s, and gives up after 2 s instead of 15 s.
   */
  public static final NodeSettings PINGS =
      new NodeSettings(
          Map.of("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "2", "HTTP2_PING_TIMEOUT_SECONDS", "2"),
          UNTOUCHED.proxyMinSyncPeriod(),
          UNTOUCHED.synSentTimeout(),
          UNTOUCHED.closeTimeout());

  /** All that {@code docs/operate.md} recommends. */
  public static final NodeSettings RECOMMENDED =
      new NodeSettings(
          PINGS.proxyEnvironment(), "100ms", Duration.ofSeconds(1), Duration.ofSeconds(1));

  public NodeSettings {
    proxyEnvironment = Map.copyOf(proxyEnvironment);
  }
}
