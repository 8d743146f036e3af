package io.apiserverupdater.updater.endpoints;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The control planes at one moment: the members of each address family and their port.
 *
 * @param members family to members; a family without a member is not in it
 */
public record EndpointsSnapshot(Map<AddressFamily, Members> members) {

  public EndpointsSnapshot {
    members = AddressFamily.inOrder(members);
  }

  /**
   * The members of one family, sorted by address, each address once.
   *
   * @param port the port that all of them serve on
   */
  public record Members(int port, List<Endpoint> endpoints) {
    public Members {
      endpoints = endpoints.stream().sorted().toList();
    }
  }

  /** Every member of every family, each once. */
  public Set<Member> all() {
    Set<Member> all = new LinkedHashSet<>();
    for (Members family : members.values()) {
      for (Endpoint endpoint : family.endpoints()) {
        all.add(new Member(endpoint.address(), family.port()));
      }
    }
    return all;
  }

  /** What a source amounts to: a snapshot, or the reasons why it cannot be used. */
  public sealed interface Reading {}

  /**
   * The source can be mirrored.
   *
   * @param leftOut why members that the source lists are not in the snapshot, or not as a person
   *     has asked for
   * @param unknown families of which the source lists members, but none that can be used: their
   *     last good state stays
   */
  public record Usable(
      EndpointsSnapshot snapshot, List<Refusal> leftOut, Set<AddressFamily> unknown)
      implements Reading {
    public Usable {
      leftOut = List.copyOf(leftOut);
      unknown = Set.copyOf(unknown);
    }

    /** With every member that the source lists. */
    public Usable(EndpointsSnapshot snapshot) {
      this(snapshot, List.of(), Set.of());
    }

    /** The same source, of which this is to be published. */
    public Usable publishing(EndpointsSnapshot published) {
      return new Usable(published, leftOut, unknown);
    }

    /** The same, for which more is to be told. */
    public Usable telling(List<Refusal> more) {
      return new Usable(snapshot, Stream.concat(leftOut.stream(), more.stream()).toList(), unknown);
    }
  }

  /** The source cannot be mirrored; the last good state stays. */
  public record Unusable(List<Refusal> refusals) implements Reading {
    public Unusable {
      refusals = List.copyOf(refusals);
    }
  }

  /**
   * Reads the slices of the source Service; without an endpoint they are an empty snapshot. An
   * address that nobody can connect to concerns that member alone, and if a family has no other,
   * that family.
   */
  public static Reading of(String source, List<EndpointSlice> slices) {
    Map<AddressFamily, Map<String, Endpoint>> addresses = new EnumMap<>(AddressFamily.class);
    Map<AddressFamily, TreeSet<Integer>> ports = new EnumMap<>(AddressFamily.class);
    List<Refusal> refusals = new ArrayList<>();
    List<Refusal> leftOut = new ArrayList<>();
    Set<AddressFamily> unknown = EnumSet.noneOf(AddressFamily.class);
    for (EndpointSlice slice : slices) {
      AddressFamily family = AddressFamily.of(slice.addressType()).orElse(null);
      if (family == null) {
        continue;
      }
      List<Endpoint> endpoints = new ArrayList<>(slice.endpoints());
      if (endpoints.removeIf(endpoint -> !family.contains(endpoint.address()))) {
        leftOut.add(Refusal.unusableAddresses(source, slice, family));
        unknown.add(family);
      }
      if (endpoints.isEmpty()) {
        continue;
      }
      List<Port> candidates = slice.servingPorts();
      if (candidates.size() != 1) {
        refusals.add(Refusal.sourcePort(source, slice.name(), candidates));
        continue;
      }
      ports.computeIfAbsent(family, key -> new TreeSet<>()).add(candidates.get(0).port());
      Map<String, Endpoint> known = addresses.computeIfAbsent(family, key -> new TreeMap<>());
      for (Endpoint endpoint : endpoints) {
        known.merge(endpoint.address(), endpoint, EndpointsSnapshot::either);
      }
    }
    Map<AddressFamily, Members> members = new EnumMap<>(AddressFamily.class);
    addresses.forEach(
        (family, known) -> {
          TreeSet<Integer> numbers = ports.getOrDefault(family, new TreeSet<>());
          if (numbers.size() > 1) {
            refusals.add(Refusal.differentSourcePorts(source, family, numbers));
          }
          members.put(family, new Members(numbers.first(), List.copyOf(known.values())));
        });
    if (refusals.isEmpty() && (leftOut.isEmpty() || !members.isEmpty())) {
      unknown.removeAll(members.keySet());
      return new Usable(new EndpointsSnapshot(members), leftOut, unknown);
    }
    refusals.addAll(leftOut);
    return new Unusable(refusals);
  }

  /**
   * While an address moves from one slice to another it may be in both: ready wins, and the order
   * of the slices does not matter.
   */
  private static Endpoint either(Endpoint a, Endpoint b) {
    if (a.ready() != b.ready()) {
      return a.ready() ? a : b;
    }
    return a.compareTo(b) <= 0 ? a : b;
  }
}
