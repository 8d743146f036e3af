package io.apiserverupdater.updater.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.tls.ClientCertificate;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KubeconfigAccessTest {
  @TempDir Path directory;

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private ClusterAccess access(Optional<String> context, String yaml)
      throws IOException, ClusterAccess.ConfigurationException {
    Path file = Files.writeString(directory.resolve("config"), yaml);
    return KubeconfigAccess.of(Kubeconfig.load(List.of(file)), context, Map.of());
  }

  /** A kubeconfig with one context, its cluster's and user's fields in YAML's flow style. */
  private ClusterAccess access(String cluster, String user)
      throws IOException, ClusterAccess.ConfigurationException {
    return access(
        Optional.empty(),
        """
        current-context: main
        contexts: [{name: main, context: {cluster: here, user: me}}]
        clusters: [{name: here, cluster: {%s}}]
        users: [{name: me, user: {%s}}]
        """
            .formatted(cluster, user));
  }

  private List<String> faults(String cluster, String user) {
    return assertThrows(ClusterAccess.ConfigurationException.class, () -> access(cluster, user))
        .faults();
  }

  @ParameterizedTest
  @CsvSource({
    "https://api.example, api.example:443",
    "https://api.example:6443, api.example:6443",
    "https://api.example:6443/, api.example:6443",
    "https://proxy.example/k8s/clusters/c1/, proxy.example:443/k8s/clusters/c1",
    "https://192.0.2.1:6443, 192.0.2.1:6443",
    "https://[2001:db8::1]:6443, [2001:db8::1]:6443",
  })
  void serverIsTakenApart(String url, String expected) throws Exception {
    assertEquals(expected, access("server: '" + url + "'", "").server().toString());
  }

  @Test
  void ipv6HostIsKeptWithoutBrackets() throws Exception {
    assertEquals("2001:db8::1", access("server: 'https://[2001:db8::1]'", "").server().host());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "http://api.example",
        "api.example:6443",
        "https://",
        "https://a b",
        "ftp://x"
      })
  void serverThatIsNoHttpsUrlIsRefused(String url) {
    List<String> faults = faults("server: '" + url + "'", "");
    assertEquals(1, faults.size());
    assertTrue(faults.get(0).contains("server is \"" + url + "\""), faults.get(0));
    assertTrue(faults.get(0).contains("https://HOST"), faults.get(0));
  }

  @Test
  void tlsNameAndProxyAreTaken() throws Exception {
    ClusterAccess access =
        access(
            "server: https://192.0.2.1, tls-server-name: kubernetes, proxy-url: 'http://p:3128'",
            "");
    assertEquals(Optional.of("kubernetes"), access.server().tlsName());
    assertEquals(
        new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved("p", 3128)), access.proxy());
  }

  @Test
  void everyFaultIsToldAtOnce() {
    List<String> faults =
        faults(
            "server: http://x, insecure-skip-tls-verify: true, proxy-url: 'gopher://p'",
            "username: u, password: p, client-key: k, exec: {apiVersion: v0}");
    for (String expected :
        List.of(
            "server is",
            "insecure-skip-tls-verify",
            "proxy-url",
            "username is not supported",
            "password is not supported",
            "client-key is set, but client-certificate is not",
            "apiVersion is \"v0\"",
            "command is not set")) {
      assertEquals(1, faults.stream().filter(fault -> fault.contains(expected)).count(), expected);
    }
    assertEquals(8, faults.size(), faults.toString());
    faults.forEach(fault -> assertTrue(fault.startsWith(directory.toString()), fault));
  }

  @Test
  void skippingVerificationIsRefused() {
    List<String> faults = faults("server: https://x, insecure-skip-tls-verify: true", "");
    assertEquals(1, faults.size());
    assertTrue(faults.get(0).contains("certificate-authority"), faults.get(0));
  }

  @Test
  void verificationThatIsNotSkippedIsFine() throws Exception {
    access("server: https://x, insecure-skip-tls-verify: false", "");
  }

  @Nested
  class Contexts {
    private static final String TWO =
        """
        contexts:
        - {name: one, context: {cluster: a}}
        - {name: two, context: {cluster: b, user: gone}}
        - {name: three, context: {}}
        clusters:
        - {name: a, cluster: {server: https://a}}
        """;

    private String failure(Optional<String> context) {
      return assertThrows(ClusterAccess.ConfigurationException.class, () -> access(context, TWO))
          .toString();
    }

    @Test
    void givenContextIsUsed() throws Exception {
      ClusterAccess access = access(Optional.of("one"), TWO);
      assertEquals("a", access.server().host());
      assertTrue(access.origin().endsWith("config context=one"), access.origin());
      assertFalse(access.isInCluster());
    }

    @Test
    void withoutOneTheChoicesAreTold() {
      assertTrue(failure(Optional.empty()).contains("[one, two, three]"));
    }

    @Test
    void unknownContextIsToldWithTheChoices() {
      String message = failure(Optional.of("four"));
      assertTrue(message.contains("no context \"four\""), message);
      assertTrue(message.contains("[one, two, three]"), message);
    }

    @Test
    void namesThatLeadNowhereAreToldTogether() {
      String message = failure(Optional.of("two"));
      assertTrue(message.contains("no cluster \"b\""), message);
      assertTrue(message.contains("no user \"gone\""), message);
    }

    @Test
    void contextWithoutClusterIsRefused() {
      assertTrue(failure(Optional.of("three")).contains("no cluster \"\""));
    }
  }

  @Nested
  class Identity {
    private ClientIdentity identity(String user) throws Exception {
      return access("server: https://x", user).identity(false);
    }

    @Test
    void withoutUserItIsAnonymous() throws Exception {
      ClusterAccess access =
          access(
              Optional.of("c"),
              """
              contexts: [{name: c, context: {cluster: a}}]
              clusters: [{name: a, cluster: {server: https://a}}]
              """);
      assertEquals(ClientIdentity.ANONYMOUS, access.identity(false));
    }

    @Test
    void tokenIsTaken() throws Exception {
      assertEquals(Optional.of("abc"), identity("token: abc").token());
    }

    @Test
    void tokenFileWinsOverTokenAndIsReadEachTime() throws Exception {
      Path file = Files.writeString(directory.resolve("t"), "first\n");
      ClusterAccess access = access("server: https://x", "token: abc, tokenFile: t");
      assertEquals(Optional.of("first"), access.identity(false).token());
      Files.writeString(file, "second\n");
      assertEquals(Optional.of("second"), access.identity(false).token());
    }

    @Test
    void certificateFilesAreReadEachTimeAndRelativeToTheKubeconfig() throws Exception {
      Files.writeString(directory.resolve("c"), "chain-1");
      Files.writeString(directory.resolve("k"), "key-1");
      ClusterAccess access = access("server: https://x", "client-certificate: c, client-key: ./k");
      assertEquals(
          Optional.of(new ClientCertificate("chain-1", "key-1")),
          access.identity(false).certificate());
      Files.writeString(directory.resolve("c"), "chain-2");
      assertEquals("chain-2", access.identity(false).certificate().orElseThrow().chain());
    }

    @Test
    void dataWinsOverTheFile() throws Exception {
      String user =
          "client-certificate: missing, client-key: missing, client-certificate-data: %s,"
              + " client-key-data: %s";
      assertEquals(
          Optional.of(new ClientCertificate("chain", "key")),
          identity(user.formatted(base64("chain"), base64("key"))).certificate());
    }

    @Test
    void oneOfThePairMayBeDataAndTheOtherFile() throws Exception {
      Files.writeString(directory.resolve("k"), "key");
      String user = "client-certificate-data: " + base64("chain") + ", client-key: k";
      assertEquals(
          Optional.of(new ClientCertificate("chain", "key")), identity(user).certificate());
    }

    @Test
    void missingFileIsToldByNameAndField() {
      IOException failure = assertThrows(IOException.class, () -> identity("tokenFile: nowhere"));
      assertTrue(failure.toString().contains("user \"me\": tokenFile"), failure.toString());
      assertTrue(
          failure.toString().contains(directory.resolve("nowhere").toString()), failure.toString());
    }

    @Test
    void dataThatIsNoBase64IsToldWithoutQuotingIt() {
      String user = "client-certificate-data: AAAAA, client-key-data: s3cretAAA=x";
      IOException failure = assertThrows(IOException.class, () -> identity(user));
      assertTrue(failure.toString().contains("is not base64"), failure.toString());
      assertFalse(failure.toString().contains("s3cret"), failure.toString());
    }

    @Test
    void secretsStayOutOfText() throws Exception {
      ClientIdentity identity =
          identity(
              "token: s3cret, client-certificate-data: %s, client-key-data: %s"
                  .formatted(base64("s3cret"), base64("s3cret")));
      assertFalse(identity.toString().contains("s3cret"));
      assertFalse(identity.certificate().orElseThrow().toString().contains("s3cret"));
    }
  }

  @Nested
  class Authority {
    @Test
    void dataOrFileIsRead() throws Exception {
      assertEquals(
          Optional.of("pem"),
          access("server: https://x, certificate-authority-data: " + base64("pem"), "")
              .certificateAuthority());
      Files.writeString(directory.resolve("ca"), "other pem");
      assertEquals(
          Optional.of("other pem"),
          access("server: https://x, certificate-authority: ca", "").certificateAuthority());
    }

    @Test
    void withoutOneTheRuntimesOwnListIsMeant() throws Exception {
      assertEquals(Optional.empty(), access("server: https://x", "").certificateAuthority());
    }
  }
}
