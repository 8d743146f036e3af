package io.apiserverupdater.updater.dryrun;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.dryrun.Comparison.Action;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Drains;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.Service;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class DryRunTest {

  private static final String UP_TO_DATE =
      "nothing to change; target kube-system/apiserver matches the source default/kubernetes";

  private static Arguments row(
      String situation, Cluster cluster, int exitCode, String summary, String... changes) {
    return Arguments.of(situation, cluster, List.of(changes), exitCode, List.of(summary));
  }

  static Stream<Arguments> situations() {
    return Stream.of(
        row("the target is as the source", Cluster.settled(), 0, UP_TO_DATE),
        row(
            "nothing of ours is there yet",
            Cluster.settled().withoutSlices().withoutEndpoints(),
            1,
            "2 objects would be created, 0 updated, 0 deleted; target kube-system/apiserver",
            "CREATE EndpointSlice apiserver-ipv4",
            "CREATE Endpoints apiserver"),
        row(
            "the Endpoints alone are missing",
            Cluster.settled().withoutEndpoints(),
            1,
            "1 object would be created, 0 updated, 0 deleted; target kube-system/apiserver",
            "CREATE Endpoints apiserver"),
        row(
            "the Endpoints are missing and not wanted",
            Cluster.settled().withoutEndpoints().writing(false),
            0,
            UP_TO_DATE),
        row(
            "a member has joined",
            Cluster.settled().withSource("10.0.0.1", "10.0.0.2", "10.0.0.3"),
            1,
            "0 objects would be created, 2 updated, 0 deleted; target kube-system/apiserver",
            "UPDATE EndpointSlice apiserver-ipv4",
            "UPDATE Endpoints apiserver"),
        row(
            "a family has gone",
            Cluster.settled().withSlice(Cluster.slice(AddressFamily.IPV6, "IPv6", "fd00::1")),
            1,
            "0 objects would be created, 0 updated, 1 deleted; target kube-system/apiserver",
            "DELETE EndpointSlice apiserver-ipv6"),
        row(
            "a slice has the wrong address type",
            Cluster.settled().withSlice(Cluster.slice(AddressFamily.IPV4, "IPv6", "fd00::1")),
            1,
            "1 object would be created, 0 updated, 1 deleted; target kube-system/apiserver",
            "REPLACE EndpointSlice apiserver-ipv4"),
        row(
            "the Service is missing, all else is there",
            Cluster.settled().withService(Optional.empty()),
            1,
            "0 objects would be created, 0 updated, 0 deleted; target kube-system/apiserver, whose"
                + " Service must be created first",
            "AWAIT Service apiserver"),
        row(
            "a bare cluster",
            Cluster.settled().withService(Optional.empty()).withoutSlices().withoutEndpoints(),
            1,
            "2 objects would be created, 0 updated, 0 deleted; target kube-system/apiserver, whose"
                + " Service must be created first",
            "AWAIT Service apiserver",
            "CREATE EndpointSlice apiserver-ipv4",
            "CREATE Endpoints apiserver"),
        row(
            "the source is empty",
            Cluster.settled().withSource(),
            3,
            "refused: the source default/kubernetes has no endpoint; nothing is written, so the"
                + " last good state stays; if no listed apiserver works, check the apiservers'"
                + " logs and etcd; if kubectl get endpointslices -n default -l"
                + " kubernetes.io/service-name=kubernetes shows none named kubernetes but one of"
                + " another name, remove resourceNames from the updater's Role in namespace"
                + " default, so that it may find slices by their label"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("situations")
  void tellsWhatWouldChange(
      String situation, Cluster cluster, List<String> changes, int exitCode, List<String> summary) {
    Report report = cluster.compare();
    assertEquals(changes, changes(report), situation);
    assertEquals(exitCode, report.exitCode(), situation);
    assertEquals(summary, report.summary(), situation);
  }

  @Test
  void tellsEveryReasonToRefuseAndShowsNoWrite() {
    Service service = Cluster.service(Map.of("app", "x"), "10.96.0.64", 6443);
    Report report =
        Cluster.settled().withService(Optional.of(service)).withoutSlices().withSource().compare();
    assertEquals(
        List.of("EmptySource", "ServiceHasSelector"),
        report.refusals().stream().map(refusal -> refusal.reason()).toList());
    assertEquals(2, report.summary().size());
    assertEquals(List.of(), report.comparisons());
    assertEquals(3, report.exitCode());
  }

  @Test
  void refusesAnEmptySourceAlsoWithoutTheServiceAndStillShowsTheService() {
    Report report = Cluster.settled().withService(Optional.empty()).withSource().compare();
    assertEquals(List.of("AWAIT Service apiserver"), changes(report));
    assertEquals(3, report.exitCode());
  }

  @Test
  void showsTheServiceThatIsNeeded() {
    Report report = Cluster.settled().withService(Optional.empty()).compare();
    assertEquals(
        """
        apiVersion: v1
        kind: Service
        metadata:
          labels:
            app.kubernetes.io/name: apiserver-updater
          name: apiserver
          namespace: kube-system
        spec:
          clusterIP: 10.96.0.64
          ports:
          - name: https
            port: 6443
            protocol: TCP
            targetPort: 6443
        """,
        report.comparisons().get(0).mergedText().orElse(""));
    assertEquals(Optional.empty(), report.comparisons().get(0).liveText());
    assertEquals(
        List.of(
            "Service kube-system/apiserver does not exist, and the updater waits for it; it is"
                + " shown as required, and the rest as if it existed"),
        report.notes());
  }

  @Test
  void saysThatNoClusterWasRead() {
    Report report =
        Cluster.settled()
            .withService(Optional.empty())
            .withoutSlices()
            .withoutEndpoints()
            .unread()
            .compare();
    assertEquals(
        List.of(
            "no cluster was read, so Service kube-system/apiserver and its endpoints count as"
                + " absent; the updater waits for the Service, which is shown as required"),
        report.notes());
  }

  @Test
  void needsAnIpv6ServiceForAnIpv6Source() {
    Report report =
        Cluster.settled().withService(Optional.empty()).withIpv6Source("fd00::1").compare();
    String text = report.comparisons().get(0).mergedText().orElse("");
    assertEquals(
        """
        spec:
          ipFamilies:
          - IPv6
          ports:
        """,
        text.substring(text.indexOf("spec:"), text.indexOf("  - name:")));
    assertEquals(
        "the source has IPv6 addresses only: set spec.clusterIP of the Service to a free address of"
            + " the cluster's IPv6 Service range",
        report.notes().get(1));
    assertEquals(List.of(), report.warnings());
  }

  private static Arguments service(String situation, Service service, String... warnings) {
    return Arguments.of(situation, service, List.of(warnings));
  }

  static Stream<Arguments> services() {
    return Stream.of(
        service("sound", Cluster.service(Map.of(), "10.96.0.64", 6443)),
        service(
            "headless",
            Cluster.service(Map.of(), "None", 6443),
            "Service kube-system/apiserver is headless (clusterIP None), so kube-proxy has"
                + " no rules for it; delete it and create it with a fixed clusterIP"),
        service(
            "another port",
            Cluster.service(Map.of(), "10.96.0.64", 443),
            "Service kube-system/apiserver has no port 6443, only 443; add the port 6443"
                + " with protocol TCP, or use another port on the nodes"),
        service(
            "another family",
            Cluster.service("fd00:96::64", List.of(AddressFamily.IPV6), "TCP"),
            "Service kube-system/apiserver has no IPv4 address, but the source has IPv4"
                + " endpoints, which kube-proxy ignores; add IPv4 to"
                + " spec.ipFamilies"),
        service(
            "local traffic only",
            new Service(
                "apiserver",
                "ClusterIP",
                Map.of(),
                "10.96.0.64",
                List.of(AddressFamily.IPV4),
                List.of(new Port("https", 6443, "TCP")),
                true,
                false,
                Drains.NONE),
            "Service kube-system/apiserver has internalTrafficPolicy Local, so kube-proxy drops its"
                + " connections on every node whose name no endpoint carries, and the apiservers'"
                + " own slice carries none; set spec.internalTrafficPolicy to Cluster"),
        service(
            "local traffic only, from outside",
            new Service(
                "apiserver",
                "LoadBalancer",
                Map.of(),
                "10.96.0.64",
                List.of(AddressFamily.IPV4),
                List.of(new Port("https", 6443, "TCP")),
                false,
                true,
                Drains.NONE),
            "Service kube-system/apiserver has externalTrafficPolicy Local, so no node accepts"
                + " connections from outside whose name no endpoint carries, and the apiservers'"
                + " own slice carries none; set spec.externalTrafficPolicy to Cluster"),
        service(
            "two families, and the source has the second one only",
            Cluster.service("fd00:96::64", List.of(AddressFamily.IPV6, AddressFamily.IPV4), "TCP"),
            "the cluster IP fd00:96::64 of Service kube-system/apiserver is IPv6, but the source"
                + " has no IPv6 endpoint, so connections to it fail; create the Service again with"
                + " the other family first in spec.ipFamilies"),
        service(
            "two families, and the source has the first one only",
            Cluster.service("10.96.0.64", List.of(AddressFamily.IPV4, AddressFamily.IPV6), "TCP")),
        service("families not told", Cluster.service("10.96.0.64", List.of(), "TCP")),
        service(
            "no TCP port, which is refused",
            Cluster.service("None", List.of(AddressFamily.IPV4), "UDP")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("services")
  void warnsAboutAServiceThatLeadsNowhere(
      String situation, Service service, List<String> warnings) {
    Report report = Cluster.settled().withService(Optional.of(service)).compare();
    assertEquals(warnings, report.warnings(), situation);
  }

  @Test
  void warnsAboutAClusterIpThatTheApiServerDoesNotKeepFree() {
    Cluster settled = Cluster.settled();
    assertEquals(List.of(), settled.withRange("10.96.0.0/12").compare().warnings());
    assertEquals(
        List.of(
            "the cluster IP 10.96.0.64 of Service kube-system/apiserver is in none of the cluster's"
                + " ranges [10.43.0.0/16]; choose a free address in one of them"),
        settled.withService(Optional.empty()).withRange("10.43.0.0/16").compare().warnings());
    assertEquals(
        List.of(
            "if Service kube-system/apiserver is ever deleted, Kubernetes may give its cluster IP"
                + " 10.96.0.64 to another one; choose one of the first 16 addresses of"
                + " 10.96.0.0/24"),
        settled.withRange("10.96.0.0/24").compare().warnings());
  }

  @Test
  void warnsAboutCertificatesThatExpireSoonOrLackTheClusterIp() {
    List<ServingCertificate> shown =
        List.of(
            shown("10.0.0.1", 29, "kubernetes.default.svc", "10.96.0.64"),
            shown("10.0.0.2", 30, "kubernetes.default.svc"),
            shown("10.0.0.3", -3, "10.96.0.64"));
    Cluster cluster = Cluster.settled().in(Cluster.NOTHING_ELSE.with(shown, List.of()));
    assertEquals(
        List.of(
            "the certificate of member 10.0.0.1:6443 expires in 29 days; renew it",
            "the certificate of member 10.0.0.3:6443 expired 3 days ago; renew it",
            "the certificates of the members [10.0.0.2:6443] lack the cluster IP 10.96.0.64;"
                + " clients that dial the address instead of the name need certificates that"
                + " contain it"),
        cluster.compare().warnings());
    Service headless = Cluster.service(Map.of(), "None", 6443);
    assertEquals(3, cluster.withService(Optional.of(headless)).compare().warnings().size());
  }

  @Test
  void warnsAboutClocksThatDiffer() {
    Instant noon = Instant.parse("2026-01-01T12:00:00Z");
    ServerClock late =
        ServerClock.of(
            new Member("10.0.0.1", 6443), noon, noon.plusMillis(4000), noon.plusMillis(4010));
    Cluster cluster = Cluster.settled().in(Cluster.NOTHING_ELSE.with(List.of(), List.of(late)));
    assertEquals(
        List.of(
            "the clock of this machine is at least 3.0 s ahead of that of member 10.0.0.1:6443;"
                + " certificates and tokens may count as expired or not yet valid, and logs do not"
                + " fit together; check time synchronization"),
        cluster.compare().warnings());
  }

  private static ServingCertificate shown(String address, int days, String... names) {
    return new ServingCertificate(new Member(address, 6443), List.of(names), Duration.ofDays(days));
  }

  @Test
  void warnsAboutALabelThatHidesASliceFromKubeProxy() {
    EndpointSlice ours = Cluster.slice(AddressFamily.IPV4, "IPv4", "10.0.0.1", "10.0.0.2");
    Map<String, String> labels = new HashMap<>(ours.labels());
    labels.put("service.kubernetes.io/headless", "");
    EndpointSlice hidden =
        new EndpointSlice(
            ours.name(), ours.addressType(), labels, ours.ports(), ours.endpoints(), "7");
    assertEquals(
        List.of(
            "EndpointSlice kube-system/apiserver-ipv4 has the label service.kubernetes.io/headless,"
                + " so kube-proxy passes over it; remove the label"),
        Cluster.settled().withSlice(hidden).compare().warnings());
  }

  /** As the selectors of kube-proxy's informers and its list of address types have it. */
  private static EndpointSlice unused(String addressType, Map<String, String> labels) {
    EndpointSlice used = Cluster.slice(AddressFamily.IPV4, "IPv4", "10.0.0.7");
    return new EndpointSlice("x", addressType, labels, used.ports(), used.endpoints(), "1");
  }

  @Test
  void warnsAboutSlicesOfOtherWriters() {
    EndpointSlice ours = Cluster.slice(AddressFamily.IPV4, "IPv4", "10.0.0.9", "10.0.0.8");
    EndpointSlice old =
        new EndpointSlice("apiserver-old", "IPv4", Map.of(), ours.ports(), ours.endpoints(), "1");
    EndpointSlice empty =
        new EndpointSlice("apiserver-x", "IPv4", Map.of(), ours.ports(), List.of(), "1");
    Report report =
        Cluster.settled()
            .in(
                new Surroundings(
                    Optional.of(
                        List.of(
                            old,
                            empty,
                            unused("IPv4", Map.of("service.kubernetes.io/headless", "")),
                            unused("IPv4", Map.of("service.kubernetes.io/service-proxy-name", "x")),
                            unused("FQDN", Map.of()))),
                    List.of(),
                    List.of(),
                    List.of()))
            .compare();
    assertEquals(
        List.of(
            "EndpointSlice kube-system/apiserver-old, managed by nobody, belongs to Service"
                + " kube-system/apiserver too, so kube-proxy also uses its addresses [10.0.0.8,"
                + " 10.0.0.9]; stop its writer and delete it: kubectl -n kube-system delete"
                + " endpointslice apiserver-old"),
        report.warnings());
    assertEquals(Report.NOTHING_TO_CHANGE, report.exitCode());
    assertEquals(List.of(), report.notes());
  }

  @Test
  void saysWhenSlicesOfOtherWritersCouldNotBeLookedFor() {
    Report report = Cluster.settled().in(Surroundings.UNKNOWN).compare();
    assertEquals(
        List.of(
            "other slices of Service kube-system/apiserver were not looked for: endpointslices"
                + " cannot be listed by label"),
        report.notes());
    assertEquals(List.of(), report.warnings());
  }

  @Test
  void printsMembersThenNotesThenWarningsThenTheSummary() {
    Report report =
        new Report(
            "default/kubernetes",
            Cluster.TARGET,
            List.of(),
            PROBED,
            List.of("n"),
            List.of("w"),
            List.of());
    assertEquals(
        List.of(
            "member 10.0.0.1:6443: ready",
            "member 10.0.0.2:6443: unready: connection refused",
            "note: n",
            "warning: w",
            UP_TO_DATE),
        report.messages());
  }

  @Test
  void sameStateSameReport() {
    Cluster cluster = Cluster.settled().withSource("10.0.0.9");
    assertEquals(cluster.compare(), cluster.compare());
  }

  private static final Map<Member, MemberHealth> PROBED = probed();

  private static Map<Member, MemberHealth> probed() {
    Map<Member, MemberHealth> probed = new LinkedHashMap<>();
    probed.put(new Member("10.0.0.1", 6443), MemberHealth.READY);
    probed.put(
        new Member("10.0.0.2", 6443),
        new MemberHealth(
            MemberHealth.State.UNREADY, false, Optional.empty(), "connection refused"));
    return probed;
  }

  @Test
  void comparesWithWhatIsPublished() {
    Cluster cluster = Cluster.settled();
    EndpointsSnapshot.Usable through =
        new EndpointsSnapshot.Usable(
            new EndpointsSnapshot(
                Map.of(
                    AddressFamily.IPV4,
                    new EndpointsSnapshot.Members(
                        6443,
                        List.of(
                            Endpoint.ready("10.0.0.1"),
                            Endpoint.ready("10.0.0.2").withReady(false))))));
    Report report = cluster.compare(through, PROBED, GateState.INITIAL);
    assertEquals(Report.CHANGES, report.exitCode());
    String diff = Output.DIFF.render(report, false);
    assertTrue(diff.contains("-    ready: true\n+    ready: false\n"), diff);
    String json = Output.JSON.render(report, false);
    assertTrue(json.contains("\"evidence\": \"connection refused\""), json);
  }

  @Test
  void notesWhoIsDrained() {
    Cluster cluster = Cluster.settled();
    Report report =
        cluster.compare(
            cluster.reading(),
            PROBED,
            GateState.INITIAL,
            Map.of(new Member("10.0.0.1", 6443), Instant.parse("2026-01-02T03:04:05Z")));
    assertEquals(
        List.of("member 10.0.0.1:6443 is drained until 2026-01-02T03:04:05Z"), report.notes());
  }

  @Test
  void warnsWhenTheProbesAreNotBelieved() {
    Cluster cluster = Cluster.settled();
    for (GateState.Mode mode : List.of(GateState.Mode.FAIL_OPEN, GateState.Mode.HOLD)) {
      GateState gate =
          new GateState(
              Map.of(AddressFamily.IPV4, new GateState.Family(mode, Map.of(), Optional.empty())));
      Report report = cluster.compare(cluster.reading(), PROBED, gate);
      assertEquals(1, report.warnings().size(), report.warnings()::toString);
      assertTrue(report.warnings().get(0).startsWith("no member "), report.warnings().get(0));
    }
  }

  private static List<String> changes(Report report) {
    return report.comparisons().stream()
        .peek(
            comparison -> {
              Action action = comparison.action();
              assertEquals(
                  action == Action.CREATE || action == Action.AWAIT, comparison.live().isEmpty());
              assertEquals(action == Action.DELETE, comparison.merged().isEmpty());
            })
        .map(it -> it.action() + " " + it.object().kind() + " " + it.object().name())
        .toList();
  }
}
