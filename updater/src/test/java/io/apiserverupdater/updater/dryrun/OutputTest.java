package io.apiserverupdater.updater.dryrun;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Endpoints;
import io.apiserverupdater.updater.endpoints.Port;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class OutputTest {
  private static final Cluster ONE_MORE =
      Cluster.settled().writing(false).withSource("10.0.0.1", "10.0.0.2", "10.0.0.3");

  private static final Cluster ONE_GONE =
      Cluster.settled().withSlice(Cluster.slice(AddressFamily.IPV6, "IPv6", "fd00::1"));

  private static String diff(Cluster cluster) {
    return Output.DIFF.render(cluster.compare(), false);
  }

  @Test
  void diffsAnUpdateWithThreeLinesOfContext() {
    assertEquals(
        """
        diff -u -N LIVE/discovery.k8s.io.v1.EndpointSlice.kube-system.apiserver-ipv4 \
        MERGED/discovery.k8s.io.v1.EndpointSlice.kube-system.apiserver-ipv4
        --- LIVE/discovery.k8s.io.v1.EndpointSlice.kube-system.apiserver-ipv4
        +++ MERGED/discovery.k8s.io.v1.EndpointSlice.kube-system.apiserver-ipv4
        @@ -9,6 +9,10 @@
           - 10.0.0.2
           conditions:
             ready: true
        +- addresses:
        +  - 10.0.0.3
        +  conditions:
        +    ready: true
         kind: EndpointSlice
         metadata:
           labels:
        """,
        diff(ONE_MORE));
  }

  @Test
  void diffsACreation() {
    assertEquals(
        """
        diff -u -N LIVE/v1.Endpoints.kube-system.apiserver MERGED/v1.Endpoints.kube-system.apiserver
        --- LIVE/v1.Endpoints.kube-system.apiserver
        +++ MERGED/v1.Endpoints.kube-system.apiserver
        @@ -0,0 +1,15 @@
        +apiVersion: v1
        +kind: Endpoints
        +metadata:
        +  labels:
        +    endpointslice.kubernetes.io/skip-mirror: "true"
        +  name: apiserver
        +  namespace: kube-system
        +subsets:
        +- addresses:
        +  - ip: 10.0.0.1
        +  - ip: 10.0.0.2
        +  ports:
        +  - name: https
        +    port: 6443
        +    protocol: TCP
        """,
        diff(Cluster.settled().withoutEndpoints()));
  }

  @Test
  void diffsADeletion() {
    assertEquals(
        """
        diff -u -N LIVE/discovery.k8s.io.v1.EndpointSlice.kube-system.apiserver-ipv6 \
        MERGED/discovery.k8s.io.v1.EndpointSlice.kube-system.apiserver-ipv6
        --- LIVE/discovery.k8s.io.v1.EndpointSlice.kube-system.apiserver-ipv6
        +++ MERGED/discovery.k8s.io.v1.EndpointSlice.kube-system.apiserver-ipv6
        @@ -1,18 +0,0 @@
        -addressType: IPv6
        -apiVersion: discovery.k8s.io/v1
        -endpoints:
        -- addresses:
        -  - fd00::1
        -  conditions:
        -    ready: true
        -kind: EndpointSlice
        -metadata:
        -  labels:
        -    endpointslice.kubernetes.io/managed-by: apiserver-updater
        -    kubernetes.io/service-name: apiserver
        -  name: apiserver-ipv6
        -  namespace: kube-system
        -ports:
        -- name: https
        -  port: 6443
        -  protocol: TCP
        """,
        diff(ONE_GONE));
  }

  @Test
  void coloursAsGitDiffDoes() {
    String text =
        Output.DIFF.render(
            Cluster.settled().with(Cluster.endpoints(Map.of(), "10.0.0.1", "10.0.0.3")).compare(),
            true);
    assertEquals(
        """
        ESC[1mdiff -u -N LIVE/v1.Endpoints.kube-system.apiserver \
        MERGED/v1.Endpoints.kube-system.apiserverESC[m
        ESC[1m--- LIVE/v1.Endpoints.kube-system.apiserverESC[m
        ESC[1m+++ MERGED/v1.Endpoints.kube-system.apiserverESC[m
        ESC[36m@@ -8,7 +8,7 @@ESC[m
         subsets:
         - addresses:
           - ip: 10.0.0.1
        ESC[31m-  - ip: 10.0.0.3ESC[m
        ESC[32m+  - ip: 10.0.0.2ESC[m
           ports:
           - name: https
             port: 6443
        """,
        text.replace("\u001b", "ESC"));
  }

  @Test
  void foreignLabelsStayOnBothSides() {
    Report report =
        Cluster.settled()
            .with(Cluster.endpoints(Map.of("team", "blue"), "10.0.0.1", "10.0.0.3"))
            .compare();
    Comparison comparison = report.comparisons().get(0);
    assertTrue(comparison.liveText().orElse("").contains("    team: blue\n"));
    assertTrue(comparison.mergedText().orElse("").contains("    team: blue\n"));
  }

  @Test
  void showsAlsoWhatTheRuleDoesNotLookAt() {
    EndpointSlice ours = Cluster.slice(AddressFamily.IPV4, "IPv4", "10.0.0.1", "10.0.0.2");
    Map<String, Object> verbatim =
        Map.of("endpoints", List.of(Map.of("addresses", List.of("10.0.0.1", "10.0.0.2"))));
    EndpointSlice edited =
        new EndpointSlice(
            ours.name(),
            ours.addressType(),
            ours.labels(),
            ours.ports(),
            ours.endpoints(),
            "9",
            Optional.of(verbatim));
    assertEquals(
        """
         endpoints:
         - addresses:
           - 10.0.0.1
        +  conditions:
        +    ready: true
        +- addresses:
           - 10.0.0.2
        +  conditions:
        +    ready: true
        """,
        diff(Cluster.settled().withSlice(edited)).lines().skip(4).limit(9).collect(joining("\n"))
            + "\n");
  }

  @Test
  void orderAloneIsNoDifference() {
    EndpointSlice reversed = Cluster.slice(AddressFamily.IPV4, "IPv4", "10.0.0.2", "10.0.0.1");
    Cluster cluster =
        Cluster.settled().withSlice(reversed).withSource("10.0.0.1", "10.0.0.2", "10.0.0.3");
    String text = diff(cluster);
    assertEquals(0, text.lines().filter(line -> line.matches("-[^-].*")).count(), text);
  }

  @Test
  void showsReadinessNodesAndZones() {
    List<Endpoint> members =
        List.of(
            new Endpoint("10.0.0.2", false, Optional.of("cp2"), Optional.of("b")),
            new Endpoint("10.0.0.1", true, Optional.of("cp1"), Optional.empty()));
    EndpointSlice source =
        new EndpointSlice(
            "kubernetes", "IPv4", Map.of(), List.of(new Port("https", 6443, "TCP")), members, "1");
    Report report =
        Cluster.settled().with(List.of(source)).withoutSlices().withoutEndpoints().compare();
    String slice = report.comparisons().get(0).mergedText().orElse("");
    String endpoints = report.comparisons().get(1).mergedText().orElse("");
    assertEquals(
        """
        endpoints:
        - addresses:
          - 10.0.0.1
          conditions:
            ready: true
          nodeName: cp1
        - addresses:
          - 10.0.0.2
          conditions:
            ready: false
          nodeName: cp2
          zone: b
        """,
        slice.substring(slice.indexOf("endpoints:"), slice.indexOf("kind:")));
    assertEquals(
        """
        - addresses:
          - ip: 10.0.0.1
            nodeName: cp1
          notReadyAddresses:
          - ip: 10.0.0.2
            nodeName: cp2
        """,
        endpoints.substring(endpoints.indexOf("- addresses:"), endpoints.indexOf("  ports:")));
  }

  @Test
  void writesYaml() {
    assertEquals(
        """
        apiVersion: v1
        items:
        - addressType: IPv4
          apiVersion: discovery.k8s.io/v1
          endpoints:
          - addresses:
            - 10.0.0.1
            conditions:
              ready: true
          kind: EndpointSlice
          metadata:
            labels:
              endpointslice.kubernetes.io/managed-by: apiserver-updater
              kubernetes.io/service-name: apiserver
            name: apiserver-ipv4
            namespace: kube-system
          ports:
          - name: https
            port: 6443
            protocol: TCP
        kind: List
        """,
        Output.YAML.render(
            Cluster.settled().writing(false).withSource("10.0.0.1").compare(), true));
  }

  @Test
  void writesJson() {
    assertEquals(
        """
        {
            "apiVersion": "v1",
            "items": [
                {
                    "apiVersion": "v1",
                    "kind": "Endpoints",
                    "metadata": {
                        "labels": {
                            "endpointslice.kubernetes.io/skip-mirror": "true"
                        },
                        "name": "apiserver",
                        "namespace": "kube-system"
                    },
                    "subsets": [
                        {
                            "addresses": [
                                {
                                    "ip": "10.0.0.1"
                                },
                                {
                                    "ip": "10.0.0.2"
                                }
                            ],
                            "ports": [
                                {
                                    "name": "https",
                                    "port": 6443,
                                    "protocol": "TCP"
                                }
                            ]
                        }
                    ]
                }
            ],
            "kind": "List"
        }
        """,
        Output.JSON.render(Cluster.settled().withoutEndpoints().compare(), true));
  }

  static Stream<Arguments> withoutObjects() {
    return Stream.of(
        Arguments.of(Output.DIFF, ""),
        Arguments.of(Output.YAML, "apiVersion: v1\nitems: []\nkind: List\n"),
        Arguments.of(
            Output.JSON,
            "{\n    \"apiVersion\": \"v1\",\n    \"items\": [],\n    \"kind\": \"List\"\n}\n"));
  }

  @ParameterizedTest
  @MethodSource("withoutObjects")
  void nothingChangedIsNoDiffAndAnEmptyList(Output output, String text) {
    assertEquals(text, output.render(Cluster.settled().compare(), true));
  }

  @Test
  void aDeletedObjectIsNotInTheList() {
    assertEquals(
        "apiVersion: v1\nitems: []\nkind: List\n", Output.YAML.render(ONE_GONE.compare(), false));
  }

  @Test
  void quotesWhatWouldBeReadAsAnotherType() {
    Endpoints live =
        Cluster.endpoints(
            Map.of(
                "a", "", "b", "1e3", "c", "null", "d", "0x1", "e", "yes", "f", "1.2.3", "g", "x"),
            "10.0.0.9");
    String text = Cluster.settled().with(live).compare().comparisons().get(0).liveText().orElse("");
    assertEquals(
        """
            a: ""
            b: "1e3"
            c: "null"
            d: "0x1"
            e: "yes"
        """,
        text.substring(text.indexOf("    a:"), text.indexOf("    endpointslice")));
    assertTrue(text.contains("    f: 1.2.3\n    g: x\n"), text);
  }

  @Test
  void aControlCharacterNeverReachesTheTerminal() {
    Endpoints live = Cluster.endpoints(Map.of("a", "\u001b[31m"), "10.0.0.9");
    for (Output output : Output.values()) {
      assertEquals(
          -1, output.render(Cluster.settled().with(live).compare(), false).indexOf('\u001b'));
    }
  }

  @Test
  void aThousandMembersThatAllDifferTakeNoTime() {
    String[] old = IntStream.range(0, 1000).mapToObj(OutputTest::address).toArray(String[]::new);
    String[] now = IntStream.range(1000, 2000).mapToObj(OutputTest::address).toArray(String[]::new);
    Cluster cluster =
        Cluster.settled().withSource(now).withSlice(Cluster.slice(AddressFamily.IPV4, "IPv4", old));
    String text = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> diff(cluster));
    assertEquals(1000, text.lines().filter(line -> line.startsWith("-  - 10.")).count());
  }

  @ParameterizedTest
  @CsvSource({
    "true, , , true",
    "false, , , false",
    "true, 1, , false",
    "true, '', , false",
    "true, , dumb, false",
    "true, , xterm, true"
  })
  void coloursOnATerminalOnlyAndNeverWithNoColor(
      boolean terminal, String noColor, String term, boolean colours) {
    Map<String, String> environment = new HashMap<>();
    if (noColor != null) {
      environment.put("NO_COLOR", noColor);
    }
    if (term != null) {
      environment.put("TERM", term);
    }
    assertEquals(colours, Output.colours(terminal, environment));
  }

  @Test
  void showsAnAddressOfTheWrongFamilyAsOneReplacedObject() {
    String text =
        diff(Cluster.settled().withSlice(Cluster.slice(AddressFamily.IPV4, "IPv6", "fd00::1")));
    assertEquals(1, text.lines().filter(line -> line.startsWith("diff -u")).count(), text);
    assertTrue(text.contains("-addressType: IPv6\n+addressType: IPv4\n"), text);
  }

  private static String address(int number) {
    return "10.1." + number / 250 + "." + number % 250;
  }
}
