package io.apiserverupdater.updater.endpoints;

/**
 * A port of a Service, of an EndpointSlice or of an Endpoints subset.
 *
 * @param name the port's name; empty where the Service's only port has none
 * @param port 1 to 65535
 * @param protocol {@code TCP}, {@code UDP} or {@code SCTP}
 */
public record Port(String name, int port, String protocol) implements Comparable<Port> {
  public static final String TCP = "TCP";

  public boolean isTcp() {
    return protocol.equals(TCP);
  }

  /** Whether a server can have this number. */
  public boolean isValid() {
    return port >= 1 && port <= 65_535;
  }

  @Override
  public int compareTo(Port other) {
    return toString().compareTo(other.toString());
  }
}
