package io.apiserverupdater.updater.status;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.Decision;
import io.apiserverupdater.updater.endpoints.DesiredObject;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Refusal;
import io.apiserverupdater.updater.status.StatusReport.Listing;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The source beside the target. Pure.
 *
 * @param members those of the source, then those that only the target lists, without probes
 * @param differences what would be written, a sentence each
 * @param refusals why nothing, or not all, would be written, a sentence each
 */
public record Publication(
    Map<Member, MemberStatus> members, List<String> differences, List<String> refusals) {

  public Publication {
    members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
    differences = List.copyOf(differences);
    refusals = List.copyOf(refusals);
  }

  /**
   * Compares.
   *
   * @param wanted how a member should be published; {@link Listing#UNKNOWN} where nobody who can be
   *     asked has decided: then it only has to be listed
   * @param drained until when a person has taken a member out; it is not ready for as long
   */
  public static Publication of(
      MirrorRule rule,
      ObservedState state,
      Function<Member, Listing> wanted,
      Function<Member, Optional<Instant>> drained) {
    EndpointsSnapshot.Reading reading = rule.read(state.source());
    Map<Member, MemberStatus> members = new LinkedHashMap<>();
    Map<AddressFamily, EndpointsSnapshot.Members> expected = new EnumMap<>(AddressFamily.class);
    List<Refusal> refusals = new ArrayList<>();
    if (reading instanceof EndpointsSnapshot.Usable usable) {
      refusals.addAll(usable.leftOut());
      usable
          .snapshot()
          .members()
          .forEach(
              (family, listed) -> {
                Map<Member, Listing> published = published(state, family);
                List<Endpoint> wantedEndpoints = new ArrayList<>();
                for (Endpoint endpoint : listed.endpoints()) {
                  Member member = new Member(endpoint.address(), listed.port());
                  Listing now = published.getOrDefault(member, Listing.ABSENT);
                  Optional<Instant> until = drained.apply(member);
                  Listing then = until.isPresent() ? Listing.NOT_READY : wanted.apply(member);
                  members.put(
                      member,
                      new MemberStatus(
                          member.toString(),
                          endpoint.nodeName(),
                          listing(endpoint),
                          then,
                          now,
                          until,
                          List.of()));
                  expected(endpoint, then, now).ifPresent(wantedEndpoints::add);
                }
                expected.put(family, new EndpointsSnapshot.Members(listed.port(), wantedEndpoints));
              });
      reading = usable.publishing(new EndpointsSnapshot(expected));
    }
    for (AddressFamily family : AddressFamily.values()) {
      published(state, family)
          .forEach(
              (member, now) ->
                  members.putIfAbsent(
                      member,
                      new MemberStatus(
                          member.toString(),
                          Optional.empty(),
                          Listing.ABSENT,
                          Listing.ABSENT,
                          now,
                          Optional.empty(),
                          List.of())));
    }
    Decision decision = rule.decide(state, reading);
    if (decision instanceof Decision.Refuse refuse) {
      refusals.addAll(refuse.refusals());
    }
    List<String> differences =
        decision instanceof Decision.Apply apply
            ? apply.changes().stream().map(change -> describe(change, members)).toList()
            : List.of();
    return new Publication(
        members, differences, refusals.stream().map(Refusal::sentence).distinct().toList());
  }

  /** What the gate has decided on. */
  public static Function<Member, Listing> decided(GateState gate) {
    return member ->
        gate.families().entrySet().stream()
            .filter(family -> family.getKey().contains(member.address()))
            .map(family -> listing(family.getValue().flags().get(member.address())))
            .findFirst()
            .orElse(Listing.UNKNOWN);
  }

  private static Listing listing(@Nullable Boolean ready) {
    return ready == null ? Listing.ABSENT : ready ? Listing.READY : Listing.NOT_READY;
  }

  private static Listing listing(Endpoint endpoint) {
    return endpoint.ready() ? Listing.READY : Listing.NOT_READY;
  }

  /** What the target's slice of a family lists, by address. */
  private static Map<Member, Listing> published(ObservedState state, AddressFamily family) {
    EndpointSlice slice = state.slices().get(family);
    Map<Member, Listing> published = new TreeMap<>(Comparator.comparing(Member::toString));
    if (slice != null && slice.addressType().equals(family.addressType())) {
      int port = slice.servingPorts().stream().findFirst().map(it -> it.port()).orElse(0);
      slice.endpoints().forEach(it -> published.put(new Member(it.address(), port), listing(it)));
    }
    return published;
  }

  /** A member as it should be published; empty when it should not be listed yet. */
  private static Optional<Endpoint> expected(Endpoint endpoint, Listing wanted, Listing now) {
    return switch (wanted) {
      case READY -> Optional.of(endpoint.withReady(true));
      case NOT_READY -> Optional.of(endpoint.withReady(false));
      case ABSENT -> Optional.empty();
      // Whoever decides is not heard: how it is published now is taken to be right.
      case UNKNOWN ->
          Optional.of(now == Listing.ABSENT ? endpoint : endpoint.withReady(now == Listing.READY));
    };
  }

  private static String describe(Change change, Map<Member, MemberStatus> members) {
    if (!(change instanceof Change.Update update)
        || !(update.object() instanceof DesiredObject.Slice slice)) {
      return change.describe();
    }
    String details =
        members.entrySet().stream()
            .filter(entry -> slice.family().contains(entry.getKey().address()))
            .flatMap(entry -> difference(entry.getValue()).stream())
            .collect(Collectors.joining(", "));
    return change.describe()
        + ": "
        + (details.isEmpty() ? "its ports, labels or other fields differ" : details);
  }

  private static Optional<String> difference(MemberStatus member) {
    if (member.published() == Listing.ABSENT) {
      return member.wanted() == Listing.ABSENT
          ? Optional.empty()
          : Optional.of(member.address() + " is not listed");
    }
    if (member.source() == Listing.ABSENT) {
      return Optional.of(member.address() + " is listed, but is not in the source");
    }
    return switch (member.wanted()) {
      case ABSENT -> Optional.of(member.address() + " is listed too early");
      case READY, NOT_READY ->
          member.wanted() == member.published()
              ? Optional.empty()
              : Optional.of(
                  "%s is published as %s, expected %s"
                      .formatted(
                          member.address(),
                          Words.of(member.published()),
                          Words.of(member.wanted())));
      case UNKNOWN -> Optional.empty();
    };
  }
}
