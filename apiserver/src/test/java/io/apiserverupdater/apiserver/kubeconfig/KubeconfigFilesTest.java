package io.apiserverupdater.apiserver.kubeconfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class KubeconfigFilesTest {
  @TempDir Path directory;

  private Path file(String name, String text) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private KubeconfigFiles load(Path... files) throws InvalidKubeconfigException {
    return KubeconfigFiles.load(List.of(files));
  }

  private static Entry of(Map<String, Entry> entries, String name) {
    return Optional.ofNullable(entries.get(name)).orElseThrow();
  }

  @Test
  void firstFileThatNamesThingWins() throws Exception {
    Path first =
        file(
            "a",
            """
            clusters: [{name: both, cluster: {server: https://first}}]
            contexts: [{name: one, context: {cluster: both}}]
            """);
    Path second =
        file(
            "b",
            """
            current-context: two
            clusters:
            - {name: both, cluster: {server: https://second, tls-server-name: x}}
            - {name: more, cluster: {server: https://more}}
            contexts: [{name: two, context: {cluster: more}}]
            users: [{name: me, user: {token: t}}]
            """);
    KubeconfigFiles config = load(first, second);
    Entry both = of(config.clusters(), "both");
    assertEquals("https://first", both.text("server"));
    assertFalse(both.has("tls-server-name"), "a thing is taken whole, not field by field");
    assertEquals("https://more", of(config.clusters(), "more").text("server"));
    assertEquals(Optional.of("two"), config.currentContext());
    assertEquals(List.of("one", "two"), List.copyOf(config.contexts().keySet()));
    assertEquals(first + ":" + second, config.title());
    assertFalse(config.users().containsKey("nobody"));
  }

  @Test
  void firstCurrentContextWins() throws Exception {
    Path first = file("a", "current-context: ''\n");
    Path second = file("b", "current-context: two\n");
    Path third = file("c", "current-context: three\n");
    assertEquals(Optional.of("two"), load(first, second, third).currentContext());
  }

  @Test
  void pathsAreRelativeToTheFileThatHoldsThem() throws Exception {
    Path first = file("x/a", "users: [{name: one, user: {tokenFile: t}}]\n");
    Path second = file("y/b", "users: [{name: two, user: {tokenFile: ../t}}]\n");
    Path third = file("z/c", "users: [{name: three, user: {tokenFile: /etc/t}}]\n");
    KubeconfigFiles config = load(first, second, third);
    assertEquals(directory.resolve("x/t"), of(config.users(), "one").path("tokenFile"));
    assertEquals(directory.resolve("t"), of(config.users(), "two").path("tokenFile").normalize());
    assertEquals(Path.of("/etc/t"), of(config.users(), "three").path("tokenFile"));
  }

  @Test
  void unreadableFileIsNamed() {
    Path missing = directory.resolve("missing");
    InvalidKubeconfigException failure =
        assertThrows(InvalidKubeconfigException.class, () -> load(missing));
    assertTrue(failure.toString().contains(missing.toString()), failure.toString());
  }

  static List<Arguments> whatIsNoKubeconfig() {
    String tooDeep = "a: " + "[".repeat(40) + "]".repeat(40);
    String laughs =
        "a: &a [x]\n" + "b: &b [" + "*a, ".repeat(20) + "]\nc: [" + "*b, ".repeat(40) + "]\n";
    return List.of(
        Arguments.of("- a\n- b\n", "is not a kubeconfig: expected clusters, users and contexts,"),
        Arguments.of("- a\n- b\n", "found a list"),
        Arguments.of("just text", "is not a kubeconfig: expected clusters"),
        Arguments.of("42", "found a number"),
        Arguments.of("a: [", "is not YAML: line 3, column 1, while parsing a flow node"),
        Arguments.of("a: !!java.net.URL [x]\n", "is not YAML: line 1, column 4, "),
        Arguments.of("a: *s3cret\n", "is not YAML: line 1, column 4, "),
        Arguments.of("\t", "is not YAML: line 1, column 1, "),
        Arguments.of("a: 1\nb: 2\na: 3\n", "line 3, column 1, a key that is there before"),
        Arguments.of("a: 1\nb: \u0001\n", "is not YAML: line 2, a control character"),
        Arguments.of("a: b\n\tc: d\n", "is not YAML: line 2, column 1, "),
        Arguments.of("\n" + tooDeep, "is not YAML: up to line 2, nested deeper than 32"),
        Arguments.of("a:\n" + "- b\n".repeat(50_000), "line 49999, more than 50000 values"),
        Arguments.of(laughs, "more than 32 aliases"),
        Arguments.of("a: !!int s3cret\n", "a value that does not fit its tag"),
        Arguments.of("{\n\"a\": [,]}", "is not YAML: line 2, column 7, while parsing a flow node"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource
  void whatIsNoKubeconfig(String text, String expected) throws Exception {
    Path file = file("config", text + "\n# token s3cret\n");
    InvalidKubeconfigException failure =
        assertThrows(InvalidKubeconfigException.class, () -> load(file));
    assertTrue(failure.toString().contains(file + ": is not "), failure.toString());
    assertTrue(failure.toString().contains(expected), failure.toString());
    assertFalse(failure.toString().contains("s3cret"), failure.toString());
  }

  @Test
  void everyFileThatCannotBeReadIsToldWithTheReason() throws Exception {
    Path missing = directory.resolve("missing");
    Path large = directory.resolve("large");
    Files.write(large, new byte[1024 * 1024 + 1]);
    Path binary = directory.resolve("binary");
    Files.write(binary, new byte[] {'a', ':', (byte) 0xC3, 0x28});
    Path number = file("number", "current-context: 5\n");
    InvalidKubeconfigException failure =
        assertThrows(
            InvalidKubeconfigException.class,
            () -> load(missing, directory, large, binary, number));
    assertEquals(
        List.of(
            "no such file: " + missing,
            "cannot be read: " + directory + ": Is a directory",
            "is longer than 1 MiB: " + large,
            binary + ": is not UTF-8 text",
            number + ": current-context is a number, expected a text; quote it"),
        failure.faults());
  }

  @Test
  void jsonIsReadWithTabsAndByteOrderMark() throws Exception {
    String json =
        """
        \uFEFF
        \t{"users": [\t{"name": "a\\/b \\u00e9",
        \t"user":{"token":"x\\ty"}}]}
        """;
    assertEquals("x\ty", of(load(file("json", json)).users(), "a/b é").text("token"));
  }

  static List<Arguments> whatKubectlReads() {
    String yaml = "users:\n- name: 2026-01-02\n  user:\n    token: x\n";
    String json = "{\t\"users\":\n\t[{\"name\":\t\"2026-01-02\", \"user\": {\"token\": \"x\"}}]}\n";
    return List.of(
        Arguments.of("a date as a name", yaml),
        Arguments.of("an empty document behind it", yaml + "---\n"),
        Arguments.of("another document behind it", yaml + "---\nusers: []\n"),
        Arguments.of("anything behind it", yaml + "...\n[\n"),
        Arguments.of("a separator before it", "---\n" + yaml),
        Arguments.of("a separator before JSON", "---\n" + json),
        Arguments.of("another JSON document behind it", json + "---\n" + json),
        Arguments.of("a directive and a comment", "%YAML 1.1\n# ours\n---\n" + yaml),
        Arguments.of("carriage returns", yaml.replace("\n", "\r\n")),
        Arguments.of(
            "a tab behind a key", yaml.replace("name: ", "name:\t\t").replace(":\n", ":\t\n")),
        Arguments.of("a tab behind quotes", yaml.replace(" x\n", " \"x\"\t# ours\n")),
        Arguments.of(
            "tabs between brackets",
            "users: " + json.substring(json.indexOf('['), json.length() - 2)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void whatKubectlReads(String situation, String text) throws Exception {
    assertEquals(
        "x", of(load(file("config", text)).users(), "2026-01-02").text("token"), situation);
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-8"})
  void byteOrderMarkTellsTheEncoding(String charset) throws Exception {
    String yaml = "\uFEFFusers: [{name: é, user: {token: x}}]\n";
    Path file = Files.write(directory.resolve("config"), yaml.getBytes(Charset.forName(charset)));
    assertEquals("x", of(load(file).users(), "é").text("token"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"clusters", "contexts", "users"})
  void nameThatIsThereTwiceInAFileIsRefused(String list) throws Exception {
    Path file = file("config", list + ": [{name: a}, {name: b}, {name: a}]\n");
    InvalidKubeconfigException failure =
        assertThrows(InvalidKubeconfigException.class, () -> load(file));
    assertEquals(List.of(file + ": two " + list + " have the name \"a\""), failure.faults());
  }

  @Test
  void anchorsAndMergesAreRead() throws Exception {
    Path file =
        file(
            "config",
            """
            users:
            - {name: a, user: &a {token: one, tokenFile: f}}
            - {name: b, user: {<<: *a, token: two}}
            """);
    Entry user = of(load(file).users(), "b");
    assertEquals("two f", user.text("token") + " " + user.text("tokenFile"));
  }

  @Test
  void listsOfAnyOtherShapeAreRefused() throws Exception {
    Path file = file("config", "clusters: 7\nusers: [3, {name: 5}, {name: a, user: b}]\n");
    InvalidKubeconfigException failure =
        assertThrows(InvalidKubeconfigException.class, () -> load(file));
    assertEquals(
        List.of(
            file + ": clusters is a number, expected a list",
            file + ": users has a number, expected {name: NAME, user: {...}}",
            file + ": an entry of users: name is a number, expected a text; quote it",
            file + ": user \"a\" is a text, expected a mapping"),
        failure.faults());
  }

  @Test
  void whatIsNotSetCountsAsAbsent() throws Exception {
    Path file =
        file(
            "config",
            """
            clusters:
            contexts: [null, {context: {}}, {name: bare}]
            users: []
            """);
    KubeconfigFiles config = load(file);
    assertEquals(List.of("bare"), List.copyOf(config.contexts().keySet()));
    assertEquals("", of(config.contexts(), "bare").text("cluster"));
  }

  @Test
  void secretsStayOutOfText() throws Exception {
    Path file = file("config", "users: [{name: me, user: {token: s3cret}}]\n");
    String text = of(load(file).users(), "me").toString();
    assertEquals(file + ": user \"me\"", text);
  }
}
