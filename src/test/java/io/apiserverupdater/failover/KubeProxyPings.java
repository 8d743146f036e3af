package io.apiserverupdater.failover;

import java.util.Map;

/**
 * What makes kube-proxy leave a connection fast on which nothing comes back. The defaults of its
 * HTTP/2 client are 30 s until it asks and 15 s until it gives up; these are the values of {@code
 * deploy/kustomize/components/kube-proxy-pings}.
 */
public final class KubeProxyPings {
  private KubeProxyPings() {}

  public static Map<String, String> environment() {
    return Map.of("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "2", "HTTP2_PING_TIMEOUT_SECONDS", "2");
  }
}
