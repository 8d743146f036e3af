package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Which apiserver to ask first. The live control planes come before the configured address, because
 * that address may depend on what we maintain; one that has answered comes before the others, and
 * one that was silent at a write after them. Later still than the configured address comes one that
 * asked to be spared (429), then one whose word others have contradicted, one that has just failed,
 * and one that our probes call unready comes last. Watches and calls stay at one server; renewals
 * of the Lease take turns between two, so that a write needs no TLS handshake when one of them
 * dies. Thread-safe.
 */
final class ServerOrder {
  /** A server that failed is asked after all others for this long, a silent one after its peers. */
  private static final Duration DEMOTION = Duration.ofSeconds(10);

  /** Nobody is spared for longer: what was noted so long before a later moment is over. */
  private static final Duration LONGEST_BUSY = Duration.ofMinutes(1);

  /** A server whose word is doubted is asked after the others for this long. */
  private static final Duration DISTRUST = Duration.ofMinutes(5);

  /** After so long renewals go to the next server; connections are kept for longer than that. */
  private static final Duration TURN = Duration.ofSeconds(10);

  /** What has a server of its own that it likes to go to. */
  enum Calls {
    RENEWALS,
    OTHERS
  }

  private final ServerAddress configured;

  /** A server that has answered, and since when it has been asked first. */
  private record Preferred(ServerAddress server, long since) {}

  // All guarded by this.
  private List<ServerAddress> members = List.of();
  private Set<ServerAddress> unready = Set.of();
  private final Map<ServerAddress, Long> failedAt = new HashMap<>();
  private final Map<ServerAddress, Long> distrustedAt = new HashMap<>();
  private final Map<ServerAddress, Long> silentAt = new HashMap<>();
  private final Map<String, Long> busyUntil = new HashMap<>();
  private final Map<Calls, Preferred> preferred = new EnumMap<>(Calls.class);

  ServerOrder(ServerAddress configured) {
    this.configured = configured;
  }

  /** The control planes of the moment, in the order in which this process likes to ask them. */
  synchronized void setMembers(List<ServerAddress> now) {
    members = List.copyOf(now);
    Set<ServerAddress> known = all();
    failedAt.keySet().retainAll(known);
    distrustedAt.keySet().retainAll(known);
    silentAt.keySet().retainAll(known);
    preferred.values().removeIf(last -> !known.contains(last.server()));
  }

  /**
   * Those of the members that our probes call unready at this moment. They are asked for under the
   * lock: of two changes at the same time, the one that is set last knows of both.
   */
  synchronized void setUnready(Supplier<Set<ServerAddress>> now) {
    unready = Set.copyOf(now.get());
  }

  /** Every server, the one to ask first in front. */
  synchronized List<ServerAddress> candidates(Calls calls, long now) {
    List<ServerAddress> candidates = new ArrayList<>(all());
    candidates.sort(
        Comparator.comparing(this::isUnready)
            .thenComparingLong(server -> demotedSince(server, now))
            .thenComparing(server -> isWorse(server, now))
            .thenComparing(server -> isBusy(server, now))
            .thenComparing(configured::equals)
            .thenComparingLong(server -> since(silentAt, server, now))
            .thenComparing(server -> rank(server, calls, now)));
    return candidates;
  }

  private int rank(ServerAddress server, Calls calls, long now) {
    Preferred last = preferred.get(calls);
    if (last == null || !last.server().equals(server)) {
      return 1;
    }
    return calls == Calls.RENEWALS && now - last.since() > TURN.toNanos() ? 2 : 0;
  }

