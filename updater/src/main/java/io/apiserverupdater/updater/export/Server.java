package io.apiserverupdater.updater.export;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.address.DnsName;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One server of a load balancer.
 *
 * @param name unique, and the same as long as the server is there
 * @param address an IP address
 */
public record Server(String name, String address, int port) {

  /**
   * Those of a snapshot: IPv4 first, sorted by address. A server has its node's name, if no other
   * server of that node is there; else its address.
   *
   * @param family the only one that is wanted; all when empty
   */
  static List<Server> of(EndpointsSnapshot snapshot, Optional<AddressFamily> family) {
    Map<String, Integer> perNode = new HashMap<>();
    snapshot
        .members()
        .forEach(
            (of, members) ->
                members
                    .endpoints()
                    .forEach(
                        it -> it.nodeName().ifPresent(n -> perNode.merge(n, 1, Integer::sum))));
    List<Server> servers = new ArrayList<>();
    snapshot
        .members()
        .forEach(
            (of, members) -> {
              if (family.isEmpty() || family.get() == of) {
                for (Endpoint it : members.endpoints()) {
                  String name =
                      it.nodeName()
                          // It is written into a file as it is.
                          .filter(
                              n -> DnsName.isLowerCaseName(n) && perNode.getOrDefault(n, 0) == 1)
                          .orElse(it.address());
                  servers.add(new Server(name, it.address(), members.port()));
                }
              }
            });
    return servers;
  }

  /** {@code 10.0.0.11:6443} or {@code [fd00::11]:6443}. */
  @Override
  public String toString() {
    return ApiserverAddress.text(address, port);
  }
}
