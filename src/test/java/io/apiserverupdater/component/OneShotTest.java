package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.apiserverupdater.sandbox.AccessControl;
import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.Fault;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

@Tag("component")
class OneShotTest extends OnOneCluster {
  private final String user = Replicas.fresh("person");

  @SuppressWarnings("NullAway") // JUnit starts the replicas before it makes an instance.
  private final Path kubeconfig = replicas.kubeconfig(user);

  @SuppressWarnings("NullAway") // As above.
  private final String namespace = replicas.namespace();

  private UpdaterProcess.Result run(String namespace, String... flags) throws InterruptedException {
    List<String> all = new ArrayList<>(List.of(flags));
    all.add("--kubeconfig=" + kubeconfig);
    all.add("--namespace=" + namespace);
    // On a busy machine a healthy member may be slow to answer.
    all.add("--probe-timeout=3s");
    return replicas.oneShot(all.toArray(new String[0]));
  }

  /** As a person does who writes the manifests to a file first. */
  private String sourceYaml() {
    return new Yaml()
        .dump(
            new Yaml()
                .<Map<String, Object>>load(
                    cluster
                        .store()
                        .require(ApiResource.ENDPOINT_SLICES, "default", "kubernetes")
                        .toString()));
  }

  private void assertWroteNothing() {
    assertEquals(
        List.of(),
        cluster.audit().entries(e -> e.request().user().equals(user) && e.request().isWrite()));
  }

  @Test
  void onceBringsTheTargetInStepAndThenFindsNothingToDo() throws Exception {
    run(namespace, "--once").exits(0).says("2 objects written");
    assertTrue(replicas.isMirrored(namespace, cluster.runningAddresses()));
    long again = System.nanoTime();
    UpdaterProcess.Result nothing = run(namespace, "--once").exits(0);
    nothing.says("nothing to change");
    assertEquals(List.of(), replicas.writes(user, again));
    assertEquals(
        0,
        replicas.requests(user, again).stream()
            .filter(e -> e.request().resource().equals("leases"))
            .count());
  }

  @Test
  void onceRefusesWithOneAndTheReason() throws Exception {
    run(replicas.emptyNamespace(), "--once").exits(1).says("does not exist; create it");
    assertWroteNothing();
  }

  @Test
  void onceEndsWithTwoWhenItMayNotReadOrWrite() throws Exception {
    AccessControl.Denial read =
        cluster.access().deny(user, "list", "endpointslices", "default", "*");
    run(namespace, "--once").exits(2).says("403 Forbidden").says("cannot list resource");
    cluster.access().allowAgain(read);

    cluster.access().deny(user, "create", "endpointslices", namespace, "*");
    run(namespace, "--once").exits(2).says("cannot create resource");
  }

  @Test
  void onceAndDryRunEndWithTwoWhenNobodyAnswers() throws Exception {
    try (Replicas gone = new Replicas(SandboxCluster.start())) {
      Path config = gone.kubeconfig("person");
      gone.cluster().apiservers().forEach(server -> server.kill());
      for (String mode : List.of("--once", "--dry-run")) {
        UpdaterProcess.Result result = gone.oneShot(mode, "--kubeconfig=" + config).exits(2);
        result.says(gone.cluster().apiserver(0).ip());
        String error = result.err().lines().filter(it -> it.startsWith("error: ")).toList().get(0);
        List<String> told = List.of(error.substring("error: ".length()).split("; ", -1));
        assertEquals(told.stream().distinct().toList(), told, "each fault is told once");
        assertEquals("", result.out());
      }
    }
  }

  @Test
  void onceGetsByWhenOneAttemptIsLost() throws Exception {
    cluster.faults().next(1, r -> r.user().equals(user) && r.isWrite(), new Fault.AnswerLost());
    run(namespace, "--once").exits(0);
    assertTrue(replicas.isMirrored(namespace, cluster.runningAddresses()));
  }

