package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * In which order a node asks the control planes. When a data centre's power is back, thousands of
 * nodes ask at the same moment, and each is to find its first candidate ready: so each node has an
 * order of its own, and keeps it over reboots.
 *
 * <p>By rendezvous hashing: every candidate gets a number from its address and the node's identity,
 * and the largest is first. A candidate that comes or goes moves only the nodes whose first it is.
 * The last one that was good is not preferred: after one control plane's reboot its nodes would
 * stay with the others forever.
 */
public final class CandidateOrder {
  private CandidateOrder() {}

  /**
   * The candidates in this node's order: group after group, and within each by the node's weights.
   *
   * @param groups the likeliest first; no candidate is in two of them
   * @param node see {@link #of}
   */
  public static List<ApiserverAddress> ofGroups(List<List<ApiserverAddress>> groups, String node) {
    List<ApiserverAddress> ordered = new ArrayList<>();
    for (List<ApiserverAddress> group : groups) {
      ordered.addAll(of(group, node));
    }
    return ordered;
  }

  /**
   * The candidates in this node's order.
   *
   * @param node what tells this node from others and stays the same, see {@link Node#identity}
   */
  public static List<ApiserverAddress> of(List<ApiserverAddress> candidates, String node) {
    List<ApiserverAddress> ordered = new ArrayList<>(candidates);
    ordered.sort(
        (a, b) -> {
          int byWeight = Long.compareUnsigned(weight(b, node), weight(a, node));
          return byWeight != 0 ? byWeight : a.compareTo(b);
        });
    return ordered;
  }

  private static long weight(ApiserverAddress candidate, String node) {
    // FNV-1a, then the finalizer of MurmurHash3: without it, addresses that differ in their last
    // digit would keep one order on nearly all nodes.
    long hash = 0xcbf29ce484222325L;
    String text = node + '/' + candidate;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
    hash = (hash ^ (hash >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return hash ^ (hash >>> 33);
  }
}
