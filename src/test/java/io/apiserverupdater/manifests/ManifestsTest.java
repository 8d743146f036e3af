package io.apiserverupdater.manifests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.KubeBinaries;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The chart, as Helm 3 and Helm 4 render it, has the objects that kustomize makes; so has the file
 * that the build makes. Needs no cluster.
 */
@Tag("real")
@Timeout(120)
class ManifestsTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String KEEP = "helm.sh/resource-policy";
  private static final String DEPLOYMENT = "Deployment kube-system/apiserver-updater";
  private static final String CONTAINER = "/spec/template/spec/containers/0";

  @TempDir Path work;

  /**
   * A setting of the chart, and what does the same with kustomize.
   *
   * @param values each as {@code PATH=JSON}
   * @param kustomization what stands in it below the base
   */
  private record Setting(String name, List<String> values, String kustomization) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Setting> settings() {
    String sha = "sha256:" + "0123456789abcdef".repeat(4);
    return Stream.of(
        new Setting("defaults", List.of(), ""),
        // The components, each by itself.
        component("node-reader", "nodeReader.enabled=true"),
        component("admission-policy", "admissionPolicy.enabled=true"),
        component("network-policy", "networkPolicy.enabled=true"),
        component("monitoring", "monitoring.enabled=true"),
        component("host-network", "hostNetwork=true"),
        component("load-balancer", "service.type=\"LoadBalancer\""),
        component("single-replica", "replicas=1"),
        component(
            "control-plane-nodes",
            "nodeSelector={\"node-role.kubernetes.io/control-plane\": \"\"}"),
        component(
            "any-taint",
            """
            tolerations=[
              {"operator": "Exists", "effect": "NoSchedule"},
              {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists",
               "effect": "NoSchedule"},
              {"key": "node-role.kubernetes.io/master", "operator": "Exists",
               "effect": "NoSchedule"}]
            """),
        component("tcp-health-check", "healthCheck.type=\"tcp\""),
        component(
            "distant-control-planes",
            "healthCheck.interval=\"1s\"",
            "healthCheck.timeout=\"2s\"",
            "healthCheck.fall=3"),
        // What every cluster has of its own.
        new Setting(
            "example",
            List.of(
                "clusterIP=\"10.96.0.65\"",
                "image.repository=\"registry.example.com/apiserver-updater\"",
                "nodeReader.enabled=true",
                "admissionPolicy.enabled=true"),
            "resources: [DEPLOY/example]\n"),
        // What a patch does.
        patch("replace Service /spec/clusterIP \"fd00:96::64\"", "clusterIP=\"fd00:96::64\""),
        patch("add Service /spec/type \"NodePort\"", "service.type=\"NodePort\""),
        patch(
            """
            add Service /spec/type "LoadBalancer"
            add Service /spec/loadBalancerClass "example.com/lb"
            """,
            "service={\"type\": \"LoadBalancer\", \"loadBalancerClass\": \"example.com/lb\"}"),
        patch(
            """
            add Service /spec/type "LoadBalancer"
            add Service /spec/loadBalancerSourceRanges ["203.0.113.0/24"]
            add Service /spec/allocateLoadBalancerNodePorts false
            """,
            "service.type=\"LoadBalancer\"",
            "service.loadBalancerSourceRanges=[\"203.0.113.0/24\"]",
            "service.allocateLoadBalancerNodePorts=false"),
        patch(
            "add Service /metadata/annotations {\"example.com/pool\": \"1\"}",
            "service.annotations={\"example.com/pool\": \"1\"}"),
        patch(
            "replace Deployment %s/image \"apiserver-updater:1.2.3@%s\"".formatted(CONTAINER, sha),
            "image.tag=\"1.2.3\"",
            "image.digest=\"" + sha + "\""),
        patch(
            "replace Deployment %s/imagePullPolicy \"Always\"".formatted(CONTAINER),
            "image.pullPolicy=\"Always\""),
        patch(
            "add Deployment /spec/template/spec/imagePullSecrets [{\"name\": \"registry\"}]",
            "imagePullSecrets=[{\"name\": \"registry\"}]"),
        patch("replace Deployment /spec/replicas 3", "replicas=3"),
        patch(
            "replace Deployment %s/resources/limits/memory \"256Mi\"".formatted(CONTAINER),
            "resources.limits.memory=\"256Mi\""),
        patch(
            "replace Deployment %s/resources/requests {\"cpu\": 1, \"memory\": \"96Mi\"}"
                .formatted(CONTAINER),
            "resources.requests.cpu=1",
            "resources.requests.memory=\"96Mi\""),
        patch(
            """
            replace Deployment %1$s/args/0 "--listen=:9090"
            replace Deployment %1$s/ports/0/containerPort 9090
            """
                .formatted(CONTAINER),
            "port=9090"),
        patch(
            "replace Deployment %s/args/4 \"--rise=3\"".formatted(CONTAINER), "healthCheck.rise=3"),
        patch(
            "add Deployment %s/args/- \"--status-page=false\"".formatted(CONTAINER),
            "statusPage=false"),
        // As YAML has it, where the word is not in quotes.
        patch(
            "replace Deployment %s/args/1 \"--health-check=off\"".formatted(CONTAINER),
            "healthCheck.type=false"),
        new Setting(
            "labels of the monitoring",
            List.of("monitoring={\"enabled\": true, \"labels\": {\"release\": \"x\"}}"),
            base(
                "components: [DEPLOY/components/monitoring]\n"
                    + patches(
                        """
                        add PodMonitor /metadata/labels/release "x"
                        add PrometheusRule /metadata/labels/release "x"
                        """))),
        new Setting(
            "peers of the network policy",
            List.of("networkPolicy={\"enabled\": true, \"from\": [{\"podSelector\": {}}]}"),
            base(
                "components: [DEPLOY/components/network-policy]\n"
                    + patches(
                        "replace NetworkPolicy /spec/ingress/0/from [{\"podSelector\": {}}]"))));
  }

  private static Setting component(String name, String... values) {
    return new Setting(
        name, List.of(values), base("components: [DEPLOY/components/" + name + "]\n"));
  }

  private static Setting patch(String patches, String... values) {
    return new Setting(String.join(" ", values), List.of(values), base(patches(patches)));
  }

  private static String base(String further) {
    return "resources: [DEPLOY/base]\n" + further;
  }

  /** Each line an operation of JSON Patch: {@code OPERATION KIND PATH VALUE}. */
  private static String patches(String operations) {
    return operations
        .lines()
        .map(line -> line.split(" ", 4))
        .map(
            word ->
                """
                  - target: {kind: %2$s}
                    patch: '[{"op": "%1$s", "path": "%3$s", "value": %4$s}]'
                """
                    .formatted((Object[]) word))
        .collect(Collectors.joining("", "patches:\n", ""));
  }

  @ParameterizedTest
  @MethodSource("settings")
  void chartHasTheObjectsOfKustomize(Setting setting) throws IOException {
    String wanted = kustomized(setting.kustomization()).text();
    for (int version : Helm.VERSIONS) {
      assertEquals(wanted, rendered(version, setting.values()).text(), "Helm " + version);
    }
  }

  @Test
  void everyValueIsInSomeSetting() throws IOException {
    Set<String> missed = ChartValues.read(ROOT.resolve("deploy/helm/values.yaml")).paths();
    settings()
        .flatMap(setting -> setting.values().stream())
        .map(value -> value.substring(0, value.indexOf('=')) + ".")
        .forEach(set -> missed.removeIf(path -> (path + ".").startsWith(set)));
    assertEquals(Set.of(), missed);
  }

  @Test
  void everyComponentIsInSomeSetting() throws IOException {
    Set<String> components;
    try (Stream<Path> folders = Files.list(ROOT.resolve("deploy/kustomize/components"))) {
      components =
          folders.map(folder -> folder.getFileName().toString()).collect(Collectors.toSet());
    }
    // kube-proxy's, and so in no chart of ours.
    assertTrue(components.remove("kube-proxy-pings"));
    settings().forEach(setting -> components.remove(setting.name()));
    assertEquals(Set.of(), components);
  }

  @Test
  void oneFileHasTheBaseAndTheRoleForNodes() throws IOException {
    String made = Files.readString(ROOT.resolve("deploy/image/target/components.yaml"));
    assertEquals(
        kustomized(base("components: [DEPLOY/components/node-reader]\n")).text(),
        Manifests.parse(made).text());
  }

  @Test
  void oneFileHasTheMonitoring() throws IOException {
    String made =
        Execution.run(LIMIT, ROOT.resolve("deploy/kustomize/build-monitoring").toString())
            .orThrow()
            .out();
    assertEquals(
        kustomized("components: [DEPLOY/components/monitoring]\n").text(),
        Manifests.parse(made).text());
  }

  @Test
  void otherNamespaceIsToldToTheUpdater() throws IOException {
    List<String> everything =
        List.of("nodeReader.enabled=true", "admissionPolicy.enabled=true", "hostNetwork=true");
    for (int version : Helm.VERSIONS) {
      Manifests elsewhere = rendered(version, "elsewhere", everything);
      JsonArray arguments =
          container(elsewhere.get(DEPLOYMENT.replace("kube-system", "elsewhere")))
              .getAsJsonArray("args");
      assertEquals(
          new JsonPrimitive("--namespace=elsewhere"), arguments.remove(arguments.size() - 1));
      assertEquals(
          rendered(version, everything).text().replace("kube-system", "elsewhere"),
          elsewhere.text());
    }
  }

  @Test
  void flagsInTheManifestAreTheDefaults() throws IOException {
    String help =
        Execution.run(
                LIMIT,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                System.getProperty("updater.jar"),
                "--help")
            .orThrow()
            .out();
    for (JsonElement argument : container(kustomized("").get(DEPLOYMENT)).getAsJsonArray("args")) {
      String[] flag = argument.getAsString().split("=", 2);
      assertTrue(
          Pattern.compile(flag[0] + "=.*\\(default: " + Pattern.quote(flag[1]) + "[);]")
              .matcher(help)
              .find(),
          () -> argument + " is not the default:\n" + help);
    }
  }

  /**
   * A period is what a start takes at least, since the first probe comes before the server listens:
   * DeploymentTest prints the times. How long an unready pod stays ready is another matter.
   */
  @Test
  void kubeletAsksForReadinessEachSecond() throws IOException {
    JsonObject probe = container(kustomized("").get(DEPLOYMENT)).getAsJsonObject("readinessProbe");
    assertEquals(1, probe.get("periodSeconds").getAsInt());
    assertEquals(10, probe.get("failureThreshold").getAsInt());
  }

  @Test
  void lintFindsNothing() {
    for (int version : Helm.VERSIONS) {
      Execution lint =
          helm(version).run("lint", "--strict", "--namespace", "kube-system", "deploy/helm");
      assertEquals(0, lint.exitCode(), () -> lint.out() + lint.err());
      assertTrue(lint.out().contains("1 chart(s) linted, 0 chart(s) failed"), lint.out());
    }
  }

  static Stream<List<String>> faults() {
    return Stream.of(
        List.of("clusterIP=\"None\"", "'/clusterIP': 'None' is not valid ipv4"),
        List.of("clusterIP=null", "missing property 'clusterIP'"),
        List.of("replica=3", "additional properties 'replica' not allowed"),
        List.of("replicas=\"two\"", "'/replicas': got string, want integer"),
        List.of("port=70000", "'/port': maximum: got 70,000, want 65,535"),
        List.of("service.type=\"ExternalName\"", "'/service/type': value must be one of"),
        List.of("image.repository=\"\"", "'/image/repository': minLength: got 0, want 1"),
        List.of(
            "healthCheck.type=\"http\"",
            "'/healthCheck/type': value must be one of 'readyz', 'tcp', 'off'"),
        List.of(
            "healthCheck.timeout=\"3\"",
            "healthCheck.timeout is \"3\", expected a duration such as 300ms or 1.5s"),
        List.of("image.digest=\"1234\"", "image.digest is \"1234\", expected sha256:"),
        List.of(
            "service.loadBalancerClass=\"x\"",
            "service.loadBalancerClass is for service.type LoadBalancer, not ClusterIP"),
        List.of(
            "service.loadBalancerSourceRanges=[\"203.0.113.0/24\"]",
            "service.loadBalancerSourceRanges is for service.type LoadBalancer, not ClusterIP"),
        List.of(
            "service.allocateLoadBalancerNodePorts=false",
            "service.allocateLoadBalancerNodePorts is for service.type LoadBalancer, not"
                + " ClusterIP"),
        List.of(
            "networkPolicy.enabled=true hostNetwork=true",
            "a NetworkPolicy does not protect pods with hostNetwork"));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void valueThatCannotBeIsRefusedInWords(List<String> fault) {
    for (int version : Helm.VERSIONS) {
      Execution refused =
          template(version, "kube-system", Arrays.asList(fault.get(0).split(" ", -1)));
      assertTrue(refused.exitCode() != 0, refused.out());
      assertTrue(refused.err().contains(fault.get(1)), refused.err());
    }
  }

  /** Of the schema, by Helm: one of each kind. */
  @Test
  void allFaultsOfTypesRangesAndNamesAreToldAtOnce() {
    assertTellsAll(
        "kube-system",
        Map.of(
            "replica=3", "additional properties 'replica' not allowed",
            "clusterIP=\"None\"", "'/clusterIP': 'None' is not valid ipv4",
            "replicas=\"two\"", "'/replicas': got string, want integer",
            "healthCheck.rise=1.5", "'/healthCheck/rise': got number, want integer",
            "healthCheck.fall=0", "'/healthCheck/fall': minimum: got 0, want 1",
            "port=70000", "'/port': maximum: got 70,000, want 65,535",
            "image.repository=\"\"", "'/image/repository': minLength: got 0, want 1",
            "networkPolicy.from=[]", "'/networkPolicy/from': minItems: got 0, want 1",
            "imagePullSecrets=[{}]", "'/imagePullSecrets/0': missing property 'name'",
            "service.type=\"ExternalName\"",
                "'/service/type': value must be one of 'ClusterIP', "));
  }

  /** Of the chart, in its words. */
  @Test
  void allFaultsOfWhatValuesMeanAreToldAtOnce() {
    assertTellsAll(
        "default",
        Map.of(
            "healthCheck.interval=\"soon\"", "healthCheck.interval is \"soon\", expected",
            "healthCheck.timeout=\"later\"", "healthCheck.timeout is \"later\", expected",
            "image.digest=\"1234\"", "image.digest is \"1234\", expected sha256:",
            "service.loadBalancerSourceRanges=[\"203.0.113.0\"]",
                "service.loadBalancerSourceRanges[0] is \"203.0.113.0\", expected a network",
            "networkPolicy.enabled=true", "a NetworkPolicy does not protect pods with hostNetwork",
            "hostNetwork=true", "the namespace is default",
            "service.loadBalancerClass=\"x\"", "service.loadBalancerClass is for service.type"));
  }

  private void assertTellsAll(String namespace, Map<String, String> faults) {
    for (int version : Helm.VERSIONS) {
      Execution refused = template(version, namespace, List.copyOf(faults.keySet()));
      assertTrue(refused.exitCode() != 0, refused.out());
      assertEquals(
          List.of(),
          faults.values().stream().filter(part -> !refused.err().contains(part)).toList(),
          refused.err());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        "203.0.113.0",
        "203.0.113.0/33",
        "256.0.0.0/8",
        "203.0.113/24",
        "203/0/113/0/24",
        "2001:db8::",
        "2001:db8::/129"
      })
  void networkThatIsNoneIsRefused(String network) {
    Execution refused = template(4, "kube-system", sourceRanges(network));
    assertTrue(refused.err().contains("is \"" + network + "\", expected a network"), refused::err);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0/0", "203.0.113.255/32", "::/0", "2001:db8::/32", "fd00::1/128"})
  void networkIsTaken(String network) {
    Execution unusedRendered = template(4, "kube-system", sourceRanges(network)).orThrow();
  }

  private static List<String> sourceRanges(String network) {
    return List.of(
        "service.type=\"LoadBalancer\"", "service.loadBalancerSourceRanges=[\"" + network + "\"]");
  }

  /**
   * The pod of {@code helm test} dials the cluster IP, and asks for the release's own namespace.
   */
  @Test
  void testConnectsToTheClusterIpOfAnyFamilyFromAnyNamespace() {
    for (int version : Helm.VERSIONS) {
      JsonObject pod = testPod(version, "elsewhere", "clusterIP=\"fd00:96::64\"");
      String kubeconfig = annotation(pod);
      assertTrue(kubeconfig.contains("server: https://[fd00:96::64]:6443\n"), kubeconfig);
      assertTrue(
          pod.getAsJsonObject("spec").toString().contains("\"--namespace=elsewhere\""),
          pod::toString);
      kubeconfig = annotation(testPod(version, "kube-system", "clusterIP=\"10.96.0.65\""));
      assertTrue(kubeconfig.contains("server: https://10.96.0.65:6443\n"), kubeconfig);
    }
  }

  private JsonObject testPod(int version, String namespace, String value) {
    return Manifests.parse(
            helm(version)
                .run(
                    "template",
                    "apiserver-updater",
                    "deploy/helm",
                    "--show-only=templates/tests/dry-run.yaml",
                    "--namespace=" + namespace,
                    "--set-json=" + value)
                .orThrow()
                .out())
        .get("Pod " + namespace + "/apiserver-updater-test");
  }

  private static String annotation(JsonObject pod) {
    return pod.getAsJsonObject("metadata")
        .getAsJsonObject("annotations")
        .get("kubeconfig")
        .getAsString();
  }

  private Manifests rendered(int version, List<String> values) {
    return rendered(version, "kube-system", values);
  }

  /** Without what only Helm has: the annotation by which the Service stays. */
  private Manifests rendered(int version, String namespace, List<String> values) {
    Manifests rendered = Manifests.parse(template(version, namespace, values).orThrow().out());
    rendered.byName().forEach(ManifestsTest::removeKeep);
    return rendered;
  }

  private static void removeKeep(String name, JsonObject object) {
    JsonObject metadata = object.getAsJsonObject("metadata");
    JsonObject annotations = metadata.getAsJsonObject("annotations");
    JsonElement policy = annotations == null ? null : annotations.remove(KEEP);
    assertEquals(
        name.startsWith("Service ") ? new JsonPrimitive("keep") : null, policy, "of " + name);
    if (annotations != null && annotations.isEmpty()) {
      metadata.remove("annotations");
    }
  }

  private Execution template(int version, String namespace, List<String> values) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "template",
                "apiserver-updater",
                "deploy/helm",
                "--skip-tests",
                "--namespace",
                namespace));
    for (String value : values) {
      command.addAll(List.of("--set-json", value.replace("\n", " ").strip()));
    }
    return helm(version).run(command.toArray(String[]::new));
  }

  private Helm helm(int version) {
    return Helm.locate(version, ROOT, work, work.resolve("no-kubeconfig"));
  }

  private static JsonObject container(JsonObject deployment) {
    return deployment
        .getAsJsonObject("spec")
        .getAsJsonObject("template")
        .getAsJsonObject("spec")
        .getAsJsonArray("containers")
        .get(0)
        .getAsJsonObject();
  }

  /** What kubectl makes of a kustomization, in which DEPLOY stands for deploy/kustomize. */
  private Manifests kustomized(String kustomization) throws IOException {
    Path folder = Files.createTempDirectory(work.toRealPath(), "kustomization");
    // Kustomize takes relative paths only.
    String deploy = folder.relativize(ROOT.toRealPath()) + "/deploy/kustomize";
    Files.writeString(
        folder.resolve("kustomization.yaml"),
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
            + (kustomization.isEmpty() ? base("") : kustomization).replace("DEPLOY", deploy));
    String kubectl = KubeBinaries.locate(ROOT).folder().resolve("kubectl").toString();
    return Manifests.parse(
        Execution.run(LIMIT, kubectl, "kustomize", folder.toString()).orThrow().out());
  }
}