  @Test
  void dryRunTellsByItsExitCodeAndWritesNothing() throws Exception {
    UpdaterProcess.Result changes = run(namespace, "--dry-run").exits(1);
    changes.prints("+++");
    for (String address : cluster.runningAddresses()) {
      changes.prints(address);
    }
    changes.says("2 objects would be created");
    run(namespace, "--dry-run", "--service=other").exits(1).says("Service must be created first");
    assertWroteNothing();

    run(namespace, "--once");
    UpdaterProcess.Result nothing = run(namespace, "--dry-run").exits(0);
    assertEquals("", nothing.out());
  }

  @Test
  void dryRunEndsWithThreeWhenRefusedAndWithTwoWhenForbidden() throws Exception {
    cluster
        .store()
        .patch(
            ApiResource.SERVICES,
            namespace,
            "apiserver",
            "{\"spec\":{\"selector\":{\"app\":\"mine\"}}}");
    UpdaterProcess.Result refused = run(namespace, "--dry-run").exits(3);
    refused.says("refused: ");
    cluster.access().deny(user, "list", "services", namespace, "*");
    run(namespace, "--dry-run").exits(2).says("cannot list resource");
    assertWroteNothing();
  }

  @Test
  void dryRunPrintsManifestsThatParse() throws Exception {
    UpdaterProcess.Result yaml = run(namespace, "--dry-run", "-o", "yaml").exits(1);
    List<Object> documents = new ArrayList<>();
    new Yaml().loadAll(yaml.out()).forEach(documents::add);
    assertTrue(documents.toString().contains("EndpointSlice"), yaml::toString);
    assertTrue(documents.toString().contains("apiserver-ipv4"), yaml::toString);
    UpdaterProcess.Result json = run(namespace, "--dry-run", "-o", "json").exits(1);
    assertTrue(
        JsonParser.parseString(json.out()).toString().contains("EndpointSlice"), json::toString);
  }

  @Test
  void dryRunTakesTheSourceFromAFileOrStdinAlsoWithoutACluster() throws Exception {
    Path file = replicas.folder().resolve(Replicas.fresh("source"));
    Files.writeString(file, sourceYaml().replace(cluster.apiserver(0).ip(), "10.9.9.9"));
    run(namespace, "--dry-run", "-f", file.toString()).exits(1).prints("10.9.9.9");

    replicas
        .run(UpdaterProcess.jar(List.of("--dry-run", "-f", "-")), Map.of(), Files.readString(file))
        .result(SOON)
        .exits(1)
        .prints("10.9.9.9");

    replicas
        .run(UpdaterProcess.jar(List.of("--dry-run", "-f", "-")), Map.of(), "{not: [yaml")
        .result(SOON)
        .exits(2);
    assertWroteNothing();
  }

  @Test
  void dryRunWarnsOfSlicesThatKubeProxyUsesBesideOurs() throws Exception {
    run(namespace, "--once").exits(0);
    String old =
        """
        {"metadata":{"name":"apiserver-old","labels":{"kubernetes.io/service-name":"apiserver"}},
         "addressType":"IPv4","ports":[{"name":"https","port":6443}],
         "endpoints":[{"addresses":["192.0.2.7"]}]}
        """;
    cluster.store().create(ApiResource.ENDPOINT_SLICES, namespace, old);
    run(namespace, "--dry-run", "--health-check=off").exits(0).says("[192.0.2.7]; stop its writer");

    cluster.access().deny(user, "list", "endpointslices", namespace, "");
    run(namespace, "--dry-run", "--health-check=off").exits(0).says("were not looked for");
  }

  private String clockWarning(Map<String, Duration> ahead) throws Exception {
    ahead.forEach(
        (apiserver, time) ->
            cluster
                .faults()
                .always(
                    r -> r.path().equals("/readyz") && r.apiserver().equals(apiserver),
                    new Fault.Dated(time)));
    UpdaterProcess.Result result = run(namespace, "--dry-run").exits(1);
    cluster.faults().clearAll();
    List<String> told = result.err().lines().filter(it -> it.contains("the clock of")).toList();
    assertEquals(ahead.isEmpty() ? 0 : 1, told.size(), result::toString);
    return String.join("", told);
  }

