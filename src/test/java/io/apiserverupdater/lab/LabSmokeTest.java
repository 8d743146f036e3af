package io.apiserverupdater.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The lab itself: what the tests of the real tier take for granted. */
@Tag("real")
@Timeout(180)
class LabSmokeTest {
  private static final String SERVICES = "/api/v1/namespaces/kube-system/services";
  private static final String SLICES =
      "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final TrafficTarget APISERVER =
      TrafficTarget.of(Lab.APISERVER_SERVICE_ADDRESS, Lab.APISERVER_PORT, Lab.APISERVER_NAME);

  @Test
  void workersReachEveryApiserverThroughAServiceAndLoseNoneThatIsAlive() throws Exception {
    long start = System.nanoTime();
    Lab lab = Lab.builder("smoke").start();
    try (lab) {
      say("control plane and workers up", start);
      createService(lab);
      try (Traffic w1 = lab.worker(1).traffic(APISERVER);
          Traffic w2 = lab.worker(2).traffic(APISERVER)) {
        List<Traffic> traffics = List.of(w1, w2);
        w1.await("a refusal", all -> !all.isEmpty(), SOON);
        assertFalse(w1.samples().get(0).ok(), "without a slice nobody can answer");

        long published = System.nanoTime();
        lab.admin().create(SLICES, slice(lab.controlPlanes()));
        long acknowledged = System.nanoTime();
        for (Traffic traffic : traffics) {
          traffic.awaitOnly(Set.of("cp1", "cp2", "cp3"), 20, SOON);
        }
        say("slice created in", published, acknowledged);
        sayConvergence("after the first slice", traffics, acknowledged);

        ControlPlaneHost victim = lab.controlPlane(3);
        long killed = System.nanoTime();
        victim.kill();
        lab.admin()
            .patch(
                SLICES + "/apiserver-ipv4",
                slice(List.of(lab.controlPlane(1), lab.controlPlane(2))));
        long patched = System.nanoTime();
        for (Traffic traffic : traffics) {
          traffic.awaitOnly(Set.of("cp1", "cp2"), 40, SOON);
        }
        say("kill to patch acknowledged", killed, patched);
        sayConvergence("after the patch", traffics, patched);

        victim.restart();
        assertTrue(victim.reachable());
      }
      podsReachWhatTheirTokenAllows(lab);
      faultsHoldAndHeal(lab);
      waitingSurvivesTheApiserver(lab);
      auditNamesEveryWrite(lab);
    }
    assertEquals("", Execution.run(SOON, "ip", "netns", "list").out(), "namespaces are left");
    assertEquals(Set.of(), strangers(), "processes are left");
  }

  private static void createService(Lab lab) {
    lab.admin()
        .create(
            SERVICES,
            """
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "apiserver"},
             "spec": {"clusterIP": "%s",
                      "ports": [{"name": "https", "port": 6443, "targetPort": 6443}]}}
            """
                .formatted(Lab.APISERVER_SERVICE_ADDRESS));
  }

  private static String slice(List<ControlPlaneHost> members) {
    String endpoints =
        members.stream()
            .map(member -> "{\"addresses\": [\"" + member.address() + "\"]}")
            .collect(Collectors.joining(", "));
    return """
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
         "metadata": {"name": "apiserver-ipv4", "labels": {
           "kubernetes.io/service-name": "apiserver",
           "endpointslice.kubernetes.io/managed-by": "test"}},
         "addressType": "IPv4", "ports": [{"name": "https", "port": 6443}],
         "endpoints": [%s]}
        """
        .formatted(endpoints);
  }

  private static void podsReachWhatTheirTokenAllows(Lab lab) {
    lab.kubectl()
        .apply(
            """
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: reader, namespace: kube-system}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: reader, namespace: default}
            rules:
            - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [get]}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: reader, namespace: default}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
            subjects: [{kind: ServiceAccount, name: reader, namespace: kube-system}]
            """);
    String kubectl =
        KubeBinaries.locate(Path.of(System.getProperty("project.root"))).program("kubectl");
    try (PodProcess allowed =
        lab.pod(lab.worker(1), "reader-1")
            .namespace("kube-system")
            .serviceAccount("reader")
            .runAsUser(65532)
            .start(kubectl, "-n", "default", "get", "endpointslices", "kubernetes")) {
      assertEquals(0, allowed.process().awaitExit(SOON), allowed.process().logTail());
      assertTrue(allowed.process().logText().contains("172.30.1.1"), allowed.process().logTail());
      String first = allowed.token();
      allowed.rotateToken();
      assertFalse(allowed.token().equals(first), "the token did not change");
      allowed.restart();
      assertEquals(0, allowed.process().awaitExit(SOON), allowed.process().logTail());
    }
    Execution forbidden =
        lab.pod(lab.worker(2), "reader-2")
            .namespace("kube-system")
            .serviceAccount("reader")
            .run(SOON, kubectl, "-n", "default", "get", "secrets");
    assertEquals(1, forbidden.exitCode(), forbidden.err());
    assertEquals("", forbidden.out());
    assertTrue(
        forbidden.err().contains("system:serviceaccount:kube-system:reader\" cannot list"),
        forbidden.err());
  }

