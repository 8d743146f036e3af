package io.apiserverupdater.updater.commands;

import io.apiserverupdater.updater.endpoints.Drains;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.HealthGate;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.readiness.MemberProbing;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a command that looks once would publish: every member is probed until it is judged, as a
 * replica that has just started does before its first decision.
 *
 * @param reading what to compare the target with
 * @param health what the probes say of each member; empty when none was probed
 * @param gate whose word counted
 * @param drained who is drained, and until when
 */
record OneShotProbes(
    EndpointsSnapshot.Reading reading,
    Map<Member, MemberHealth> health,
    GateState gate,
    Map<Member, Instant> drained) {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /**
   * Probes the members.
   *
   * @param probing ends with this; none when nobody is to be probed
   * @param clock by which a drain ends
   */
  static OneShotProbes of(
      MirrorRule rule, ObservedState state, Optional<MemberProbing> probing, Clock clock) {
    EndpointsSnapshot.Reading source = rule.read(state.source());
    if (!(source instanceof EndpointsSnapshot.Usable usable)) {
      probing.ifPresent(MemberProbing::close);
      return new OneShotProbes(source, Map.of(), GateState.INITIAL, Map.of());
    }
    Map<Member, MemberHealth> health = new TreeMap<>(Comparator.comparing(Member::toString));
    // Without an outcome, which takes probes that overrun all their deadlines, the source counts.
    EndpointsSnapshot gated = usable.snapshot();
    GateState gate = GateState.INITIAL;
    if (probing.isPresent()) {
      try (MemberProbing probes = probing.get()) {
        probes.follow(usable.snapshot().all());
        probes.awaitJudged(PATIENCE);
        usable.snapshot().all().forEach(member -> health.put(member, probes.of(member)));
      }
      HealthGate.Outcome outcome =
          HealthGate.decide(
              GateState.INITIAL,
              usable.snapshot(),
              member -> health.getOrDefault(member, MemberHealth.UNKNOWN),
              state.slices(),
              System.nanoTime());
      gated = outcome.snapshot().orElse(gated);
      gate = outcome.state();
    }
    Drains drains = state.service().map(Service::drains).orElse(Drains.NONE);
    Drains.Outcome left = drains.apply(gated, gate, clock.instant());
    return new OneShotProbes(
        usable.publishing(left.snapshot()).telling(drains.refusals()).telling(left.setAside()),
        health,
        gate,
        left.drained());
  }
}
