package io.apiserverupdater.bootstrap.nft;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the rule says: new TCP connections of this node to the service go to one of the candidates,
 * each as likely as the next.
 *
 * @param service the clusterIP and the port of the Service
 * @param candidates of the service's address family, without repetition, 1 to {@value
 *     #MAX_CANDIDATES}
 */
public record BootRule(ApiserverAddress service, List<ApiserverAddress> candidates) {
  /** A ruleset of this many is still shorter than the smallest pipe. */
  public static final int MAX_CANDIDATES = 16;

  static final String TABLE = "apiserver_bootstrap";
  static final String COUNTER = "connections";
  static final String CANDIDATE = "candidate_";

  // kube-proxy decides at -100 in both of its modes (nft's "dstnat"), and the first decision about
  // a connection stands. So this one is asked only when kube-proxy has none.
  private static final int AFTER_KUBE_PROXY_DNAT = -99;
  private static final int AFTER_KUBE_PROXY_SNAT = 101;

  public BootRule {
    candidates = List.copyOf(candidates);
    if (candidates.isEmpty() || candidates.size() > MAX_CANDIDATES) {
      throw new IllegalArgumentException("1 to " + MAX_CANDIDATES + " candidates: " + candidates);
    }
    for (ApiserverAddress candidate : candidates) {
      if (!sameFamily(service, candidate)) {
        throw new IllegalArgumentException(candidate + " is not of the family of " + service);
      }
    }
  }

  /**
   * The rule for those candidates that a connection to the service can be turned to: an IPv4
   * clusterIP leads to IPv4 addresses only. Repeated ones count once, and those after the first
   * {@value #MAX_CANDIDATES} not at all.
   *
   * @return empty when no candidate is of the service's family
   */
  public static Optional<BootRule> of(
      ApiserverAddress service, Iterable<ApiserverAddress> candidates) {
    List<ApiserverAddress> usable = new ArrayList<>();
    for (ApiserverAddress candidate : candidates) {
      if (sameFamily(service, candidate)
          && !usable.contains(candidate)
          && usable.size() < MAX_CANDIDATES) {
        usable.add(candidate);
      }
    }
    return usable.isEmpty() ? Optional.empty() : Optional.of(new BootRule(service, usable));
  }

  private static boolean sameFamily(ApiserverAddress a, ApiserverAddress b) {
    return a.ip().getAddress().length == b.ip().getAddress().length;
  }

  /** {@code ip} or {@code ip6}, as nft calls the families. */
  static String family(ApiserverAddress service) {
    return service.ip().getAddress().length == 4 ? "ip" : "ip6";
  }

  /**
   * The table with this rule as input of {@code nft -f -}: one transaction that replaces the table
   * if it is there. At most 4096 bytes.
   */
  String ruleset() {
    String family = family(service);
    String table = family + " " + TABLE;
    String clusterIp = family + " daddr " + service.ip().getHostAddress();
    StringBuilder text = new StringBuilder(2048);
    // "delete" fails on a table that is not there; "add" does not on one that is.
    text.append("add table ").append(table).append('\n');
    text.append("delete table ").append(table).append('\n');
    text.append("table ").append(table).append(" {\n");
    text.append("counter ").append(COUNTER).append(" { }\n");
    for (int i = 0; i < candidates.size(); i++) {
      text.append("chain ").append(CANDIDATE).append(i);
      text.append(" { meta l4proto tcp dnat to ").append(candidates.get(i)).append("; }\n");
    }
    text.append("chain output {\n");
    text.append("type nat hook output priority ").append(AFTER_KUBE_PROXY_DNAT).append(";\n");
    text.append(clusterIp).append(" tcp dport ").append(service.port());
    text.append(" counter name ").append(COUNTER);
    text.append(" numgen random mod ").append(candidates.size()).append(" vmap {");
    for (int i = 0; i < candidates.size(); i++) {
      text.append(i == 0 ? " " : ", ").append(i).append(" : goto ").append(CANDIDATE).append(i);
    }
    text.append(" }\n}\n");
    // The source address was chosen for the way to the clusterIP. On a node with several networks
    // the way to the candidate may be another one; kube-proxy masquerades for the same reason.
    text.append("chain postrouting {\n");
    text.append("type nat hook postrouting priority ").append(AFTER_KUBE_PROXY_SNAT).append(";\n");
    text.append("fib saddr type local meta l4proto tcp ct original ").append(clusterIp);
    text.append(" masquerade\n}\n}\n");
    return text.toString();
  }
}
