package io.apiserverupdater.updater.status;

import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.status.StatusReport.LeaseHolder;
import io.apiserverupdater.updater.status.StatusReport.Listing;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Replica;
import io.apiserverupdater.updater.status.StatusReport.Role;
import io.apiserverupdater.updater.status.StatusReport.Transition;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the API server and the replicas say, to be put together. Pure.
 *
 * @param state source and target, where the API server lets them be read
 * @param lease who holds the Lease, where it could be read
 * @param gaps what could not be found out, a sentence each
 */
public record ClusterStatus(
    MirrorRule rule,
    Optional<ObservedState> state,
    Optional<LeaseHolder> lease,
    List<Pod> pods,
    List<String> gaps) {

  public ClusterStatus {
    pods = List.copyOf(pods);
    gaps = List.copyOf(gaps);
  }

  /**
   * A replica's pod.
   *
   * @param node where it runs; empty while it is not scheduled
   * @param answer what came of asking it
   */
  public record Pod(String name, Optional<String> node, Answer answer) {}

  /** What came of asking a replica for its status. */
  public sealed interface Answer {
    record Heard(StatusReport report) implements Answer {}

    record Silent(String why) implements Answer {}
  }

  /** What a replica said. */
  private record Word(Pod pod, StatusReport report) {
    private boolean leads() {
      return self().filter(it -> it.role() == Role.LEADER).isPresent();
    }

    private Optional<Replica> self() {
      return report.replicas().stream().findFirst();
    }
  }

  /** All of it in one report. */
  public StatusReport report(Instant at) {
    // The leader's word comes first.
    List<Word> words =
        pods.stream()
            .flatMap(
                pod ->
                    pod.answer() instanceof Answer.Heard heard
                        ? Stream.of(new Word(pod, heard.report()))
                        : Stream.of())
            .filter(word -> word.report().target().equals(rule.target().toString()))
            .sorted(Comparator.comparing(Word::leads).reversed())
            .toList();
    Optional<StatusReport> first = words.stream().findFirst().map(Word::report);
    Optional<Publication> publication =
        state.map(
            it ->
                Publication.of(
                    rule,
                    it,
                    member ->
                        known(first, member).map(MemberStatus::wanted).orElse(Listing.UNKNOWN),
                    member ->
                        first.isPresent()
                            ? known(first, member).flatMap(MemberStatus::drainedUntil)
                            : drainedUntil(it, member, at)));
    List<String> troubles = new ArrayList<>(gaps);
    words.forEach(
        word ->
            word.report()
                .troubles()
                .forEach(it -> troubles.add("replica " + word.pod().name() + ": " + it)));
    Optional<LeaseHolder> holder = lease.or(() -> first.flatMap(StatusReport::lease));
    return new StatusReport(
        // The times are of the replicas' clocks, and this machine's may differ.
        first.map(StatusReport::at).orElse(at),
        rule.source(),
        rule.target().toString(),
        holder,
        replicas(words, holder),
        members(publication, first, words),
        first.map(StatusReport::gates).orElse(List.of()),
        both(publication.map(Publication::differences), first.map(StatusReport::differences)),
        both(publication.map(Publication::refusals), first.map(StatusReport::refusals)),
        transitions(words),
        troubles);
  }

  /** By the annotation, where no replica says whom it drains: of those that are not ready. */
  private static Optional<Instant> drainedUntil(ObservedState state, Member member, Instant at) {
    boolean unready =
        state.slices().values().stream()
            .flatMap(slice -> slice.endpoints().stream())
            .anyMatch(it -> it.address().equals(member.address()) && !it.ready());
    return unready
        ? state.service().map(Service::drains).flatMap(it -> it.until(member.address(), at))
        : Optional.empty();
  }

  private static Optional<MemberStatus> known(Optional<StatusReport> first, Member member) {
    return first.stream()
        .flatMap(report -> report.members().stream())
        .filter(it -> it.address().equals(member.toString()))
        .findFirst();
  }

  private List<Replica> replicas(List<Word> words, Optional<LeaseHolder> lease) {
    List<Replica> replicas = new ArrayList<>();
    words.forEach(word -> word.self().ifPresent(self -> replicas.add(heard(word.pod(), self))));
    pods.stream()
        .filter(pod -> words.stream().noneMatch(word -> word.pod().equals(pod)))
        .forEach(pod -> silent(pod, lease).ifPresent(replicas::add));
    lease
        .map(LeaseHolder::identity)
        .filter(holder -> !holder.isEmpty())
        .filter(holder -> replicas.stream().noneMatch(it -> it.identity().equals(holder)))
        .filter(holder -> replicas.stream().noneMatch(it -> it.role() == Role.LEADER))
        .ifPresent(
            holder ->
                replicas.add(
                    0,
                    new Replica(
                        holder,
                        holder,
                        Role.LEADER,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of("it holds the Lease, but is none of the pods"))));
    return replicas;
  }

  private static Replica heard(Pod pod, Replica self) {
    return new Replica(
        pod.name(),
        self.identity(),
        self.role(),
        self.version(),
        self.started(),
        pod.node(),
        Optional.empty());
  }

  /** A replica of another target is none of this one's. */
  private static Optional<Replica> silent(Pod pod, Optional<LeaseHolder> lease) {
    if (!(pod.answer() instanceof Answer.Silent silent)) {
      return Optional.empty();
    }
    // A replica's identity is its pod's name and a random part.
    Optional<String> holder =
        lease.map(LeaseHolder::identity).filter(it -> it.startsWith(pod.name() + "_"));
    return Optional.of(
        new Replica(
            pod.name(),
            holder.orElse(""),
            holder.isPresent() ? Role.LEADER : Role.UNKNOWN,
            Optional.empty(),
            Optional.empty(),
            pod.node(),
            Optional.of(silent.why())));
  }

  private static List<MemberStatus> members(
      Optional<Publication> publication, Optional<StatusReport> first, List<Word> words) {
    return publication
        .map(it -> List.copyOf(it.members().values()))
        .or(() -> first.map(StatusReport::members))
        .orElse(List.of())
        .stream()
        .map(
            it ->
                it.with(
                    words.stream()
                        .flatMap(word -> word.report().members().stream())
                        .filter(other -> other.address().equals(it.address()))
                        .flatMap(other -> other.probes().stream())
                        .toList()))
        .toList();
  }

  private static List<String> both(Optional<List<String>> one, Optional<List<String>> other) {
    return Stream.of(one, other)
        .flatMap(Optional::stream)
        .flatMap(List::stream)
        .distinct()
        .toList();
  }

  private static List<Transition> transitions(List<Word> words) {
    return words.stream()
        .flatMap(word -> word.report().transitions().stream())
        .sorted(Comparator.comparing(Transition::at).reversed())
        .toList();
  }
}
