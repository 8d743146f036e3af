package io.apiserverupdater.updater.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KubeconfigTest {
  @TempDir Path directory;

  private Path file(String name, String text) throws IOException {
    Path file = directory.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private Kubeconfig load(Path... files) throws ClusterAccess.ConfigurationException {
    return Kubeconfig.load(List.of(files));
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
    Kubeconfig config = load(first, second);
    Kubeconfig.Entry both = config.cluster("both").orElseThrow();
    assertEquals("https://first", both.text("server"));
    assertFalse(both.has("tls-server-name"), "a thing is taken whole, not field by field");
    assertEquals("https://more", config.cluster("more").orElseThrow().text("server"));
    assertEquals(Optional.of("two"), config.currentContext());
    assertEquals(List.of("one", "two"), config.contexts());
    assertEquals(first + ":" + second, config.files());
    assertEquals(Optional.empty(), config.user("nobody"));
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
    Kubeconfig config = load(first, second, third);
    assertEquals(directory.resolve("x/t"), config.user("one").orElseThrow().path("tokenFile"));
    assertEquals(
        directory.resolve("t"), config.user("two").orElseThrow().path("tokenFile").normalize());
    assertEquals(Path.of("/etc/t"), config.user("three").orElseThrow().path("tokenFile"));
  }

  @Test
  void unreadableFileIsNamed() {
    Path missing = directory.resolve("missing");
    ClusterAccess.ConfigurationException failure =
        assertThrows(ClusterAccess.ConfigurationException.class, () -> load(missing));
    assertTrue(failure.toString().contains(missing.toString()), failure.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"- a\n- b\n", "just text", "42", "a: [", "a: !!java.net.URL [x]\n", "\t"})
  void whatIsNoKubeconfigIsRefusedWithoutQuotingIt(String text) throws Exception {
    Path file = file("config", text + "\n# token s3cret\n");
    ClusterAccess.ConfigurationException failure =
        assertThrows(ClusterAccess.ConfigurationException.class, () -> load(file));
    assertTrue(failure.toString().contains(file + ": is not "), failure.toString());
    assertFalse(failure.toString().contains("s3cret"), failure.toString());
  }

  @Test
  void listsOfAnyOtherShapeCountAsAbsent() throws Exception {
    Path file =
        file(
            "config",
            """
            clusters: 7
            contexts: [3, null, {context: {}}, {name: 5}, {name: bare}]
            users:
            """);
    Kubeconfig config = load(file);
    assertEquals(List.of("bare"), config.contexts());
    assertEquals("", config.context("bare").orElseThrow().text("cluster"));
  }

  @Test
  void secretsStayOutOfText() throws Exception {
    Path file = file("config", "users: [{name: me, user: {token: s3cret}}]\n");
    String text = load(file).user("me").orElseThrow().toString();
    assertEquals(file + ": user \"me\"", text);
  }
}
