package io.apiserverupdater.updater.endpoints;

import io.apiserverupdater.apiserver.address.IpAddress;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The members that a person has taken out for a while, by an annotation of the target Service:
 * {@code ADDRESS=TIME,…}. Pure: it asks no clock. See ADR 0025.
 *
 * @param asked in the order of the annotation, each address once
 * @param unreadable the entries that cannot be read, which stay as they are
 */
public record Drains(List<Drain> asked, List<String> unreadable) {

  /** The annotation of the target Service. */
  public static final String ANNOTATION = "apiserver-updater.io/drain";

  /** Nobody is taken out. */
  public static final Drains NONE = new Drains(List.of(), List.of());

  /** Whole seconds of RFC 3339, in UTC. */
  private static final Pattern TIME =
      Pattern.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z");

  /**
   * So long an entry is kept that is over by the clock of whoever writes the annotation: by the
   * updater's it may not be.
   */
  private static final Duration KEPT = Duration.ofDays(1);

  /** More than there are control planes in any cluster. */
  private static final int MOST = 100;

  /** So often it is looked whether a drain is over, because a wall clock may be set. */
  private static final Duration LONGEST_REVIEW = Duration.ofSeconds(30);

  public Drains {
    asked = List.copyOf(asked);
    unreadable = List.copyOf(unreadable);
  }

  /**
   * One member.
   *
   * @param address an IP address, in any spelling
   * @param until the end, by the updater's wall clock
   */
  public record Drain(String address, Instant until) {

    /** Whether it is meant for this address. */
    public boolean isOf(String other) {
      return IpAddress.isSame(address, other);
    }

    /** Whether it is not over yet. */
    public boolean isAsked(Instant now) {
      return now.isBefore(until);
    }

    @Override
    public String toString() {
      return address + "=" + until.truncatedTo(ChronoUnit.SECONDS);
    }
  }

  /**
   * What comes of it.
   *
   * @param snapshot what to publish
   * @param drained the members that are not ready for this reason, and until when
   * @param setAside why members that are asked for are not among them
   * @param reviewAfter when to decide again, though nothing may have changed by then
   */
  public record Outcome(
      EndpointsSnapshot snapshot,
      Map<Member, Instant> drained,
      List<Refusal> setAside,
      Optional<Duration> reviewAfter) {
    public Outcome {
      drained = Map.copyOf(drained);
      setAside = List.copyOf(setAside);
    }
  }

  /** Reads the annotation. An entry that cannot be read drains nobody, and the others count. */
  public static Drains of(String annotation) {
    List<Drain> asked = new ArrayList<>();
    List<String> unreadable = new ArrayList<>();
    for (String part : annotation.split(",", -1)) {
      String entry = part.strip();
      if (entry.isEmpty()) {
        continue;
      }
      Optional<Drain> drain =
          drain(entry)
              .filter(unused -> asked.size() < MOST)
              .filter(it -> asked.stream().noneMatch(other -> other.isOf(it.address())));
      drain.ifPresentOrElse(asked::add, () -> unreadable.add(entry));
    }
    return new Drains(asked, unreadable);
  }