  private static void faultsHoldAndHeal(Lab lab) {
    ControlPlaneHost victim = lab.controlPlane(2);
    TrafficTarget direct =
        TrafficTarget.of(victim.address(), Lab.APISERVER_PORT, Lab.APISERVER_NAME)
            .within(Duration.ofMillis(300));
    try (Traffic traffic = lab.worker(1).traffic(direct)) {
      traffic.awaitOnly(Set.of("cp2"), 10, SOON);
      victim.pause();
      traffic.await(
          "requests that nobody answers",
          all -> all.stream().anyMatch(sample -> sample.outcome().equals("deadline-tls")),
          SOON);
      victim.resume();
      traffic.awaitOnly(Set.of("cp2"), 10, SOON);
      victim.unplug();
      traffic.await(
          "requests that nobody receives",
          all -> all.stream().anyMatch(sample -> sample.outcome().equals("deadline-connect")),
          SOON);
      assertFalse(victim.reachable());
      victim.plug();
      traffic.awaitOnly(Set.of("cp2"), 10, Duration.ofSeconds(30));
      long joined = System.nanoTime();
      ControlPlaneHost fourth = lab.addControlPlane();
      say("a fourth control plane ready", joined);
      assertEquals("cp4", fourth.name());
    }
    lab.awaitAddresses(
        "default",
        "kubernetes",
        Set.of("172.30.1.1", "172.30.1.2", "172.30.1.3", "172.30.1.4"),
        SOON);
    lab.stopControllerManager();
    lab.startControllerManager();
    lab.worker(1).stopProxy();
    lab.worker(1).startProxy();
  }

  private static void waitingSurvivesTheApiserver(Lab lab) throws Exception {
    ControlPlaneHost watched = lab.controlPlane(1);
    CompletableFuture<Void> waiting =
        CompletableFuture.runAsync(
            () -> lab.awaitAddresses("kube-system", "apiserver-ipv4", Set.of("172.30.1.2"), SOON));
    watched.kill();
    lab.admin().patch(SLICES + "/apiserver-ipv4", slice(List.of(lab.controlPlane(2))));
    waiting.get(SOON.toSeconds(), TimeUnit.SECONDS);
    assertEquals(Set.of("172.30.1.2"), lab.addresses("kube-system", "apiserver-ipv4"));
    watched.restart();
  }

  private static void auditNamesEveryWrite(Lab lab) {
    List<AuditEntry> creations =
        lab.auditSince(Instant.EPOCH).stream()
            .filter(AuditEntry::isWrite)
            .filter(entry -> entry.resource().equals("endpointslices"))
            .filter(entry -> entry.user().equals("lab-admin"))
            .toList();
    assertEquals(
        List.of("create", "patch", "patch"), creations.stream().map(AuditEntry::verb).toList());
    assertEquals("lab-admin", creations.get(0).userAgent());
  }

  private static Set<String> strangers() {
    // Process 1 is the universe, its child what it runs; this JVM descends from that.
    Set<String> family =
        ProcessHandle.current()
            .descendants()
            .map(process -> process.info().command().orElse("?"))
            .collect(Collectors.toCollection(TreeSet::new));
    ProcessHandle.allProcesses()
        .map(process -> process.info().command().orElse("?"))
        .filter(command -> command.contains("kube"))
        .forEach(family::add);
    return family;
  }

  private static void sayConvergence(String when, List<Traffic> traffics, long since) {
    for (Traffic traffic : traffics) {
      System.out.println(
          "lab: last failed request began "
              + traffic.outageSince(since).toMillis()
              + " ms "
              + when
              + ", failed since: "
              + traffic.failuresSince(since).size());
    }
  }

  private static void say(String what, long since) {
    say(what, since, System.nanoTime());
  }

  private static void say(String what, long from, long until) {
    System.out.println("lab: " + what + ": " + (until - from) / 1_000_000 + " ms");
  }
}
