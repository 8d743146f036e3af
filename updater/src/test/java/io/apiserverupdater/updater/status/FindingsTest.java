package io.apiserverupdater.updater.status;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.status.StatusReport.Gate;
import io.apiserverupdater.updater.status.StatusReport.LeaseHolder;
import io.apiserverupdater.updater.status.StatusReport.Listing;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Probe;
import io.apiserverupdater.updater.status.StatusReport.Replica;
import io.apiserverupdater.updater.status.StatusReport.Role;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FindingsTest {
  private static StatusReport report(
      Optional<LeaseHolder> lease,
      List<Replica> replicas,
      List<MemberStatus> members,
      Gate... gates) {
    return new StatusReport(
        Reports.NOW,
        "default/kubernetes",
        "kube-system/apiserver",
        lease,
        replicas,
        members,
        List.of(gates),
        List.of(),
        List.of(),
        List.of(),
        List.of());
  }

  private static final List<Replica> LED = List.of(Reports.replica(Reports.LEADER, Role.LEADER));
  private static final List<Replica> UNLED =
      List.of(Reports.replica(Reports.STANDBY, Role.STANDBY));

  @Test
  void wellIsWell() {
    assertEquals(List.of(), Findings.of(Reports.well()));
    assertTrue(Reports.well().isWell());
    assertFalse(Reports.oneDown().isWell());
  }

  @Test
  void oneReplicaWithoutAnElectionIsWell() {
    assertEquals(List.of(), Findings.of(report(Optional.empty(), LED, List.of())));
  }

  @Test
  void somebodyMustLead() {
    assertEquals(
        List.of("no replica leads, so nothing is written"),
        Findings.of(report(Optional.of(LeaseHolder.NOBODY), UNLED, List.of())));
  }

  /** As of a standby that has been cut off from its start on, while the other replica leads. */
  @Test
  void leaseThatHasNotBeenReadIsNotTakenForFree() {
    assertEquals(
        List.of("it is not known which replica leads: the Lease has not been read"),
        Findings.of(report(Optional.empty(), UNLED, List.of())));
  }

  /** As with two names of the Lease. */
  @Test
  void onlyOneMayLead() {
    List<Replica> both =
        List.of(
            Reports.replica(Reports.LEADER, Role.LEADER),
            Reports.replica(Reports.STANDBY, Role.LEADER));
    List<String> findings = Findings.of(report(Optional.empty(), both, List.of()));
    assertEquals(1, findings.size());
    assertTrue(
        findings.get(0).startsWith(Reports.LEADER + ", " + Reports.STANDBY + " all lead"),
        findings.get(0));
  }

  @Test
  void whatIsNotKnownIsNotClaimed() {
    assertEquals(List.of(), Findings.of(report(Optional.empty(), List.of(), List.of())));
    assertEquals(
        List.of("no replica leads, so nothing is written"),
        Findings.of(report(Optional.of(LeaseHolder.NOBODY), List.of(), List.of())));
  }

  @Test
  void clockOfWhoAsksDoesNotCountWhenTheLeaderIsHeard() {
    Optional<LeaseHolder> old = Optional.of(Reports.lease(Duration.ofMinutes(3)));
    assertEquals(List.of(), Findings.of(report(old, LED, List.of())));
  }

  @Test
  void leaderMustRenewItsLease() {
    Optional<LeaseHolder> fresh = Optional.of(Reports.lease(Duration.ofSeconds(13)));
    assertEquals(List.of(), Findings.of(report(fresh, UNLED, List.of())));
    Optional<LeaseHolder> old = Optional.of(Reports.lease(Duration.ofMinutes(3)));
    assertEquals(
        List.of(Reports.LEADER + "_0a1b2c3d holds the Lease and has not renewed it for 3m"),
        Findings.of(report(old, UNLED, List.of())));
  }

  @Test
  void gateThatIsNotNormalIsTold() {
    List<String> findings =
        Findings.of(
            report(
                Optional.empty(),
                LED,
                List.of(),
                new Gate(AddressFamily.IPV4, GateState.Mode.FAIL_OPEN),
                new Gate(AddressFamily.IPV6, GateState.Mode.HOLD)));
    assertEquals(2, findings.size());
    assertTrue(findings.get(0).startsWith("IPv4: no member is ready"), findings.get(0));
    assertTrue(findings.get(1).startsWith("IPv6: no member answers"), findings.get(1));
  }

  @Test
  void replicasThatDisagreeAreBothHeard() {
    MemberStatus member =
        Reports.member(
            1,
            Listing.READY,
            Reports.ready(Reports.LEADER),
            new Probe(
                Reports.STANDBY,
                MemberHealth.State.UNREADY,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                "No route to host"));
    assertEquals(
        List.of(
            "10.0.0.11:6443 is ready by the probes of %s and not ready by those of %s: No route to host"
                .formatted(Reports.LEADER, Reports.STANDBY)),
        Findings.of(report(Optional.empty(), LED, List.of(member))));
  }

  @Test
  void withoutProbesWhatIsPublishedCounts() {
    assertEquals(
        List.of("10.0.0.11:6443 is published as not ready"),
        Findings.of(report(Optional.empty(), LED, List.of(Reports.member(1, Listing.NOT_READY)))));
    assertEquals(
        List.of(),
        Findings.of(report(Optional.empty(), LED, List.of(Reports.member(1, Listing.READY)))));
  }

  @Test
  void certificateThatHasExpiredIsTold() {
    Probe expired =
        new Probe(
            Reports.LEADER,
            MemberHealth.State.READY,
            Optional.empty(),
            Optional.empty(),
            Optional.of(Reports.ago(Duration.ofHours(1))),
            "ready");
    assertEquals(
        List.of("the certificate of 10.0.0.11:6443 has expired"),
        Findings.of(
            report(Optional.empty(), LED, List.of(Reports.member(1, Listing.READY, expired)))));
  }
}
