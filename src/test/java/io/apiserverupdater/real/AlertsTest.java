package io.apiserverupdater.real;

import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toMap;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.manifests.AlertRules;
import io.apiserverupdater.manifests.Dashboard;
import io.apiserverupdater.manifests.Prometheus;
import io.apiserverupdater.sandbox.Json;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A real Prometheus scrapes real replicas while real faults happen: each alert that ships fires,
 * with its labels, and resolves, but for those {@link #ELSEWHERE}. A minute in {@code for} is a
 * second here, see {@link AlertRules#hastened}; MonitoringTest has the rule tests of promtool,
 * which count the minutes.
 */
@Tag("real")
@Timeout(300)
class AlertsTest {
  @RegisterExtension
  static final UpdaterCluster cluster = new UpdaterCluster(Lab.builder("alerts"));

  /** The rules wait for up to two minutes by themselves. */
  private static final Duration SOON = Duration.ofSeconds(150);

  private static final String WEBHOOKS =
      "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

  /**
   * Alerts without a fault here, which have a rule test only. An apiserver must be asked to be
   * caught at a contradiction: one that comes back with a broken authorizer is asked after the
   * others.
   */
  private static final Set<String> ELSEWHERE = Set.of("ApiserverUpdaterApiserverDistrusted");

  @Test
  void eachAlertFiresAndResolves() {
    List<Replica> both = cluster.startBoth();
    cluster.awaitTarget();
    Lab lab = cluster.lab();
    AlertRules shipped = AlertRules.shipped(lab.projectRoot());
    try (Prometheus prometheus =
        Prometheus.start(
            lab.projectRoot(),
            lab.work(),
            lab.logs().resolve("prometheus.log"),
            shipped.hastened(60),
            both.stream()
                .collect(
                    toMap(
                        replica -> replica.pod().name(),
                        replica -> replica.worker().host().address() + ":8080")))) {
      Alerts alerts = new Alerts(prometheus);
      Deadline.in(SOON)
          .await(
              "a scrape of both",
              () -> prometheus.values("count(apiserver_updater_leader)").contains(2.0));
      // Before that nobody seemed to lead.
      alerts.allResolve();
      Replica leader = cluster.leader();
      Replica standby = both.stream().filter(it -> it != leader).findFirst().orElseThrow();

      // From here on this takes two minutes; the other faults come meanwhile, at the leader.
      cutOff(standby);
      alerts.fires("Holding", "pod", standby.pod().name());
      for (ControlPlaneHost host : lab.controlPlanes()) {
        alerts.fires("MemberUnready", "address", address(host));
      }
      certificatesEnd(alerts);
      drainIsUnreadable(alerts);
      nobodyIsReady(alerts, leader);
      writesFail(alerts);
      alerts.fires("SourceStale", "pod", standby.pod().name());
      alerts.fires("NoStandby");
      standby.worker().host().unfilter("cut_off");
      // The standby lists all members as long as it is cut off.
      oneIsLost(alerts);
      nobodyLeads(alerts, both);
      alerts.allResolve();

      assertEquals(
          namesAndSeverities(
              shipped.rules().stream()
                  .map(AlertsTest::alert)
                  .filter(it -> !ELSEWHERE.contains(it.get("alertname")))),
          namesAndSeverities(prometheus.history().stream().map(Prometheus.Firing::labels)));
      assertDashboardHasData(prometheus, lab);
    }
  }

  private static Map<String, String> alert(JsonObject rule) {
    return Map.of(
        "alertname", Json.text(rule, "alert"), "severity", Json.text(rule, "labels/severity"));
  }

  private static Set<String> namesAndSeverities(Stream<Map<String, String>> alerts) {
    return alerts
        .map(labels -> labels.get("alertname") + " " + labels.get("severity"))
        .collect(toCollection(TreeSet::new));
  }

  private static String address(ControlPlaneHost host) {
    return host.address() + ":" + Lab.APISERVER_PORT;
  }

  /** It reaches no apiserver, by the Service neither; Prometheus reaches it. */
  private static void cutOff(Replica replica) {
    replica
        .worker()
        .host()
        .filter(
            "cut_off",
            """
            chain output {
              type filter hook output priority 0
              meta skuid %d tcp dport %d reject with tcp reset
            }
            """
                .formatted(UpdaterCluster.POD_USER, Lab.APISERVER_PORT));
  }

  /** The warning for one control plane, and what is critical for another. */
  private static void certificatesEnd(Alerts alerts) {
    Lab lab = cluster.lab();
    ControlPlaneHost soon = lab.controlPlane(1);
    ControlPlaneHost sooner = lab.controlPlane(2);
    soon.restartWith(lab.certificate(soon, Duration.ofDays(20)));
    sooner.restartWith(lab.certificate(sooner, Duration.ofDays(2)));
    alerts.fires("CertificateExpiring", "address", address(soon), "severity", "warning");
    alerts.fires("CertificateExpiring", "address", address(sooner), "severity", "critical");
    awaitEvent("CertificateExpiring", "the certificate of " + address(soon) + " expires at ");
    awaitEvent("CertificateExpiring", "the certificate of " + address(sooner) + " expires at ");
    soon.restartWith();
    sooner.restartWith();
    alerts.resolves("CertificateExpiring");
  }

  /** What a person finds who describes the Service, beside the alert. */
  private static void awaitEvent(String reason, String text) {
    Deadline.in(SOON)
        .await(
            "the Event " + reason + ": " + text,
            () ->
                cluster.admin().list(UpdaterCluster.EVENTS).stream()
                    .filter(event -> Json.text(event, "reason").equals(reason))
                    .anyMatch(event -> Json.text(event, "message").contains(text)),
            () -> cluster.admin().list(UpdaterCluster.EVENTS).toString());
  }

  private static void drainIsUnreadable(Alerts alerts) {
    cluster.drain("\"tomorrow\"");
    alerts.fires("Refused", "reason", "UnreadableDrain");
    awaitEvent("Refused", "UnreadableDrain");
    cluster.drain("null");
    alerts.resolves("Refused");
  }

  private static void nobodyIsReady(Alerts alerts, Replica leader) {
    List<ControlPlaneHost> all = cluster.lab().controlPlanes();
    all.forEach(ControlPlaneHost::cutStore);
    alerts.fires("FailedOpen", "pod", leader.pod().name());
    all.forEach(ControlPlaneHost::mendStore);
    alerts.resolves("FailedOpen");
  }

  /** As after the removal of a policy engine that has left its webhook behind. */
  private static void writesFail(Alerts alerts) {
    Lab lab = cluster.lab();
    cluster
        .admin()
        .create(
            WEBHOOKS,
            """
            {"apiVersion": "admissionregistration.k8s.io/v1",
             "kind": "ValidatingWebhookConfiguration",
             "metadata": {"name": "stale"},
             "webhooks": [{
               "name": "stale.example.com",
               "clientConfig": {"url": "https://172.30.0.1:1/"},
               "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 1,
               "admissionReviewVersions": ["v1"],
               "rules": [{"apiGroups": ["discovery.k8s.io"], "apiVersions": ["v1"],
                          "operations": ["*"], "resources": ["endpointslices"]}]}]}
            """);
    for (ControlPlaneHost host : lab.controlPlanes()) {
      Deadline.in(SOON)
          .await(
              "the webhook at " + host.name(),
              () ->
                  !host.admin()
                      .request(
                          "PATCH",
                          UpdaterCluster.SLICES + "/" + UpdaterCluster.SLICE + "?dryRun=All",
                          "application/merge-patch+json",
                          "{\"metadata\": {\"annotations\": {\"try\": \"1\"}}}")
                      .ok());
    }
    cluster.drain("\"" + lab.controlPlane(3).address() + "=2999-01-01T00:00:00Z\"");
    alerts.fires("WriteFailing", "object", "EndpointSlice");
    cluster.admin().delete(WEBHOOKS + "/stale");
    cluster.drain("null");
    alerts.resolves("WriteFailing");
  }

  /** It leaves the source some seconds after it was killed. */
  private static void oneIsLost(Alerts alerts) {
    ControlPlaneHost lost = cluster.lab().controlPlane(3);
    lost.kill();
    alerts.fires("MemberMissing");
    lost.restartWith();
    alerts.resolves("MemberMissing");
  }

  private static void nobodyLeads(Alerts alerts, List<Replica> both) {
    both.forEach(replica -> replica.pod().process().kill());
    alerts.fires("NoLeader");
    both.forEach(replica -> replica.pod().restart());
    alerts.resolves("NoLeader");
  }

  /**
   * Grafana is not there; what its panels ask is asked of Prometheus. After all that has happened
   * each of them has something to show.
   */
  private static void assertDashboardHasData(Prometheus prometheus, Lab lab) {
    List<String> expressions =
        Dashboard.shipped(lab.projectRoot(), Prometheus.INTERVAL).expressions();
    assertTrue(expressions.size() > 20, expressions::toString);
    for (String expression : expressions) {
      assertFalse(prometheus.values(expression).isEmpty(), () -> "no data: " + expression);
    }
  }

  /** What the rules make of it all. */
  private record Alerts(Prometheus prometheus) {
    private static final String PREFIX = "ApiserverUpdater";

    /** Waits for an alert with these labels. */
    void fires(String name, String... labels) {
      Deadline.in(SOON)
          .await(
              name + " with " + List.of(labels),
              () -> firing(name).anyMatch(alert -> has(alert, labels)),
              this::evidence);
      assertFalse(
          firing(name).anyMatch(alert -> alert.annotations().toString().contains("<error")),
          this::evidence);
    }

    /** Waits until no alert of that name fires. */
    void resolves(String name) {
      Deadline.in(SOON)
          .await("the end of " + name, () -> firing(name).findAny().isEmpty(), this::evidence);
    }

    void allResolve() {
      Deadline.in(SOON)
          .await("the end of all", () -> prometheus.firing().isEmpty(), this::evidence);
    }

    private Stream<Prometheus.Alert> firing(String name) {
      return prometheus.firing().stream()
          .filter(alert -> (PREFIX + name).equals(alert.labels().get("alertname")));
    }

    private static boolean has(Prometheus.Alert alert, String... labels) {
      for (int i = 0; i < labels.length; i += 2) {
        if (!labels[i + 1].equals(alert.labels().get(labels[i]))) {
          return false;
        }
      }
      return true;
    }

    private String evidence() {
      return "Firing: " + prometheus.firing() + "\nSo far: " + prometheus.history();
    }
  }
}
