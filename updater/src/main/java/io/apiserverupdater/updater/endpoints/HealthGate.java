package io.apiserverupdater.updater.endpoints;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The rule of who is published as ready: the source says who is a member, our probes say who is
 * ready. Pure: it asks no clock. Each address family is judged for itself, because each has a
 * clusterIP of its own that must not be left without an endpoint.
 */
public final class HealthGate {

  /**
   * How long some member must have been ready before the probes' word counts again while others are
   * not: those that return a moment later shall not be taken out and put in again.
   */
  static final Duration SETTLE = Duration.ofMillis(400);

  /**
   * Members that fell within this time of the last one's fall fell for the same reason: our own
   * network. Longer than the probes take to find them all.
   */
  static final Duration TOGETHER = Duration.ofSeconds(3);

  private HealthGate() {}

  /**
   * A decision.
   *
   * @param state to be given to the next decision
   * @param snapshot what to publish; empty while too little is known to publish anything
   * @param reviewAfter when to decide again, though nothing may have changed by then
   */
  public record Outcome(
      GateState state, Optional<EndpointsSnapshot> snapshot, Optional<Duration> reviewAfter) {}

  /**
   * Decides.
   *
   * @param source the members, as the source lists them
   * @param health what the probes say of a member
   * @param target what is published now, as far as it is there
   * @param now the monotonic clock, in nanoseconds
   */
  public static Outcome decide(
      GateState before,
      EndpointsSnapshot source,
      Function<Member, MemberHealth> health,
      Map<AddressFamily, EndpointSlice> target,
      long now) {
    Map<AddressFamily, GateState.Family> states = new EnumMap<>(AddressFamily.class);
    Map<AddressFamily, EndpointsSnapshot.Members> published = new EnumMap<>(AddressFamily.class);
    List<Duration> reviews = new ArrayList<>();
    boolean waits = false;
    for (Map.Entry<AddressFamily, EndpointsSnapshot.Members> entry : source.members().entrySet()) {
      AddressFamily family = entry.getKey();
      EndpointsSnapshot.Members members = entry.getValue();
      Map<String, Boolean> flags =
          Optional.ofNullable(target.get(family)).map(HealthGate::flags).orElse(Map.of());
      View view = new View(members, health, flags, now);
      Optional<GateState.Family> known = Optional.ofNullable(before.families().get(family));
      Optional<GateState.Family> next = view.next(known);
      if (next.isEmpty()) {
        waits = true;
        known.ifPresent(state -> states.put(family, state));
        continue;
      }
      states.put(family, next.get());
      published.put(family, view.publish(next.get()));
      next.get().readySince().ifPresent(since -> reviews.add(SETTLE.minusNanos(now - since)));
    }
    return new Outcome(
        new GateState(states),
        waits ? Optional.empty() : Optional.of(new EndpointsSnapshot(published)),
        reviews.stream().min(Comparator.naturalOrder()));
  }

  private static Map<String, Boolean> flags(EndpointSlice slice) {
    Map<String, Boolean> flags = new HashMap<>();
    slice.endpoints().forEach(endpoint -> flags.put(endpoint.address(), endpoint.ready()));
    return flags;
  }

  /** One family at one moment. */
  private record View(
      EndpointsSnapshot.Members members,
      Function<Member, MemberHealth> health,
      Map<String, Boolean> targetFlags,
      long now) {

    private MemberHealth health(Endpoint endpoint) {
      return health.apply(new Member(endpoint.address(), members.port()));
    }

    /** A member that has just joined is not listed before it has been judged. */
    private Stream<Endpoint> judged() {
      return members.endpoints().stream()
          .filter(endpoint -> health(endpoint).state() != MemberHealth.State.UNKNOWN);
    }

    private boolean isReady(Endpoint endpoint) {
      return endpoint.ready() && health(endpoint).isReady();
    }

    /** The state after this moment; none while too little is known. */
    Optional<GateState.Family> next(Optional<GateState.Family> before) {
      long judged = judged().count();
      boolean complete = judged == members.endpoints().size();
      if (judged == 0 || (before.isEmpty() && !complete)) {
        return Optional.empty();
      }
      GateState.Mode mode = before.map(GateState.Family::mode).orElse(GateState.Mode.NORMAL);
      if (judged().noneMatch(this::isReady)) {
        return Optional.of(withoutReady(mode, before));
      }
      if (mode != GateState.Mode.NORMAL && !(complete && judged().allMatch(this::isReady))) {
        long since = before.flatMap(GateState.Family::readySince).orElse(now);
        if (now - since < SETTLE.toNanos()) {
          return Optional.of(
              new GateState.Family(mode, abnormal(mode, before), Optional.of(since)));
        }
      }
      Map<String, Boolean> listed = before.map(GateState.Family::flags).orElse(targetFlags);
      Map<String, Boolean> flags = new HashMap<>();
      judged()
          .filter(endpoint -> isReady(endpoint) || listed.isEmpty() || isIn(listed, endpoint))
          .forEach(endpoint -> flags.put(endpoint.address(), isReady(endpoint)));
      return Optional.of(new GateState.Family(GateState.Mode.NORMAL, flags, Optional.empty()));
    }

    /**
     * Who becomes unready stays listed, for people to see. Who comes unready is not listed before
     * it is ready: an apiserver that restarts again and again leaves and joins the source each
     * time, and each of that would be a write that changes nothing for kube-proxy.
     */
    private static boolean isIn(Map<String, Boolean> listed, Endpoint endpoint) {
      return listed.containsKey(endpoint.address());
    }

    /** Once begun, neither turns into the other: that would be flapping. */
    private GateState.Family withoutReady(GateState.Mode mode, Optional<GateState.Family> before) {
      GateState.Mode next = mode;
      if (mode == GateState.Mode.NORMAL) {
        boolean heard = judged().anyMatch(endpoint -> health(endpoint).answers());
        next = heard ? GateState.Mode.FAIL_OPEN : GateState.Mode.HOLD;
      }
      return new GateState.Family(next, abnormal(next, before), Optional.empty());
    }

    private Map<String, Boolean> abnormal(GateState.Mode mode, Optional<GateState.Family> before) {
      Map<String, Boolean> flags = new HashMap<>();
      boolean open = mode == GateState.Mode.FAIL_OPEN;
      for (Endpoint endpoint : judged().toList()) {
        flags.put(endpoint.address(), endpoint.ready() && (open || held(endpoint, before)));
      }
      if (!flags.containsValue(true)) {
        flags.replaceAll((address, ready) -> true);
      }
      return flags;
    }

    /** Ready, unless it was out before all this began. */
    private boolean held(Endpoint endpoint, Optional<GateState.Family> before) {
      Optional<Long> fellAt = health(endpoint).fellAt();
      if (fellAt.isPresent() && now - fellAt.get() < TOGETHER.toNanos()) {
        return true;
      }
      Map<String, Boolean> past = before.map(GateState.Family::flags).orElse(targetFlags);
      return past.getOrDefault(endpoint.address(), true);
    }

    EndpointsSnapshot.Members publish(GateState.Family state) {
      return new EndpointsSnapshot.Members(
          members.port(),
          judged()
              .filter(endpoint -> isIn(state.flags(), endpoint))
              .map(
                  endpoint ->
                      endpoint.withReady(
                          state.flags().getOrDefault(endpoint.address(), endpoint.ready())))
              .toList());
    }
  }
}