  /**
   * Notes an answer. One to a call that was sent before the latest failure says nothing: a dying
   * apiserver breaks its connections one after the other, and still answers on the last of them.
   *
   * @param sentAt when the call was sent, in nanoseconds of the clock of {@link #failed}
   * @return whether the server had failed before, or was distrusted until now
   */
  synchronized boolean succeeded(ServerAddress server, Calls calls, long sentAt) {
    Long failed = failedAt.get(server);
    if (failed != null && sentAt - failed <= 0) {
      return false;
    }
    boolean back = failedAt.remove(server) != null;
    if (distrustedAt.containsKey(server) && !isDistrusted(server, sentAt)) {
      distrustedAt.remove(server);
      back = true;
    }
    Preferred last = preferred.get(calls);
    if (members.contains(server) && (last == null || !last.server().equals(server))) {
      preferred.put(calls, new Preferred(server, sentAt));
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
   * Notes that another server has accepted what this one refused, or that its answer makes no
   * sense.
   *
   * @return whether it is the first time since it was last trusted
   */
  synchronized boolean distrusted(ServerAddress server, long now) {
    preferred.values().removeIf(last -> last.server().equals(server));
    return distrustedAt.put(server, now) == null;
  }

  /**
   * Notes that a write got no answer. A webhook may be what held it up, so the server counts as
   * well, but the next call goes to another member first: it may have no time for a second.
   */
  synchronized void silent(ServerAddress server, long now) {
    silentAt.put(server, now);
  }

  /** Whether it is a control plane known by its own address. */
  synchronized boolean isMember(ServerAddress server) {
    return members.contains(server);
  }

  /** Whether that was within the last five minutes. */
  synchronized boolean isDistrusted(ServerAddress server, long now) {
    Long at = distrustedAt.get(server);
    return at != null && now - at < DISTRUST.toNanos();
  }

  /**
   * Notes that a server has asked to be spared until then, under whatever name it is asked, and
   * also if it leaves the members and comes back. The moments are of the clock of {@link #failed}.
   */
  synchronized void busy(ServerAddress server, long until) {
    preferred.values().removeIf(last -> last.server().equals(server));
    busyUntil.values().removeIf(earlier -> until - earlier > LONGEST_BUSY.toNanos());
    busyUntil.put(place(server), until);
  }

  private static String place(ServerAddress server) {
    return ApiserverAddress.text(server.host(), server.port());
  }

  /**
   * Whether a server may be asked what another one was too busy for, or has refused. Not the
   * configured address: behind it may be the same one again.
   */
  synchronized boolean mayStandIn(ServerAddress server, long now) {
    return members.contains(server) && !isBusy(server, now);
  }

  /**
   * Whether watches may move to a server. Not to one that is unready: without its etcd it keeps
   * them open, and is silent.
   */
  synchronized boolean mayTakeOver(ServerAddress server, long now) {
    return mayStandIn(server, now) && !isUnready(server);
  }

  /**
   * Whether our probes call it unready at this moment. If they call all members so, that tells
   * nothing: the configured address leads to them too.
   */
  synchronized boolean isUnready(ServerAddress server) {
    return unready.contains(server) && !unready.containsAll(members);
  }

  /**
   * Whether a watch should move: away from a server that our probes call unready, from one whose
   * word is doubted, from one that is no member any more, and from the configured address, behind
   * which any of these may be. Nowhere as long as no ready member is known. One that is only
   * doubted is not left for one that asks to be spared, or has failed: no watch could be opened
   * there.
   */
  synchronized boolean isWorthLeaving(ServerAddress server, long now) {
    return isUnready(server)
        || (!members.contains(server) && !unready.containsAll(members))
        || (isDistrusted(server, now)
            && members.stream()
                .anyMatch(
                    other ->
                        mayTakeOver(other, now)
                            && !isDistrusted(other, now)
                            && demotedSince(other, now) == Long.MIN_VALUE));
  }

  /** The same just after it was opened: not from where it went because the others had failed. */
  synchronized boolean isWorthLeavingAtOnce(ServerAddress server, long now) {
    return isWorthLeaving(server, now) && candidates(Calls.OTHERS, now).indexOf(server) > 0;
  }

  /** Whether its word is doubted, and that of a ready member is not. */
  private boolean isWorse(ServerAddress server, long now) {
    return isDistrusted(server, now)
        && members.stream().anyMatch(other -> !isUnready(other) && !isDistrusted(other, now));
  }

  /** For how long a server is still to be spared. */
  synchronized Optional<Duration> busyFor(ServerAddress server, long now) {
    return Optional.ofNullable(busyUntil.get(place(server)))
        .filter(until -> until - now > 0)
        .map(until -> Duration.ofNanos(until - now));
  }

  private boolean isBusy(ServerAddress server, long now) {
    return busyFor(server, now).isPresent();
  }

  /** The control planes of the moment, and the configured address. */
  synchronized Set<ServerAddress> all() {
    Set<ServerAddress> all = new LinkedHashSet<>(members);
    all.add(configured);
    return all;
  }

  /** Whether it failed a short while ago, and a ready member that may be asked has not. */
  synchronized boolean isDemoted(ServerAddress server, long now) {
    return demotedSince(server, now) != Long.MIN_VALUE
        && members.stream()
            .anyMatch(
                other -> mayTakeOver(other, now) && demotedSince(other, now) == Long.MIN_VALUE);
  }

  private long demotedSince(ServerAddress server, long now) {
    return since(failedAt, server, now);
  }

  /** Long.MIN_VALUE when it was not of late; else the longer ago it was, the smaller. */
  private static long since(Map<ServerAddress, Long> moments, ServerAddress server, long now) {
    Long at = moments.get(server);
    return at == null || now - at > DEMOTION.toNanos()
        ? Long.MIN_VALUE
        : DEMOTION.toNanos() - (now - at);
  }
}
