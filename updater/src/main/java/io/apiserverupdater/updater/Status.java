package io.apiserverupdater.updater;

import io.apiserverupdater.updater.controller.EndpointsReconciler;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.events.EventHistory;
import io.apiserverupdater.updater.events.EventReason;
import io.apiserverupdater.updater.kube.KubeCluster;
import io.apiserverupdater.updater.leaderelection.LeaderElector;
import io.apiserverupdater.updater.leaderelection.LeaseLock;
import io.apiserverupdater.updater.leaderelection.LeaseRecord;
import io.apiserverupdater.updater.leaderelection.ObservedLease;
import io.apiserverupdater.updater.readiness.MemberObservation;
import io.apiserverupdater.updater.readiness.MemberProbing;
import io.apiserverupdater.updater.status.Publication;
import io.apiserverupdater.updater.status.StatusReport;
import io.apiserverupdater.updater.status.StatusReport.LeaseHolder;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Probe;
import io.apiserverupdater.updater.status.StatusReport.Replica;
import io.apiserverupdater.updater.status.StatusReport.Role;
import io.apiserverupdater.updater.status.StatusReport.Transition;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What this replica says of itself, asked of its parts at each request.
 *
 * @param identity of this replica in the Lease
 * @param started when it did
 * @param monotonic the clock of probes and Lease, in nanoseconds
 */
record Status(
    MirrorRule rule,
    String identity,
    String version,
    Instant started,
    KubeCluster cluster,
    Optional<LeaderElector> elector,
    Optional<MemberProbing> probing,
    EndpointsReconciler reconciler,
    EventHistory events,
    Clock clock,
    LongSupplier monotonic) {

  StatusReport report() {
    Instant now = clock.instant();
    GateState gate = reconciler.gate();
    Optional<ObservedState> state = cluster.endpoints().observed();
    Optional<Publication> publication =
        state.map(
            observed ->
                Publication.of(
                    rule,
                    observed,
                    Publication.decided(gate),
                    member -> Optional.ofNullable(reconciler.drained().get(member))));
    return new StatusReport(
        now,
        rule.source(),
        rule.target().toString(),
        cluster.lease().flatMap(lock -> holder(lock.sight(), now)),
        List.of(self()),
        publication.stream()
            .flatMap(it -> it.members().entrySet().stream())
            .map(entry -> probed(entry.getKey(), entry.getValue(), now))
            .toList(),
        gate.families().entrySet().stream()
            .map(entry -> new StatusReport.Gate(entry.getKey(), entry.getValue().mode()))
            .toList(),
        publication.map(Publication::differences).orElse(List.of()),
        publication.map(Publication::refusals).orElse(List.of()),
        transitions(),
        troubles(state.isPresent()));
  }

  private Replica self() {
    boolean leads = elector.map(LeaderElector::isCertain).orElse(true);
    return new Replica(
        StatusReport.name(identity),
        identity,
        leads ? Role.LEADER : Role.STANDBY,
        Optional.of(version),
        Optional.of(started),
        Optional.empty(),
        Optional.empty());
  }

  private Optional<LeaseHolder> holder(LeaseLock.Sight sight, Instant now) {
    if (sight instanceof LeaseLock.Sight.Unknown) {
      return Optional.empty();
    }
    return Optional.of(
        sight
            .observed()
            .filter(observed -> !observed.leaseRecord().isUnheld())
            .map(observed -> holder(observed, now))
            .orElse(LeaseHolder.NOBODY));
  }

  /** When it was renewed is told by our own clock: the holder's may be off. */
  private LeaseHolder holder(ObservedLease observed, Instant now) {
    LeaseRecord lease = observed.leaseRecord();
    return new LeaseHolder(
        lease.holder(),
        lease.acquireTime(),
        Optional.of(ago(observed.since(), now)),
        lease.duration());
  }

  private Instant ago(long moment, Instant now) {
    return now.minusNanos(monotonic.getAsLong() - moment);
  }

  private MemberStatus probed(Member member, MemberStatus status, Instant now) {
    List<Probe> probes =
        probing.flatMap(it -> it.observation(member)).stream()
            .map(observation -> probe(observation, now))
            .toList();
    return status.with(probes);
  }

  private Probe probe(MemberObservation observation, Instant now) {
    return new Probe(
        StatusReport.name(identity),
        observation.health().state(),
        observation.since().map(moment -> ago(moment, now)),
        observation.latency(),
        observation.certificateEnds(),
        observation.health().evidence());
  }

  private List<Transition> transitions() {
    List<Transition> transitions = new ArrayList<>();
    events
        .latest()
        .forEach(
            event ->
                transitions.add(
                    new Transition(
                        event.at(),
                        StatusReport.name(identity),
                        event.reason().toString(),
                        event.reason().type() == EventReason.Type.WARNING,
                        event.message())));
    Collections.reverse(transitions);
    return transitions;
  }

  private List<String> troubles(boolean read) {
    List<String> troubles = new ArrayList<>(cluster.unread());
    Main.unreachable(cluster).ifPresent(troubles::add);
    if (!read && troubles.isEmpty()) {
      troubles.add("source and target have not been read yet");
    }
    cluster.distrusted().entrySet().stream()
        .filter(server -> server.getValue())
        .map(
            server ->
                "the apiserver %s refused what others accept, or could not be read"
                    .formatted(server.getKey()))
        .sorted()
        .forEach(troubles::add);
    return troubles;
  }
}
