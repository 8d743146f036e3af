package io.apiserverupdater.updater.endpoints;

/**
 * A port of an EndpointSlice or of an Endpoints subset.
 *
 * @param name the port's name; empty where the Service's only port has none
 * @param port 1 to 65535
 * @param protocol {@code TCP}, {@code UDP} or {@code SCTP}
 */
public record EndpointPort(String name, int port, String protocol)
    implements Comparable<EndpointPort> {
  public static final String TCP = "TCP";

  @Override
  public int compareTo(EndpointPort other) {
    return toString().compareTo(other.toString());
  }
}
