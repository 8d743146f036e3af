package io.apiserverupdater.updater.kube.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.kubeconfig.InvalidKubeconfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the configuration is looked for, and in which order. */
class ClusterAccessesTest {
  @TempDir Path directory;

  @BeforeEach
  void writeHome() throws IOException {
    Files.createDirectories(directory.resolve("home/.kube"));
    config("home/.kube/config", "home");
  }

  private Path config(String name, String server) throws IOException {
    return Files.writeString(
        directory.resolve(name),
        """
        current-context: '%1$s'
        contexts: [{name: '%1$s', context: {cluster: '%1$s'}}]
        clusters: [{name: '%1$s', cluster: {server: 'https://%1$s'}}]
        """
            .formatted(server));
  }

  private Optional<ClusterAccess> find(
      Optional<Path> flag, Optional<String> context, String kubeconfig) throws Exception {
    String home = directory.resolve("home").toString();
    return ClusterAccesses.find(flag, context, Map.of("KUBECONFIG", kubeconfig, "HOME", home));
  }

  private static String host(Optional<ClusterAccess> access) {
    return access.orElseThrow().server().host();
  }

  @Test
  void flagComesFirst() throws Exception {
    Path flag = config("flag", "flag");
    Path listed = config("listed", "listed");
    assertEquals("flag", host(find(Optional.of(flag), Optional.empty(), listed.toString())));
  }

  @Test
  void flagThatNamesNoFileIsAnError() {
    Optional<Path> gone = Optional.of(directory.resolve("gone"));
    assertThrows(InvalidKubeconfigException.class, () -> find(gone, Optional.empty(), ""));
  }

  @Test
  void listComesBeforeTheHome() throws Exception {
    Path listed = config("listed", "listed");
    assertEquals("listed", host(find(Optional.empty(), Optional.empty(), listed.toString())));
  }

  @Test
  void listIsMergedAndItsMissingFilesArePassedOver() throws Exception {
    Path a = config("a", "a");
    Path b = config("b", "b");
    String listed = "::" + directory + "/gone:" + b + ":" + a + ":";
    assertEquals("b", host(find(Optional.empty(), Optional.empty(), listed)));
    assertEquals("a", host(find(Optional.empty(), Optional.of("a"), listed)));
  }

  @Test
  void listOfMissingFilesIsAnError() {
    InvalidKubeconfigException failure =
        assertThrows(
            InvalidKubeconfigException.class,
            () -> find(Optional.empty(), Optional.empty(), directory + "/gone"));
    assertTrue(failure.toString().contains("/gone: no such file"), failure.toString());
  }

  @Test
  void serverIsTakenApart() throws Exception {
    Path flag = config("flag", "[2001:db8::1]:6443/prefix/");
    ClusterAccess access = find(Optional.of(flag), Optional.empty(), "").orElseThrow();
    assertEquals(
        new ServerAddress("2001:db8::1", 6443, "/prefix", Optional.empty()), access.server());
    assertFalse(access.isInCluster());
  }

  @Test
  void homeComesNext() throws Exception {
    assertEquals("home", host(find(Optional.empty(), Optional.empty(), "")));
  }

  @Test
  void withoutAnythingThereIsNone() throws Exception {
    assertEquals(
        Optional.empty(),
        ClusterAccesses.find(
            Optional.empty(), Optional.empty(), Map.of("HOME", directory.toString())));
  }

  @Test
  void contextWithoutAnyKubeconfigIsAnError() {
    InvalidKubeconfigException failure =
        assertThrows(
            InvalidKubeconfigException.class,
            () ->
                ClusterAccesses.find(
                    Optional.empty(), Optional.of("main"), Map.of("HOME", directory.toString())));
    assertTrue(failure.toString().contains("--kubeconfig"), failure.toString());
  }
}