  private static Optional<Drain> drain(String entry) {
    String address = addressOf(entry);
    String time = entry.substring(entry.indexOf('=') + 1);
    if (IpAddress.parse(address).isEmpty() || !TIME.matcher(time).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Drain(address, Instant.parse(time)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  private static String addressOf(String entry) {
    int end = entry.indexOf('=');
    return entry.substring(0, end < 0 ? entry.length() : end).strip();
  }

  /** What of the annotation cannot be read. */
  public List<Refusal> refusals() {
    return unreadable.isEmpty()
        ? List.of()
        : List.of(Refusal.unreadableDrain(unreadable.get(0), unreadable.size()));
  }

  /** The annotation's text; empty when there is no entry. */
  public String text() {
    return Stream.concat(asked.stream().map(Drain::toString), unreadable.stream())
        .collect(Collectors.joining(","));
  }

  /** Whether there is an entry for this address, over or unreadable though it may be. */
  public boolean hasEntryOf(String address) {
    return asked.stream().anyMatch(it -> it.isOf(address))
        || unreadable.stream().anyMatch(entry -> IpAddress.isSame(addressOf(entry), address));
  }

  /**
   * With one more, or with another end of it, and without those that have been over for a day. Who
   * is drained already keeps the place: the order says who is taken out first.
   */
  public Drains with(Drain drain, Instant now) {
    Drains others = without(drain.address(), now);
    if (!isAsked(drain.address(), now)) {
      return new Drains(
          Stream.concat(others.asked().stream(), Stream.of(drain)).toList(), others.unreadable());
    }
    List<Drain> replaced =
        asked.stream()
            .map(it -> it.isOf(drain.address()) ? drain : it)
            .filter(it -> it.isAsked(now.minus(KEPT)))
            .toList();
    return new Drains(replaced, others.unreadable());
  }

  /** Without any entry of that one, and without those that have been over for a day. */
  public Drains without(String address, Instant now) {
    return new Drains(
        asked.stream().filter(it -> it.isAsked(now.minus(KEPT)) && !it.isOf(address)).toList(),
        unreadable.stream().filter(entry -> !IpAddress.isSame(addressOf(entry), address)).toList());
  }

  /** Whether this address is asked for and its time is not over. */
  public boolean isAsked(String address, Instant now) {
    return until(address, now).isPresent();
  }

  /** Until when this address is asked for; empty when it is not, or its time is over. */
  public Optional<Instant> until(String address, Instant now) {
    return asked.stream()
        .filter(it -> it.isOf(address) && it.isAsked(now))
        .map(Drain::until)
        .findFirst();
  }

  /**
   * Takes out those that are asked for, in the order of the annotation, as long as another member
   * of the family stays ready. Where the gate fails open nobody is taken out: nobody knows then
   * which member still serves.
   *
   * @param gated what would be published without any drain
   * @param gate by which that was decided
   * @param now the wall clock
   */
  public Outcome apply(EndpointsSnapshot gated, GateState gate, Instant now) {
    Map<AddressFamily, EndpointsSnapshot.Members> published = new EnumMap<>(AddressFamily.class);
    Map<Member, Instant> drained = new LinkedHashMap<>();
    List<Refusal> setAside = new ArrayList<>();
    gated
        .members()
        .forEach(
            (family, members) ->
                published.put(
                    family,
                    applied(
                        members,
                        gate.mode(family) == GateState.Mode.FAIL_OPEN,
                        now,
                        drained,
                        setAside)));
    Optional<Duration> review =
        asked.stream()
            .filter(drain -> drain.isAsked(now))
            .map(drain -> Duration.between(now, drain.until()))
            .map(left -> left.compareTo(LONGEST_REVIEW) < 0 ? left : LONGEST_REVIEW)
            .min(Duration::compareTo);
    return new Outcome(new EndpointsSnapshot(published), drained, setAside, review);
  }

  private EndpointsSnapshot.Members applied(
      EndpointsSnapshot.Members members,
      boolean open,
      Instant now,
      Map<Member, Instant> drained,
      List<Refusal> setAside) {
    List<Endpoint> endpoints = new ArrayList<>(members.endpoints());
    for (Drain drain : asked) {
      for (int i = 0; drain.isAsked(now) && i < endpoints.size(); i++) {
        Endpoint endpoint = endpoints.get(i);
        if (!drain.isOf(endpoint.address())) {
          continue;
        }
        Member member = new Member(endpoint.address(), members.port());
        long ready = endpoints.stream().filter(Endpoint::ready).count();
        if (open || (endpoint.ready() && ready == 1)) {
          setAside.add(Refusal.drainOfLastReady(member));
        } else {
          endpoints.set(i, endpoint.withReady(false));
          drained.put(member, drain.until());
        }
      }
    }
    return new EndpointsSnapshot.Members(members.port(), endpoints);
  }
}
