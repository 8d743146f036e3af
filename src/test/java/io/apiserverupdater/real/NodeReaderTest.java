package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code deploy/kustomize/components/node-reader}: what refresh needs, and nothing else. */
@Tag("real")
@Timeout(180)
class NodeReaderTest {
  private static final String COMPONENT = "deploy/kustomize/components/node-reader/role.yaml";
  private static Lab lab;
  private static BootstrapHost node;

  @BeforeAll
  static void start() {
    lab = Lab.builder("node-reader").controlPlanes(2).workers().start();
    node = new BootstrapHost(lab, lab.addHost("n1", "172.30.3.1"));
    node.host().mapName(Lab.APISERVER_NAME, lab.controlPlane(1).address());
  }

  @AfterAll
  static void stop() {
    lab.close();
  }

  @BeforeEach
  void withoutTheRole() {
    lab.kubectl().run("delete", "-f", COMPONENT, "--ignore-not-found").orThrow();
  }

  private static Execution refresh() {
    return node.run(
        "refresh",
        "--control-plane=192.0.2.1",
        "--kubeconfig=" + node.kubeconfig("https://" + Lab.APISERVER_NAME + ":6443"));
  }

  private static Execution readRaw(String path) {
    return kubectl("get", "--raw=" + path);
  }

  /** As the node, at the first control plane. */
  private static Execution kubectl(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                lab.programs().resolve("kubectl").toString(),
                "--kubeconfig="
                    + node.kubeconfig("https://" + lab.controlPlane(1).address() + ":6443")));
    command.addAll(List.of(arguments));
    // It keeps a cache of the API's discovery in the home folder.
    return node.host()
        .run(
            Duration.ofSeconds(30),
            Map.of("HOME", lab.work().toString()),
            command.toArray(String[]::new));
  }

  @Test
  void refreshReadsTheControlPlanesWithTheKubeletsCertificate() {
    lab.kubectl().run("apply", "-f", COMPONENT).orThrow();
    refresh().orThrow();
    for (ControlPlaneHost controlPlane : lab.controlPlanes()) {
      assertTrue(node.candidateFiles().contains(controlPlane.address()), node.candidateFiles());
    }
  }

  @Test
  void withoutTheRoleItSaysWhatToDoAndThatHelps() {
    Execution refused = refresh();
    assertNotEquals(0, refused.exitCode());
    String said = refused.out() + refused.err();
    assertTrue(said.contains("system:node:n1"), said);
    List<String> commands = commandsIn(said);
    assertEquals(2, commands.size(), said);
    for (String command : commands) {
      List<String> words = new ArrayList<>(List.of(command.split(" ", -1)));
      assertEquals("kubectl", words.remove(0));
      lab.kubectl().run(words.toArray(String[]::new)).orThrow();
    }
    refresh().orThrow();
  }

  /** Wherever the program's lines break. */
  private static List<String> commandsIn(String said) {
    List<String> commands = new ArrayList<>();
    for (String part : said.split("(?=kubectl create )", -1)) {
      if (part.startsWith("kubectl create ")) {
        StringBuilder command = new StringBuilder("kubectl");
        for (String word : part.substring("kubectl".length()).strip().split("\\s+", -1)) {
          if (!word.startsWith("--")
              && !List.of("create", "role", "rolebinding", "apiserver-bootstrap").contains(word)) {
            break;
          }
          command.append(' ').append(word.replaceAll("[\"']$", ""));
        }
        commands.add(command.toString());
      }
    }
    return commands;
  }

  @Test
  void otherReadsAreRefused() {
    lab.kubectl().run("apply", "-f", COMPONENT).orThrow();
    String slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    readRaw(slices + "/kubernetes").orThrow();
    for (String path :
        List.of(
            slices,
            slices + "?fieldSelector=metadata.name%3Dkubernetes",
            slices + "?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes",
            slices + "?watch=true&fieldSelector=metadata.name%3Dkubernetes",
            slices + "/other",
            "/apis/discovery.k8s.io/v1/endpointslices",
            "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kubernetes",
            // A get of any Endpoints is every node's right by Kubernetes' own rules.
            "/api/v1/namespaces/default/endpoints",
            "/api/v1/namespaces/default/configmaps",
            "/api/v1/namespaces/default/secrets")) {
      Execution refused = readRaw(path);
      assertNotEquals(0, refused.exitCode(), path);
      assertTrue(refused.err().contains("Forbidden"), path + ": " + refused.err());
    }
    Execution write =
        kubectl("--namespace=default", "label", "endpointslices", "kubernetes", "a=b");
    assertTrue(write.err().contains("Forbidden"), write.err());
  }
}
