package io.apiserverupdater.updater.dryrun;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import io.apiserverupdater.updater.kube.SliceJson;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class SourceFileTest {
  private static final TargetSettings SETTINGS =
      new TargetSettings("default", "kubernetes", new TargetName("kube-system", "apiserver"), true);

  private static final String COMMAND = "kubectl get endpointslices -n default kubernetes -o yaml";

  private static final String EXPECTED =
      "expected an EndpointSlice of discovery.k8s.io/v1 or a list of them; use the output of "
          + COMMAND;

  /** As kubectl prints it, with fields that the models may not know. */
  private static final String SLICE =
      """
      addressType: IPv4
      apiVersion: discovery.k8s.io/v1
      endpoints:
      - addresses:
        - 10.0.0.1
        conditions:
          ready: true
      - addresses:
        - 10.0.0.2
        conditions:
          ready: false
        fromTheFuture: 1
      kind: EndpointSlice
      metadata:
        creationTimestamp: 2026-01-02T03:04:05Z
        labels:
          kubernetes.io/service-name: kubernetes
        name: kubernetes
        namespace: default
        resourceVersion: "210"
      ports:
      - name: https
        port: 6443
        protocol: TCP
      """;

  private static final String JSON =
      """
      {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv6",
      \t"metadata": {"name": "kubernetes"}, "endpoints": [{"addresses": ["fd00::1"]}],
      \t"ports": [{"name": "https", "port": 6443}]}
      """;

  private static String items(String kind, String apiVersion, String... items) {
    StringBuilder text =
        new StringBuilder("apiVersion: " + apiVersion + "\nkind: " + kind + "\nitems:\n");
    for (String item : items) {
      text.append("- ").append(item.strip().replace("\n", "\n  ")).append('\n');
    }
    return text.toString();
  }

  private static String addresses(List<EndpointSlice> slices) {
    return String.join(
        " ",
        slices.stream()
            .flatMap(slice -> slice.endpoints().stream())
            .map(Endpoint::address)
            .toList());
  }

  private static List<EndpointSlice> parse(String text) throws SourceFile.InvalidException {
    return SourceFile.parse("f", text, SETTINGS, SliceJson::read);
  }

  private static List<EndpointSlice> read(String file, byte[] in)
      throws SourceFile.InvalidException {
    return SourceFile.read(List.of(file), new ByteArrayInputStream(in), SETTINGS, SliceJson::read);
  }

  static Stream<Arguments> accepted() {
    String untyped =
        SLICE.replace("apiVersion: discovery.k8s.io/v1\n", "").replace("kind: EndpointSlice\n", "");
    String dns =
        SLICE
            .replace("service-name: kubernetes", "service-name: kube-dns")
            .replace("10.0.", "10.9.");
    String elsewhere =
        SLICE.replace("namespace: default", "namespace: x").replace("10.0.", "10.9.");
    String both = "10.0.0.1 10.0.0.2";
    return Stream.of(
        Arguments.of("one slice in YAML", SLICE, both),
        Arguments.of("one slice in JSON with tabs", JSON, "fd00::1"),
        Arguments.of("several YAML documents", SLICE + "---\n---\n" + SLICE, both + " " + both),
        Arguments.of("several JSON documents", JSON + JSON, "fd00::1 fd00::1"),
        Arguments.of("a List", items("List", "v1", SLICE), both),
        Arguments.of(
            "an EndpointSliceList",
            items("EndpointSliceList", "discovery.k8s.io/v1", untyped),
            both),
        Arguments.of(
            "an EndpointSliceList of typed items",
            items("EndpointSliceList", "discovery.k8s.io/v1", SLICE),
            both),
        Arguments.of("an empty List", "apiVersion: v1\nkind: List\nitems: []\n", ""),
        Arguments.of("a List without items", "apiVersion: v1\nkind: List\nitems: null\n", ""),
        Arguments.of(
            "the slices of a whole cluster", items("List", "v1", dns, elsewhere, SLICE), both),
        Arguments.of(
            "a slice that another writer has named",
            SLICE.replace("name: kubernetes\n  namespace", "name: kubernetes-nw6h9\n  namespace"),
            both),
        Arguments.of(
            "the same beside the apiservers' own",
            SLICE
                    .replace("name: kubernetes\n  namespace", "name: kubernetes-nw6h9\n  namespace")
                    .replace("10.0.", "10.9.")
                + "---\n"
                + SLICE,
            both),
        Arguments.of(
            "an address that nobody can use, which the mirror rule leaves out as in a cluster",
            SLICE.replace("10.0.0.1", "010.0.0.1"),
            "010.0.0.1 10.0.0.2"),
        Arguments.of(
            "another Service's slice of the apiservers' name",
            dns
                + "---\n"
                + SLICE.replace(
                    "name: kubernetes\n  namespace", "name: kubernetes-nw6h9\n  namespace"),
            both),
        Arguments.of(
            "a slice with null lists",
            SLICE.replaceAll("(?s)endpoints:.*kind:", "endpoints: null\nkind:"),
            ""));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("accepted")
  void accepts(String situation, String text, String addresses) throws SourceFile.InvalidException {
    assertEquals(addresses, addresses(parse(text)), situation);
  }

  @Test
  void readsWhatTheRulesLookAt() throws SourceFile.InvalidException {
    EndpointSlice slice = parse(SLICE).get(0);
    assertEquals("kubernetes", slice.name());
    assertEquals("IPv4", slice.addressType());
    assertEquals("210", slice.resourceVersion());
    assertEquals(List.of(new Port("https", 6443, "TCP")), slice.ports());
    assertEquals(
        List.of(Endpoint.ready("10.0.0.1"), Endpoint.ready("10.0.0.2").withReady(false)),
        slice.endpoints());
  }

  private static Arguments refusal(String situation, String text, String... faults) {
    return Arguments.of(situation, text, String.join("\n", faults));
  }

  static Stream<Arguments> rejected() {
    String title = "f: document 1 (EndpointSlice kubernetes): ";
    return Stream.of(
        refusal("nothing", " \n", "f: is empty; " + EXPECTED),
        refusal("a comment", "# none\n", "f: is empty; " + EXPECTED),
        refusal("a text", "hello\n", "f: document 1 is no object; " + EXPECTED),
        refusal("no kind", "a: b\n", "f: document 1 has no kind; " + EXPECTED),
        refusal(
            "another kind",
            "apiVersion: v1\nkind: Service\n",
            "f: document 1 is kind \"Service\" of apiVersion \"v1\"; " + EXPECTED),
        refusal(
            "another version",
            SLICE.replace("k8s.io/v1", "k8s.io/v1beta1"),
            "f: document 1 is kind \"EndpointSlice\" of apiVersion"
                + " \"discovery.k8s.io/v1beta1\"; "
                + EXPECTED),
        refusal(
            "Endpoints",
            "apiVersion: v1\nkind: Endpoints\n",
            "f: document 1 is kind \"Endpoints\" of apiVersion \"v1\"; the updater reads"
                + " EndpointSlices, not Endpoints: use the output of "
                + COMMAND),
        refusal(
            "several faults at once",
            "a: b\n---\n" + items("List", "v1", "apiVersion: v1\nkind: Pod", SLICE, "x"),
            "f: document 1 has no kind; " + EXPECTED,
            "f: document 2, item 1 is kind \"Pod\" of apiVersion \"v1\"; " + EXPECTED,
            "f: document 2, item 3 is no object; expected an EndpointSlice"),
        refusal(
            "a List within a List",
            items("List", "v1", "apiVersion: v1\nkind: List\nitems: []"),
            "f: document 1, item 1 is kind \"List\" of apiVersion \"v1\"; " + EXPECTED),
        refusal(
            "items that are no list",
            "apiVersion: v1\nkind: List\nitems: x\n",
            "f: document 1: items is no list; expected a list of EndpointSlices"),
        refusal(
            "a field of another type",
            SLICE.replaceAll("(?s)endpoints:.*kind:", "endpoints: many\nkind:"),
            "f: document 1: not a V1EndpointSlice: java.lang.IllegalStateException: Expected"
                + " BEGIN_ARRAY but was STRING at path $.endpoints"),
        refusal(
            "values that no server would hold",
            SLICE.replace("6443", "70000"),
            title + "port 70000, expected 1 to 65535"),
        refusal(
            "no address type",
            SLICE.replace("addressType: IPv4\n", ""),
            title + "addressType is \"\", expected IPv4, IPv6 or FQDN"),
        refusal(
            "no name",
            SLICE.replace("  name: kubernetes\n", ""),
            "f: document 1: metadata.name is missing; expected the slice's name"),
        refusal(
            "readiness as text",
            SLICE.replace("ready: true", "ready: \"yes\""),
            title + "conditions.ready is \"yes\", expected true or false"),
        refusal(
            "slices of others only",
            SLICE.replace("service-name: kubernetes", "service-name: dns"),
            "f: has 1 EndpointSlices, all of other Services (the first of default/dns),"
                + " expected those of default/kubernetes; use the output of "
                + COMMAND
                + ", or another --source"),
        refusal(
            "a slice of nobody",
            SLICE
                .replace("    kubernetes.io/service-name: kubernetes\n", "    a: b\n")
                .replace("name: kubernetes\n  namespace", "name: other\n  namespace"),
            "f: has 1 EndpointSlices, all of other Services (the first of default/), expected those"
                + " of default/kubernetes; use the output of "
                + COMMAND
                + ", or another --source"),
        refusal(
            "a control character",
            "{\"kind\": \"\\u001b[31m\"}",
            "f: document 1 is kind \"\\u001b[31m\" of apiVersion \"\"; " + EXPECTED));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rejected")
  void rejectsWithEveryReason(String situation, String text, String faults) {
    assertEquals(faults, fault(text), situation);
  }

  static Stream<Arguments> malformed() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
    for (int level = 1; level < 40; level++) {
      int below = level - 1;
      bomb.append("a%d: &a%d [*a%d, *a%d]\n".formatted(level, level, below, below));
    }
    return Stream.of(
        Arguments.of("YAML", SLICE + "---\na: [1\n", "f: document 2 is not YAML (line 27): "),
        Arguments.of("a doubled key", "a: 1\na: 2\n", "f: document 1 is not YAML (line 2): "),
        Arguments.of("only separators", "---\n---\n", "f: is empty; "),
        Arguments.of("a bad second JSON document", JSON + "}", "f: document 2 is not JSON: "),
        Arguments.of("JSON", "{\"a\": ", "f: document 1 is not JSON: "),
        Arguments.of("an alias bomb", bomb.toString(), "aliases"),
        Arguments.of("an alias of itself", "a: &a [*a]\n", "aliases"),
        Arguments.of("deep YAML", "[".repeat(100_000), "f: document "),
        Arguments.of("deep JSON", "{\"a\":".repeat(20_000), "f: document 1 is not JSON: "),
        Arguments.of("too many values in YAML", "- a\n".repeat(50_000), "more than 50000 values"),
        Arguments.of(
            "too many values in JSON",
            "{\"a\":[" + "{},".repeat(50_000) + "1]}",
            "more than 50000 values"),
        Arguments.of("a foreign tag", "!!java.net.URL [x]\n", "f: document "),
        Arguments.of("a date", "a: !!timestamp 2026-01-01\n", "tag:yaml.org,2002:timestamp"),
        Arguments.of("a long number", "a: " + "9".repeat(1_000_000), "has no kind"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void rejectsCleanlyAndSoonWhatIsMalformed(String situation, String text, String part) {
    String message = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> fault(text));
    assertTrue(message.contains(part), situation + ": " + message);
    assertTrue(message.length() < 1000, situation);
    assertTrue(message.lines().allMatch(line -> line.startsWith("f: ")), message);
  }

  @Test
  void tellsNoMoreFaultsThanAPersonReads() {
    List<String> lines = fault("a: b\n---\n".repeat(100)).lines().toList();
    assertEquals(21, lines.size());
    assertEquals("f: and 80 more faults", lines.get(20));
  }

  @Test
  void namesTheCommandForAnotherSource() {
    TargetSettings settings =
        new TargetSettings("edge", "api", new TargetName("kube-system", "apiserver"), true);
    String fault = message(() -> SourceFile.parse("f", "a: b", settings, SliceJson::read));
    assertTrue(
        fault.endsWith(
            "kubectl get endpointslices -n edge -l kubernetes.io/service-name=api -o yaml"),
        fault);
  }

  @Test
  void readsAFile(@TempDir Path folder) throws IOException, SourceFile.InvalidException {
    Path file = Files.writeString(folder.resolve("s.yaml"), "\uFEFF" + SLICE);
    assertEquals("10.0.0.1 10.0.0.2", addresses(read(file.toString(), new byte[0])));
  }

  @Test
  void readsTheStandardInput() throws SourceFile.InvalidException {
    byte[] in = SLICE.getBytes(StandardCharsets.UTF_8);
    assertEquals("10.0.0.1 10.0.0.2", addresses(read("-", in)));
  }

  @Test
  void rejectsWhatIsTooLarge() {
    byte[] largest = " ".repeat(SourceFile.MAX_BYTES).getBytes(StandardCharsets.UTF_8);
    byte[] larger = " ".repeat(SourceFile.MAX_BYTES + 1).getBytes(StandardCharsets.UTF_8);
    assertEquals("standard input: is empty; " + EXPECTED, fault("-", largest));
    assertEquals(
        "standard input: is larger than 512 KiB; provide only the slices of the source, the output"
            + " of "
            + COMMAND,
        fault("-", larger));
  }

  @Test
  void rejectsWhatIsNotUtf8() {
    assertEquals(
        "standard input: is not UTF-8 text; save it as UTF-8, as kubectl prints it",
        fault("-", SLICE.getBytes(StandardCharsets.UTF_16)));
  }

  @Test
  void namesAFileThatCannotBeRead(@TempDir Path folder) {
    String none = folder.resolve("none").toString();
    assertEquals(none + ": no such file; use -f FILE, or -f - for stdin", fault(none, new byte[0]));
    String unread = fault(folder.toString(), new byte[0]);
    assertTrue(unread.startsWith(folder + ": cannot be read: "));
  }

  @Test
  void severalFilesAreReadAndToldTogether(@TempDir Path folder) throws Exception {
    String file = Files.writeString(folder.resolve("s.yaml"), SLICE).toString();
    ByteArrayInputStream in = new ByteArrayInputStream(JSON.getBytes(StandardCharsets.UTF_8));
    assertEquals(
        "10.0.0.1 10.0.0.2 fd00::1",
        addresses(SourceFile.read(List.of(file, "-"), in, SETTINGS, SliceJson::read)));
    String none = folder.resolve("none").toString();
    String faults =
        message(() -> SourceFile.read(List.of(none, file, "-"), in, SETTINGS, SliceJson::read));
    assertEquals(
        none
            + ": no such file; use -f FILE, or -f - for stdin\nstandard input: is empty; "
            + EXPECTED,
        faults);
  }

  @Test
  void severalFilesAreJudgedAsOne(@TempDir Path folder) throws Exception {
    String own = Files.writeString(folder.resolve("own.yaml"), SLICE).toString();
    String other =
        Files.writeString(
                folder.resolve("other.yaml"),
                SLICE
                    .replace("name: kubernetes\n  namespace", "name: kubernetes-nw6h9\n  namespace")
                    .replace("10.0.", "10.9."))
            .toString();
    String stranger =
        Files.writeString(
                folder.resolve("dns.yaml"), SLICE.replace("namespace: default", "namespace: dns"))
            .toString();
    ByteArrayInputStream none = new ByteArrayInputStream(new byte[0]);
    assertEquals(
        "10.0.0.1 10.0.0.2",
        addresses(SourceFile.read(List.of(other, stranger, own), none, SETTINGS, SliceJson::read)));
  }

  private static String fault(String file, byte[] in) {
    return message(() -> read(file, in));
  }

  private static String fault(String text) {
    return message(() -> parse(text));
  }

  private static String message(Executable reading) {
    return String.valueOf(assertThrows(SourceFile.InvalidException.class, reading).getMessage());
  }
}
