package io.apiserverupdater.updater.endpoints;

import java.util.Comparator;
import java.util.Optional;

/**
 * One address that serves.
 *
 * @param address an IP address, spelled as the source spells it
 * @param ready whether traffic may be sent to it; an absent condition counts as ready, as the
 *     EndpointSlice API asks of its readers
 * @param nodeName the node it runs on, where the source says so
 * @param zone the zone it runs in, where the source says so
 */
public record Endpoint(
    String address, boolean ready, Optional<String> nodeName, Optional<String> zone)
    implements Comparable<Endpoint> {

  private static final Comparator<Endpoint> BY_ADDRESS =
      Comparator.comparing(Endpoint::address)
          .thenComparing(Endpoint::ready)
          .thenComparing(endpoint -> endpoint.nodeName().orElse(""))
          .thenComparing(endpoint -> endpoint.zone().orElse(""));

  /** A ready address of which nothing else is known. */
  public static Endpoint ready(String address) {
    return new Endpoint(address, true, Optional.empty(), Optional.empty());
  }

  /** This endpoint with another readiness. */
  public Endpoint withReady(boolean value) {
    return new Endpoint(address, value, nodeName, zone);
  }

  @Override
  public int compareTo(Endpoint other) {
    return BY_ADDRESS.compare(this, other);
  }
}