  @Test
  void dryRunWarnsOfAClockThatIsWrong() throws Exception {
    assertEquals("", clockWarning(Map.of()));
    String second = cluster.apiserver(1).url().replace("https://", "");
    Duration late = Duration.ofMinutes(-10);
    String members = clockWarning(Map.of("cp1", Duration.ZERO, "cp2", late, "cp3", Duration.ZERO));
    assertTrue(
        members.matches(
            "warning: the clock of member .* is at least 59.\\.. s ahead of that of member "
                + second
                + "; .*"),
        members);
    String machine = clockWarning(Map.of("cp1", late, "cp2", late, "cp3", late));
    assertTrue(
        machine.matches(
            "warning: the clock of this machine is at least 59.\\.. s ahead of that of member .*"),
        machine);
  }

  /** What is not read with the file is not absent. */
  @Test
  void dryRunComparesAFileWithTheCluster() throws Exception {
    Path file = replicas.folder().resolve(Replicas.fresh("source"));
    Files.writeString(file, sourceYaml());
    run(namespace, "--once").exits(0);
    UpdaterProcess.Result same = run(namespace, "--dry-run", "-f", file.toString()).exits(0);
    assertEquals("", same.out());
    same.says("nothing to change");

    Files.writeString(file, sourceYaml().replace(cluster.apiserver(0).ip(), "10.9.9.9"));
    UpdaterProcess.Result other = run(namespace, "--dry-run", "-f", file.toString()).exits(1);
    other.says("0 objects would be created, 2 updated, 0 deleted").prints("10.9.9.9");
    other.prints("-  - " + cluster.apiserver(0).ip());

    cluster
        .store()
        .patch(
            ApiResource.SERVICES,
            namespace,
            "apiserver",
            "{\"spec\":{\"selector\":{\"app\":\"mine\"}}}");
    run(namespace, "--dry-run", "-f", file.toString()).exits(3).says("app=mine");
  }

  @Test
  void wrongFlagsAreToldAllAtOnce() throws Exception {
    UpdaterProcess.Result result =
        replicas
            .oneShot(
                "--namspace=x", "--lease-duration=soon", "--source=nope", "--listen=here", "extra")
            .exits(2);
    assertEquals("", result.out());
    for (String told :
        List.of("did you mean --namespace", "--lease-duration", "--source", "--listen", "extra")) {
      assertTrue(result.err().contains(told), () -> told + " in " + result);
    }
    assertEquals(5, result.err().lines().filter(l -> l.startsWith("error: ")).count());
  }

  @Test
  void addressThatIsTakenIsToldAsItWasGiven() throws Exception {
    try (ServerSocket taken = new ServerSocket(0)) {
      for (String listen :
          List.of(":" + taken.getLocalPort(), "127.0.0.1:" + taken.getLocalPort())) {
        replicas
            .oneShot("--kubeconfig=" + kubeconfig, "--listen=" + listen)
            .exits(2)
            .says("error: --listen: cannot listen on " + listen + ": Address already in use");
      }
    }
  }

  @Test
  void noClusterAtAllIsAnErrorThatSaysWhereItLooked() throws Exception {
    replicas.oneShot("--listen=0").exits(2).says("~/.kube/config");
  }

  @Test
  void theKubeconfigIsFoundAsKubectlFindsIt() throws Exception {
    List<String> command =
        UpdaterProcess.jar(List.of("--dry-run", "--namespace=" + namespace, "--context=cp2"));
    replicas.run(command, Map.of("KUBECONFIG", kubeconfig.toString()), "").result(SOON).exits(1);
    Path home = Files.createDirectories(replicas.folder().resolve(Replicas.fresh("home")));
    Files.createDirectories(home.resolve(".kube"));
    Files.copy(kubeconfig, home.resolve(".kube/config"));
    replicas.run(command, Map.of("HOME", home.toString()), "").result(SOON).exits(1);
    assertTrue(
        cluster.audit().of(user).stream().allMatch(e -> e.request().apiserver().equals("cp2")),
        "another apiserver than the context's was asked");
    UpdaterProcess.Result wrong = run(namespace, "--dry-run", "--context=cp9").exits(2);
    assertTrue(Stream.of("cp1", "cp2", "cp3").allMatch(wrong.err()::contains), wrong::toString);
  }
}
