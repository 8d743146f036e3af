package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.updater.kube.access.ServerAddress;
import io.apiserverupdater.updater.kube.api.Transport.Use;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which apiserver to ask first. The live control planes come before the configured address, because
 * that address may depend on what we maintain; one that has answered comes before the others, one
 * that asked to be spared (429) comes after them, then one that has just failed, and one that our
 * probes call unready comes last. Watches stay at one server, and so on one connection; calls take
 * turns between two, so that a write needs no TLS handshake when one of them dies. Thread-safe.
 */
final class ServerOrder {
  /** A server that failed is asked after all others for this long. */
  private static final Duration DEMOTION = Duration.ofSeconds(10);

  /** After so long calls go to the next server; its connection is kept for longer than that. */
  private static final Duration TURN = Duration.ofSeconds(10);

  private final ServerAddress configured;

  /** A server that has answered, and since when it has been asked first. */
  private record Preferred(ServerAddress server, long since) {}

  // All guarded by this.
  private List<ServerAddress> members = List.of();
  private Set<ServerAddress> unready = Set.of();
  private final Map<ServerAddress, Long> failedAt = new HashMap<>();
  private final Map<ServerAddress, Long> busyUntil = new HashMap<>();
  private final Map<Use, Preferred> preferred = new EnumMap<>(Use.class);

  ServerOrder(ServerAddress configured) {
    this.configured = configured;
  }

  /** The control planes of the moment, in the order in which this process likes to ask them. */
  synchronized void setMembers(List<ServerAddress> now) {
    members = List.copyOf(now);
    Set<ServerAddress> known = all();
    failedAt.keySet().retainAll(known);
    busyUntil.keySet().retainAll(known);
    preferred.values().removeIf(last -> !known.contains(last.server()));
  }

  /** Those of the members that our probes call unready at this moment. */
  synchronized void setUnready(Set<ServerAddress> now) {
    unready = Set.copyOf(now);
  }

  /** Every server, the one to ask first in front. */
  synchronized List<ServerAddress> candidates(Use use, long now) {
    List<ServerAddress> candidates = new ArrayList<>(all());
    candidates.sort(
        Comparator.<ServerAddress, Boolean>comparing(unready::contains)
            .thenComparingLong(server -> demotedSince(server, now))
            .thenComparing(server -> isBusy(server, now))
            .thenComparing(server -> rank(server, use, now)));
    return candidates;
  }

  private int rank(ServerAddress server, Use use, long now) {
    Preferred last = preferred.get(use);
    if (server.equals(configured)) {
      return 3;
    }
    if (last == null || !last.server().equals(server)) {
      return 1;
    }
    return use == Use.UNARY && now - last.since() > TURN.toNanos() ? 2 : 0;
  }

  /**
   * Notes an answer. One to a call that was sent before the latest failure says nothing: a dying
   * apiserver breaks its connections one after the other, and still answers on the last of them.
   *
   * @param sentAt when the call was sent, in nanoseconds of the clock of {@link #failed}
   * @return whether the server had failed before
   */
  synchronized boolean succeeded(ServerAddress server, Use use, long sentAt) {
    Long failed = failedAt.get(server);
    if (failed != null && sentAt - failed <= 0) {
      return false;
    }
    boolean back = failedAt.remove(server) != null;
    Preferred last = preferred.get(use);
    if (members.contains(server) && (last == null || !last.server().equals(server))) {
      preferred.put(use, new Preferred(server, sentAt));
    }
    return back;
  }

  /**
   * Notes a failure.
   *
   * @return whether it is the first one since the last answer
   */
  synchronized boolean failed(ServerAddress server, long now) {
    preferred.values().removeIf(last -> last.server().equals(server));
    return failedAt.put(server, now) == null;
  }

  /**
   * Notes that a server has asked to be spared until then. The moments are of the clock of {@link
   * #failed}.
   */
  synchronized void busy(ServerAddress server, long until) {
    preferred.values().removeIf(last -> last.server().equals(server));
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
   * Whether a watch should move: away from a server that our probes call unready, from one that is
   * no member any more, and from the configured address, behind which any of these may be. Nowhere
   * as long as no member is ready.
   */
  synchronized boolean isWorthLeaving(ServerAddress server) {
    return (unready.contains(server) || !members.contains(server)) && !unready.containsAll(members);
  }

  /** The same just after it was opened: not from where it went because the others had failed. */
  synchronized boolean isWorthLeavingAtOnce(ServerAddress server, long now) {
    return isWorthLeaving(server) && candidates(Use.WATCH, now).indexOf(server) > 0;
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
