package io.apiserverupdater.updater.kube.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class InClusterAccessTest {
  private static final String HOST = "KUBERNETES_SERVICE_HOST";
  private static final String PORT = "KUBERNETES_SERVICE_PORT";

  @TempDir Path directory;

  @BeforeEach
  void mountServiceAccount() throws IOException {
    Files.writeString(directory.resolve("token"), "first\n");
    Files.writeString(directory.resolve("ca.crt"), "ca-1");
  }

  private Optional<ClusterAccess> find(String host) {
    return InClusterAccess.find(Map.of(HOST, host, PORT, "443"), directory);
  }

  private ClusterAccess access() {
    return find("10.96.0.1").orElseThrow();
  }

  @Test
  void takesTheAddressFromTheEnvironment() {
    assertEquals(new ServerAddress("10.96.0.1", 443, "", Optional.empty()), access().server());
    assertTrue(access().isInCluster());
  }

  @Test
  void ipv6AddressNeedsNoBrackets() {
    assertEquals("[fd00::1]:443", find("fd00::1").orElseThrow().server().toString());
  }

  @Test
  void rotatedTokenAndAuthorityAreReadAnew() throws Exception {
    ClusterAccess access = access();
    assertEquals(ClientIdentity.ofToken("first"), access.identity(false));
    assertEquals(Optional.of("ca-1"), access.certificateAuthority());
    Files.writeString(directory.resolve("token"), "second\n");
    Files.writeString(directory.resolve("ca.crt"), "ca-2");
    assertEquals(ClientIdentity.ofToken("second"), access.identity(false));
    assertEquals(Optional.of("ca-2"), access.certificateAuthority());
  }

  @Test
  void missingFileIsNamed() throws Exception {
    ClusterAccess access = access();
    Files.delete(directory.resolve("token"));
    IOException failure = assertThrows(IOException.class, () -> access.identity(false));
    assertTrue(failure.toString().contains("token"), failure.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "two words", "sch\u00f6n", "a\nb"})
  void whatCannotStandInAHeaderIsNoToken(String content) throws Exception {
    Files.writeString(directory.resolve("token"), content);
    ClusterAccess access = access();
    IOException failure = assertThrows(IOException.class, () -> access.identity(false));
    assertTrue(failure.toString().endsWith("token: no token in it"), failure.toString());
  }

  static List<Arguments> elsewhere() {
    return List.of(
        Arguments.of("outside a pod", Map.of()),
        Arguments.of("no port", Map.of(HOST, "10.96.0.1")),
        Arguments.of("no host", Map.of(PORT, "443")),
        Arguments.of("a port beyond all", Map.of(HOST, "10.96.0.1", PORT, "99999")),
        Arguments.of("a host that is none", Map.of(HOST, "https://x", PORT, "443")),
        Arguments.of("a port that is none", Map.of(HOST, "10.96.0.1", PORT, "tcp://x")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void elsewhere(String situation, Map<String, String> environment) {
    assertEquals(Optional.empty(), InClusterAccess.find(environment, directory), situation);
  }

  @Test
  void podWithoutTokenHasNoAccess() throws Exception {
    Files.delete(directory.resolve("token"));
    assertEquals(Optional.empty(), find("10.96.0.1"));
  }
}
