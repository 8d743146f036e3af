package io.apiserverupdater.updater.status;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The state of the updater at one moment: as one replica sees it, or what the API server and all
 * replicas say together. Times are of the wall clock of whoever reports them, for people only.
 *
 * @param source NAMESPACE/NAME of the source Service
 * @param target NAMESPACE/NAME of the target Service
 * @param lease empty when it is not known, or when there is no election
 * @param replicas those that were asked; in its own report a replica names itself alone
 * @param gates whose word counts, for each address family that has been decided on
 * @param differences what is not published as it should be, a sentence each
 * @param refusals why nothing, or not all, is written, a sentence each
 * @param transitions what has happened, the newest first
 * @param troubles what could not be found out, or hinders a replica, a sentence each
 */
public record StatusReport(
    Instant at,
    String source,
    String target,
    Optional<LeaseHolder> lease,
    List<Replica> replicas,
    List<MemberStatus> members,
    List<Gate> gates,
    List<String> differences,
    List<String> refusals,
    List<Transition> transitions,
    List<String> troubles) {

  public StatusReport {
    replicas = List.copyOf(replicas);
    members = List.copyOf(members);
    gates = List.copyOf(gates);
    differences = List.copyOf(differences);
    refusals = List.copyOf(refusals);
    transitions = List.copyOf(transitions);
    troubles = List.copyOf(troubles);
  }

  /**
   * Whether some member is published otherwise than the source lists it. Otherwise how the source
   * lists the members need not be shown beside it.
   */
  boolean publishesOtherwise() {
    return members.stream().anyMatch(it -> it.source() != it.published());
  }

  /** Whether there is nothing in it that a person should look at. */
  public boolean isWell() {
    return Findings.of(this).isEmpty();
  }

  /**
   * Who holds the Lease.
   *
   * @param identity empty when nobody does
   * @param since when it was acquired
   * @param renewed when it was last renewed
   * @param duration how long a silent holder is waited for
   */
  public record LeaseHolder(
      String identity, Optional<Instant> since, Optional<Instant> renewed, Duration duration) {

    /** Nobody holds it. */
    public static final LeaseHolder NOBODY =
        new LeaseHolder("", Optional.empty(), Optional.empty(), Duration.ZERO);
  }

  /**
   * A replica by its identity in the Lease, without the random part: where it is a pod, the pod.
   */
  public static String name(String identity) {
    return identity.replaceFirst("_[^_]*$", "");
  }

  /** What a replica does. */
  public enum Role {
    LEADER,
    STANDBY,
    /** It does not say. */
    UNKNOWN
  }

  /**
   * One replica.
   *
   * @param name of its pod, or else its identity
   * @param identity its name in the Lease; empty while it is not known
   * @param silence why its own word is missing; empty when it was heard
   */
  public record Replica(
      String name,
      String identity,
      Role role,
      Optional<String> version,
      Optional<Instant> started,
      Optional<String> node,
      Optional<String> silence) {}

  /** Whether a Service lists a member, and how. */
  public enum Listing {
    READY,
    NOT_READY,
    ABSENT,
    /** Nobody who can be asked has decided on it. */
    UNKNOWN
  }

  /**
   * One control plane, or an address that the target lists and the source does not.
   *
   * @param address with the port
   * @param node where the source says so
   * @param source what the source says
   * @param wanted how it should be published
   * @param published how it is
   * @param drainedUntil until when a person has taken it out; empty when nobody has
   * @param probes what each replica that probes it has found, the leader first
   */
  public record MemberStatus(
      String address,
      Optional<String> node,
      Listing source,
      Listing wanted,
      Listing published,
      Optional<Instant> drainedUntil,
      List<Probe> probes) {
    public MemberStatus {
      probes = List.copyOf(probes);
    }

    /** The same, with these probes. */
    public MemberStatus with(List<Probe> found) {
      return new MemberStatus(address, node, source, wanted, published, drainedUntil, found);
    }

    /** The word that counts: the leader's, where it was heard. */
    public Optional<Probe> probe() {
      return probes.stream().findFirst();
    }
  }

  /**
   * What one replica's probes say of a member.
   *
   * @param since when this state began; empty while it is unknown
   * @param latency how long the last answer took, with the handshake if one was needed
   * @param certificateEnds when the certificate that it showed last expires
   * @param evidence why, for a person
   */
  public record Probe(
      String replica,
      MemberHealth.State state,
      Optional<Instant> since,
      Optional<Duration> latency,
      Optional<Instant> certificateEnds,
      String evidence) {}

  /** The mode of one address family. */
  public record Gate(AddressFamily family, GateState.Mode mode) {}

  /**
   * One thing that has happened.
   *
   * @param replica whose word it is
   * @param reason one CamelCase word, as in docs/reference
   * @param warning whether it needs a person's attention
   */
  public record Transition(
      Instant at, String replica, String reason, boolean warning, String message) {}
}
