package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which apiserver to ask first. The live control planes come before the configured address, because
 * that address may depend on what we maintain; one that has answered comes before the others, one
 * that asked to be spared (429) comes after them, then one that has just failed, and one that our
 * probes call unready comes last. Thread-safe.
 */
final class ServerOrder {
  /** A server that failed is asked after all others for this long. */
  private static final Duration DEMOTION = Duration.ofSeconds(10);

  private final ServerAddress configured;

  // All guarded by this.
  private List<ServerAddress> members = List.of();
  private Set<ServerAddress> unready = Set.of();
  private final Map<ServerAddress, Long> failedAt = new HashMap<>();
  private final Map<ServerAddress, Long> busyUntil = new HashMap<>();
  private Optional<ServerAddress> lastGood = Optional.empty();

  ServerOrder(ServerAddress configured) {
    this.configured = configured;
  }

  /** The control planes of the moment, in the order in which this process likes to ask them. */
  synchronized void setMembers(List<ServerAddress> now) {
    members = List.copyOf(now);
    Set<ServerAddress> known = all();
    failedAt.keySet().retainAll(known);
    busyUntil.keySet().retainAll(known);
    lastGood = lastGood.filter(known::contains);
  }

  /** Those of the members that our probes call unready at this moment. */
  synchronized void setUnready(Set<ServerAddress> now) {
    unready = Set.copyOf(now);
  }

  /**
   * Whether our probes call it unready, and there is a better one. The configured address never is.
   */
  synchronized boolean isUnready(ServerAddress server) {
    return avoidable().contains(server);
  }

  /** Every server, the one to ask first in front. */
  synchronized List<ServerAddress> candidates(long now) {
    List<ServerAddress> candidates = new ArrayList<>(all());
    candidates.sort(
        Comparator.<ServerAddress, Boolean>comparing(unready::contains)
            .thenComparingLong(server -> demotedSince(server, now))
            .thenComparing(server -> isBusy(server, now))
            .thenComparing(server -> !lastGood.equals(Optional.of(server))));
    return candidates;
  }

  /**
   * Notes an answer. One to a call that was sent before the latest failure says nothing: a dying
   * apiserver breaks its connections one after the other, and still answers on the last of them.
   *
   * @param sentAt when the call was sent, in nanoseconds of the clock of {@link #failed}
   * @return whether the server had failed before
   */
  synchronized boolean succeeded(ServerAddress server, long sentAt) {
    Long failed = failedAt.get(server);
    if (failed != null && sentAt - failed <= 0) {
      return false;
    }
    boolean back = failedAt.remove(server) != null;
    if (all().contains(server)) {
      // The configured address is used as long as no control plane is known by its own.
      lastGood = server.equals(configured) ? Optional.empty() : Optional.of(server);
    }
    return back;
  }

  /**
   * Notes a failure.
   *
   * @return whether it is the first one since the last answer
   */
  synchronized boolean failed(ServerAddress server, long now) {
    lastGood = lastGood.filter(good -> !good.equals(server));
    return failedAt.put(server, now) == null;
  }

  /**
   * Notes that a server has asked to be spared until then. The moments are of the clock of {@link
   * #failed}.
   */
  synchronized void busy(ServerAddress server, long until) {
    lastGood = lastGood.filter(good -> !good.equals(server));
    busyUntil.put(server, until);
  }

  /**
   * Whether a server may be asked what another one was too busy for. Not the configured address:
   * behind it may be the same one again.
   */
  synchronized boolean mayStandIn(ServerAddress server, long now) {
    return members.contains(server) && !unready.contains(server) && !isBusy(server, now);
  }

  /**
   * The servers that are to be left, as soon as there is a better one: those that our probes call
   * unready, and the configured address, since any of them may be behind it.
   */
  synchronized Set<ServerAddress> worthLeaving() {
    Set<ServerAddress> left = new HashSet<>(avoidable());
    if (!left.isEmpty()) {
      left.add(configured);
    }
    return left;
  }

  /** The unready ones; none when that is all of them. */
  private Set<ServerAddress> avoidable() {
    return unready.containsAll(members) ? Set.of() : unready;
  }

  private boolean isBusy(ServerAddress server, long now) {
    Long until = busyUntil.get(server);
    return until != null && until - now > 0;
  }

  /** The control planes of the moment, and the configured address. */
  synchronized Set<ServerAddress> all() {
    Set<ServerAddress> all = new LinkedHashSet<>(members);
    all.add(configured);
    return all;
  }

  /** Long.MIN_VALUE when not demoted; else the longer ago it failed, the smaller. */
  private long demotedSince(ServerAddress server, long now) {
    Long failed = failedAt.get(server);
    return failed == null || now - failed > DEMOTION.toNanos()
        ? Long.MIN_VALUE
        : DEMOTION.toNanos() - (now - failed);
  }
}
