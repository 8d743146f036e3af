package io.apiserverupdater.updater.status;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Drains;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.ServedObjects;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.status.ClusterStatus.Answer;
import io.apiserverupdater.updater.status.ClusterStatus.Pod;
import io.apiserverupdater.updater.status.StatusReport.Listing;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Replica;
import io.apiserverupdater.updater.status.StatusReport.Role;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ClusterStatusTest {
  private static final MirrorRule RULE =
      new MirrorRule("default/kubernetes", new TargetName("kube-system", "apiserver"), false);

  /** What a replica serves: itself, and its own probes. */
  private static StatusReport own(StatusReport all, String name) {
    return new StatusReport(
        all.at(),
        all.source(),
        all.target(),
        all.lease(),
        all.replicas().stream().filter(it -> it.name().equals(name)).toList(),
        all.members().stream()
            .map(it -> it.with(it.probes().stream().filter(p -> p.replica().equals(name)).toList()))
            .toList(),
        all.gates(),
        all.differences(),
        all.refusals(),
        all.transitions().stream().filter(it -> it.replica().equals(name)).toList(),
        all.troubles());
  }

  private static Pod heard(StatusReport all, String name) {
    return new Pod(name, Optional.of("node-of-" + name), new Answer.Heard(own(all, name)));
  }

  private static Pod silent(String name) {
    return new Pod(name, Optional.empty(), new Answer.Silent("403 Forbidden: pods/proxy"));
  }

  private static ObservedState state(Endpoint... published) {
    List<Endpoint> source =
        List.of(
            Endpoint.ready("10.0.0.11"), Endpoint.ready("10.0.0.12"), Endpoint.ready("10.0.0.13"));
    return new ObservedState(
        List.of(ServedObjects.source(source)),
        Optional.of(ServedObjects.service()),
        Map.of(
            AddressFamily.IPV4,
            ServedObjects.target(published.length == 0 ? source : Arrays.asList(published))),
        Optional.empty());
  }

  private static StatusReport report(
      Optional<ObservedState> state, List<String> gaps, Pod... pods) {
    return new ClusterStatus(
            RULE, state, Optional.of(Reports.lease(Duration.ZERO)), Arrays.asList(pods), gaps)
        .report(Reports.NOW);
  }

  @Test
  void putsTheWordsOfAllReplicasTogetherTheLeadersFirst() {
    StatusReport all = Reports.oneDown();
    StatusReport report =
        report(
            Optional.of(
                state(
                    Endpoint.ready("10.0.0.11"),
                    Endpoint.ready("10.0.0.12").withReady(false),
                    Endpoint.ready("10.0.0.13"))),
            List.of(),
            heard(all, Reports.STANDBY),
            heard(all, Reports.LEADER));
    assertEquals(
        List.of(Reports.LEADER, Reports.STANDBY),
        report.replicas().stream().map(Replica::name).toList());
    assertEquals(Optional.of("node-of-" + Reports.LEADER), report.replicas().get(0).node());
    MemberStatus down = report.members().get(1);
    assertEquals("10.0.0.12:6443", down.address());
    assertEquals(
        List.of(Reports.LEADER, Reports.STANDBY),
        down.probes().stream().map(it -> it.replica()).toList());
    assertEquals(all.transitions(), report.transitions());
    assertEquals(List.of(), report.differences());
    assertEquals(
        List.of(
            "10.0.0.12:6443 has not been ready for 12s: " + Reports.REFUSED,
            "the certificate of 10.0.0.12:6443 expires in 12d"),
        Findings.of(report));
  }

  @Test
  void whatTheApiServerSaysIsComparedWithWhatTheLeaderWants() {
    StatusReport report =
        report(Optional.of(state()), List.of(), heard(Reports.oneDown(), Reports.LEADER));
    assertEquals(
        List.of(
            "update EndpointSlice apiserver-ipv4: 10.0.0.12:6443 is published as ready, expected"
                + " not ready"),
        report.differences());
  }

  @Test
  void silentReplicasAreNamedAndTheRestIsShown() {
    StatusReport report =
        report(Optional.of(state()), List.of(), silent(Reports.STANDBY), silent(Reports.LEADER));
    assertEquals(
        List.of(Role.UNKNOWN, Role.LEADER), report.replicas().stream().map(Replica::role).toList());
    assertEquals(3, report.members().size());
    assertTrue(report.members().stream().allMatch(it -> it.published() == Listing.READY));
    assertEquals(
        List.of(
            "replica " + Reports.STANDBY + ": 403 Forbidden: pods/proxy",
            "replica " + Reports.LEADER + ": 403 Forbidden: pods/proxy"),
        Findings.of(report));
  }

  /** Whoever may not ask the replicas, or finds them down, reads it from the annotation. */
  @Test
  void drainIsKnownAlsoWhereNoReplicaIsHeard() {
    Instant end = Reports.NOW.plusSeconds(60);
    Endpoint drained = Endpoint.ready("10.0.0.11").withReady(false);
    ObservedState published =
        state(drained, Endpoint.ready("10.0.0.12"), Endpoint.ready("10.0.0.13"));
    ObservedState annotated =
        new ObservedState(
            published.source(),
            Optional.of(
                ServedObjects.service(
                    new Drains(
                        List.of(
                            new Drains.Drain("10.0.0.11", end),
                            // Set aside: it is ready.
                            new Drains.Drain("10.0.0.12", end)),
                        List.of()))),
            published.slices(),
            published.endpoints());
    StatusReport report = report(Optional.of(annotated), List.of());
    assertEquals(
        List.of(Optional.of(end), Optional.empty(), Optional.empty()),
        report.members().stream().map(MemberStatus::drainedUntil).toList());
    assertEquals(List.of(), report.differences());
    assertTrue(
        Findings.of(report).stream().noneMatch(it -> it.contains("published as")),
        Findings.of(report)::toString);
  }

  @Test
  void holderThatIsNoPodIsNamed() {
    StatusReport report = report(Optional.of(state()), List.of("no replica was asked"));
    assertEquals(Reports.LEADER + "_0a1b2c3d", report.replicas().get(0).identity());
    assertTrue(
        Findings.of(report)
            .contains(
                "replica %s_0a1b2c3d: it holds the Lease, but is none of the pods"
                    .formatted(Reports.LEADER)));
  }

  @Test
  void agesAreByTheReplicasClocks() {
    StatusReport report =
        new ClusterStatus(
                RULE,
                Optional.of(state()),
                Optional.empty(),
                List.of(heard(Reports.well(), Reports.LEADER)),
                List.of())
            .report(Reports.NOW.plus(Duration.ofHours(2)));
    assertEquals(Reports.NOW, report.at());
    assertEquals(Reports.well().lease(), report.lease());
  }

  @Test
  void withoutTheObjectsTheLeadersViewIsShown() {
    StatusReport all = Reports.oneDown();
    StatusReport report =
        report(Optional.empty(), List.of("403 Forbidden: slices"), heard(all, Reports.LEADER));
    assertEquals(Listing.NOT_READY, report.members().get(1).published());
    assertEquals(List.of("403 Forbidden: slices"), report.troubles());
  }

  @Test
  void replicasOfAnotherTargetAreNotThisOnes() {
    Pod other =
        new Pod("other", Optional.empty(), new Answer.Heard(Reports.saying("kube-system/other")));
    StatusReport report =
        report(Optional.of(state()), List.of(), other, heard(Reports.well(), Reports.LEADER));
    assertEquals(List.of(Reports.LEADER), report.replicas().stream().map(Replica::name).toList());
    assertEquals(List.of(), Findings.of(report));
  }
}
