package io.apiserverupdater.apiserver.kubeconfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.tls.ClientCertificate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KubeconfigTest {
  @TempDir Path directory;

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private Kubeconfig access(Optional<String> context, String yaml)
      throws IOException, InvalidKubeconfigException {
    Path file = Files.writeString(directory.resolve("config"), yaml);
    return Kubeconfig.load(List.of(file), context, Map.of());
  }

  /** A kubeconfig with one context, its cluster's and user's fields in YAML's flow style. */
  private Kubeconfig access(String cluster, String user)
      throws IOException, InvalidKubeconfigException {
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
    return assertThrows(InvalidKubeconfigException.class, () -> access(cluster, user)).faults();
  }

  private String onlyFault(String cluster, String user) {
    List<String> faults = faults(cluster, user);
    assertEquals(1, faults.size(), faults.toString());
    return faults.get(0);
  }

  private String refusal(Optional<String> context, String yaml) {
    return assertThrows(InvalidKubeconfigException.class, () -> access(context, yaml)).toString();
  }

  @ParameterizedTest
  @CsvSource({
    "https://api.example, api.example:443",
    "https://api.example:6443, api.example:6443",
    "https://api.example:6443/, api.example:6443",
    "https://proxy.example/k8s/clusters/c1/, proxy.example:443/k8s/clusters/c1",
    "https://192.0.2.1:6443, 192.0.2.1:6443",
    "https://[2001:db8::1]:6443, [2001:db8::1]:6443",
    "https://h/a/b//, h:443/a/b",
    "https://1.2.3.4:65535/a%20b, 1.2.3.4:65535/a%20b",
    "https://kube_master:6443, kube_master:6443",
    "https://_a.b_c.example., _a.b_c.example.:443",
    "HTTPS://API.example:, API.example:443",
    "https://h//other/api, h:443/other/api",
  })
  void serverIsTakenApart(String url, String expected) throws Exception {
    assertEquals("https://" + expected, access("server: '" + url + "'", "").server().toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "http://api.example",
        "api.example:6443",
        "https://",
        "https://a b",
        "ftp://x",
        "https://h:0",
        "https://h:65536",
        "https://h:-1",
        "https://user@h",
        "https://h?a=b",
        "https://h#a",
        "https://h/a b",
        "https://h/%zz",
        "https://h/{a}",
        "https://[::1::2]",
        "https://[fe80::1%25eth0]",
        "https://[h]",
        "https://::1",
        "https://a..b",
        "https://-a",
        "https://h:99999",
        "https://h:999999",
      })
  void serverThatIsNoHttpsUrlIsRefused(String url) {
    String fault = onlyFault("server: '" + url + "'", "");
    assertTrue(fault.contains("server is \"" + url + "\""), fault);
    assertTrue(fault.contains("https://HOST"), fault);
  }

  @Test
  void serverThatIsTooLongIsRefused() {
    String fault = onlyFault("server: 'https://h/" + "a".repeat(100_000) + "'", "");
    assertTrue(fault.contains("server is"), fault.substring(0, 200));
  }

  @Test
  void tlsNameAndProxyAreTaken() throws Exception {
    Kubeconfig access =
        access(
            "server: https://192.0.2.1, tls-server-name: kubernetes, proxy-url: 'http://p:3128'",
            "");
    assertEquals(Optional.of("kubernetes"), access.tlsServerName());
    assertEquals(
        new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved("p", 3128)),
        access.proxy().address());
    assertEquals(Optional.empty(), access.proxy().authorization());
  }

  @ParameterizedTest
  @CsvSource({
    "me:s3cret, me:s3cret",
    "me:s%40%2B+:t, me:s@++:t",
    "me, me:",
    "':', ':'",
    "me:s3cret@x, me:s3cret@x"
  })
  void userAndPasswordOfAProxyAreTaken(String userInfo, String expected) throws Exception {
    ProxyServer proxy =
        access("server: https://x, proxy-url: 'http://" + userInfo + "@p'", "").proxy();
    assertEquals(Optional.of("Basic " + base64(expected)), proxy.authorization());
    assertFalse(proxy.toString().contains("s3cret"), proxy.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"socks5://me:s3cret@p", "https://me:s3cret@p", "s://s3cret@"})
  void proxyThatIsRefusedIsToldWithoutItsPassword(String url) {
    String fault = onlyFault("server: https://x, proxy-url: '" + url + "'", "");
    assertTrue(fault.contains("proxy-url is"), fault);
    assertFalse(fault.contains("s3cret"), fault);
  }

  /** What a library would throw at, sooner or later. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tls-server-name: 'https://api.example' | tls-server-name is \"https://api.example\"",
        "tls-server-name: 'a b' | tls-server-name is \"a b\", expected a host name",
        "tls-server-name: 'api.example:6443' | tls-server-name is \"api.example:6443\"",
        "proxy-url: 'http://p:99999' | proxy-url is \"http://p:99999\", expected http://",
        "insecure-skip-tls-verify: 'yes' | insecure-skip-tls-verify is a text, expected true or",
        "disable-compression: 1 | disable-compression is a number, expected true or false",
        "proxy-url: 'http://p p' | proxy-url is \"http://p p\", expected http://",
        "certificate-authority: \"a\\0b\" | certificate-authority is \"a\\u0000b\", expected a path",
      })
  void valueThatNobodyCouldUseIsRefused(String field, String expected) {
    String fault = onlyFault("server: 'https://x', " + field, "");
    assertTrue(fault.contains("cluster \"here\": " + expected), fault);
  }

  @ParameterizedTest
  @CsvSource({
    "client-certificate, 'client-key: k, '",
    "client-key, 'client-certificate: c, '",
    "tokenFile, ''"
  })
  void fileThatCannotBeNamedIsRefused(String key, String beside) {
    String fault = onlyFault("server: https://x", beside + key + ": \"\\0\"");
    assertTrue(fault.contains("user \"me\": " + key + " is \"\\u0000\", expected a path"), fault);
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
  void valuesThatAreNoTextsAreToldWithoutQuotingThem() {
    assertEquals(
        List.of(
            "cluster \"here\": tls-server-name is true or false, expected a text; quote it",
            "user \"me\": client-key is a list, expected a text",
            "user \"me\": token is a number, expected a text; quote it",
            "user \"me\" exec: command is a mapping, expected a text"),
        faults(
                "server: https://x, tls-server-name: true",
                "token: 12345, client-key: [], client-certificate: c,"
                    + " exec: {apiVersion: client.authentication.k8s.io/v1, command: {a: b}}")
            .stream()
            .map(fault -> fault.replaceFirst("^.*/config: ", ""))
            .filter(fault -> fault.contains(" is "))
            .filter(fault -> fault.contains("expected"))
            .toList());
  }

  @Test
  void dataThatIsNoBase64IsToldWithoutQuotingIt() {
    List<String> faults =
        faults(
            "server: https://x, certificate-authority-data: hello!",
            "client-certificate-data: AAAAA, client-key-data: s3cretAAA=x");
    assertEquals(3, faults.size(), faults.toString());
    for (String part : List.of("certificate-authority", "client-certificate", "client-key")) {
      assertTrue(
          faults.stream().anyMatch(f -> f.contains(": " + part + "-data is not base64")), part);
    }
    assertFalse(faults.toString().contains("s3cret"), faults.toString());
  }

  @Test
  void tokenOfTwoLinesIsRefused() {
    String fault = onlyFault("server: https://x", "token: \"s3cret\\nb\"");
    assertTrue(fault.contains("user \"me\": token has invalid characters"), fault);
  }

  @Test
  void keyThatContainsItselfIsRefused() {
    String refusal = refusal(Optional.empty(), "a: &e [*e]\n? [*e]\n: x\n");
    assertTrue(refusal.contains("is not YAML: "), refusal);
  }

  /** An alias can make a mapping that contains itself. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "&e {args: [a, *e]} | args[1] is a mapping, expected a text",
        "{args: [[a]]} | args[0] is a list, expected a text",
        "{provideClusterInfo: 'true'} | provideClusterInfo is a text, expected true or false",
        "{args: get-token} | args is a text, expected a list",
        "{env: {A: b}} | env is a mapping, expected a list",
        "{env: [A=b]} | env has an entry that is not {name: NAME, value: VALUE}",
        "{env: [{value: b}]} | env has an entry that is not {name: NAME, value: VALUE}",
        "{env: [{name: A=b, value: c}]} | env \"A=b\" cannot be a variable of a program",
        "{interactiveMode: never} | interactiveMode is \"never\", expected Never or IfAvailable or"
            + " Always",
        "&e {env: [{name: A, value: *e}]} | env \"A\" is a mapping, expected a text",
      })
  void argumentsAndVariablesOfAPluginAreTexts(String exec, String expected) {
    String plugin =
        exec.replaceFirst("\\{", "{apiVersion: client.authentication.k8s.io/v1, command: login, ");
    String fault = onlyFault("server: https://x", "exec: " + plugin);
    assertTrue(fault.endsWith("user \"me\" exec: " + expected), fault);
  }

  @Test
  void controlCharactersAreNotRepeated() {
    String fault = faults("server: \"http://\\e[2J\"", "").get(0);
    assertTrue(fault.contains("server is \"http://\\u001b[2J\""), fault);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "as: x | as",
        "as-uid: x | as-uid",
        "as-groups: [x] | as-groups",
        "as-user-extra: {a: [x]} | as-user-extra"
      })
  void impersonationIsRefused(String field, String key) {
    String fault = onlyFault("server: https://x", field);
    assertTrue(fault.contains("user \"me\": " + key + " is not supported"), fault);
  }

  @Test
  void pluginOfAnotherShapeIsRefused() {
    String fault = onlyFault("server: https://x", "exec: login");
    assertTrue(fault.endsWith("user \"me\": exec is a text, expected a mapping"), fault);
  }

  @Test
  void skippingVerificationIsRefused() {
    String fault = onlyFault("server: https://x, insecure-skip-tls-verify: true", "");
    assertTrue(fault.contains("certificate-authority"), fault);
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

    @Test
    void givenContextIsUsed() throws Exception {
      Kubeconfig access = access(Optional.of("one"), TWO);
      assertEquals("a", access.server().host());
      assertTrue(access.origin().endsWith("config context=one"), access.origin());
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "'' | [one, two, three]",
          "four | no context \"four\"",
          "four | [one, two, three]",
          "two | no cluster \"b\"",
          "two | no user \"gone\"",
          "three | context \"three\": cluster is not set",
        })
    void whatIsWrongIsToldWithTheChoices(String context, String part) {
      String message = refusal(Optional.of(context).filter(name -> !name.isEmpty()), TWO);
      assertTrue(message.contains(part), message);
    }

    @Test
    void namesAreToldByTheirFirstLine() {
      String names = "contexts: [{name: \"a\\n  token: s3cret\", context: {cluster: x}}]\n";
      String failure = refusal(Optional.of("b\nc"), names);
      assertTrue(failure.endsWith("no context \"b…\", expected one of [a…]"), failure);
    }
  }

  @Nested
  class Identity {
    private ClientIdentity identity(String user) throws Exception {
      return access("server: https://x", user).identity(false);
    }

    private void assertShows(String chain, String key, Kubeconfig access) throws IOException {
      assertEquals(
          Optional.of(new ClientCertificate(chain, key)), access.identity(false).certificate());
    }

    /** A pipe gives each text once: whoever looks twice waits for the second. */
    @Test
    @Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void certificateAndKeyInOneFileAreReadAtOneMoment() throws Exception {
      Path pipe = directory.resolve("current.pem");
      assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
      Thread writer =
          new Thread(
              () -> {
                try {
                  Files.writeString(pipe, "pair");
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      writer.start();
      assertShows(
          "pair",
          "pair",
          access("server: https://x", "client-certificate: current.pem, client-key: current.pem"));
      writer.join();
    }

    private void assertFails(String user, String... parts) {
      String failure = assertThrows(IOException.class, () -> identity(user)).toString();
      assertFalse(failure.contains("s3cret"), failure);
      for (String part : parts) {
        assertTrue(failure.contains(part), failure);
      }
    }

    @Test
    void withoutUserItIsAnonymous() throws Exception {
      Kubeconfig access =
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
      Kubeconfig access = access("server: https://x", "token: abc, tokenFile: t");
      assertEquals(Optional.of("first"), access.identity(false).token());
      Files.writeString(file, "second\n");
      assertEquals(Optional.of("second"), access.identity(false).token());
    }

    @Test
    void certificateFilesAreReadEachTimeAndRelativeToTheKubeconfig() throws Exception {
      Files.writeString(directory.resolve("c"), "chain-1");
      Files.writeString(directory.resolve("k"), "key-1");
      Kubeconfig access = access("server: https://x", "client-certificate: c, client-key: ./k");
      assertShows("chain-1", "key-1", access);
      Files.writeString(directory.resolve("c"), "chain-2");
      assertShows("chain-2", "key-1", access);
    }

    @Test
    void dataWinsOverTheFile() throws Exception {
      String user =
          "client-certificate: missing, client-key: missing, client-certificate-data: %s,"
              + " client-key-data: %s";
      String both = user.formatted(base64("chain"), base64("key"));
      assertShows("chain", "key", access("server: https://x", both));
    }

    @Test
    void oneOfThePairMayBeDataAndTheOtherFile() throws Exception {
      Files.writeString(directory.resolve("k"), "key");
      String user = "client-certificate-data: " + base64("chain") + ", client-key: k";
      assertShows("chain", "key", access("server: https://x", user));
    }

    @Test
    void missingFileIsToldByNameAndField() {
      String path = directory.resolve("nowhere").toString();
      assertFails("tokenFile: nowhere", "user \"me\": tokenFile", path);
    }

    @Test
    void missingOrEmptyFileOfACertificateIsTold() throws Exception {
      String user = "client-certificate: empty, client-key: empty";
      Files.writeString(directory.resolve("empty"), "");
      assertFails(user, "user \"me\": client-certificate: is empty");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " \n", "s3cret\ns3cret"})
    void fileWithoutATokenIsRefusedWithoutQuotingIt(String text) throws Exception {
      Files.writeString(directory.resolve("t"), text);
      assertFails("tokenFile: t", "user \"me\": tokenFile: ", directory.resolve("t").toString());
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

  /** What other programs write. */
  @Nested
  class Writers {
    /** As kubeadm join leaves it in /etc/kubernetes/kubelet.conf. */
    private static final String KUBEADM =
        """
        apiVersion: v1
        clusters:
        - cluster:
            certificate-authority-data: cGVt
            server: https://apiserver.cluster.local:6443
          name: kubernetes
        contexts:
        - context:
            cluster: kubernetes
            user: system:node:w1
          name: system:node:w1@kubernetes
        current-context: system:node:w1@kubernetes
        kind: Config
        preferences: {}
        users:
        - name: system:node:w1
          user:
            client-certificate: kubelet-client-current.pem
            client-key: kubelet-client-current.pem
        """;

    /** As kubectl config writes it: sorted, long texts folded, what looks otherwise in quotes. */
    private static final String KUBECTL =
        """
        apiVersion: v1
        clusters:
        - cluster:
            certificate-authority-data: cGVt
            server: https://[fd00::64]/prefix/
            tls-server-name: apiserver.cluster.local
          name: '- c'
        contexts:
        - context:
            cluster: '- c'
            user: "null"
          name: a very long name of a context with spaces so that kubectl folds it somewhere
            around eighty columns of text
        - context:
            cluster: ""
            user: it's
          name: |-
            multi
            line
        - context:
            cluster: c
            namespace: kube-system
            user: u
          name: "tab\\tname \\"q\\" é ☃"
        current-context: a very long name of a context with spaces so that kubectl folds it
          somewhere around eighty columns of text
        kind: Config
        preferences: {}
        users:
        - name: 'a: #b'
          user:
            token: "12345"
        - name: e
          user:
            exec:
              apiVersion: client.authentication.k8s.io/v1
              args:
              - a long argument with many words so that the line is longer than eighty columns
                and then some more
              - 'x: y'
              command: foo
              env:
              - name: A
                value: B
              provideClusterInfo: false
        - name: "null"
          user:
            token: THE-TOKEN
        """;

    /** As the kubelet writes it after TLS bootstrapping, but as JSON. */
    private static final String JSON =
        """
        {"kind": "Config", "apiVersion": "v1",
         "clusters": [{"name": "default-cluster", "cluster": {
           "server": "https://10.96.0.64:6443", "certificate-authority": "ca.crt"}}],
         "users": [{"name": "default-auth", "user": {
           "client-certificate": "kubelet-client-current.pem",
           "client-key": "kubelet-client-current.pem"}}],
         "contexts": [{"name": "default-context", "context": {
           "cluster": "default-cluster", "user": "default-auth", "namespace": "default"}}],
         "current-context": "default-context"}
        """;

    @BeforeEach
    void write() throws IOException {
      Files.writeString(directory.resolve("ca.crt"), "ca");
      Files.writeString(directory.resolve("kubelet-client-current.pem"), "pair");
    }

    @Test
    void kubeadm() throws Exception {
      Kubeconfig read = access(Optional.empty(), KUBEADM);
      assertEquals("https://apiserver.cluster.local:6443", read.server().toString());
      assertEquals(Optional.empty(), read.tlsServerName());
      assertEquals(Optional.of("pem"), read.certificateAuthority());
      assertEquals(
          new ClientIdentity(Optional.empty(), Optional.of(new ClientCertificate("pair", "pair"))),
          read.identity(false));
    }

    @Test
    void kubectl() throws Exception {
      Kubeconfig read = access(Optional.empty(), KUBECTL);
      assertEquals("https://[fd00::64]:443/prefix", read.server().toString());
      assertEquals(Optional.of("apiserver.cluster.local"), read.tlsServerName());
      assertEquals(ClientIdentity.ofToken("THE-TOKEN"), read.identity(false));
      assertFalse(read.toString().contains("THE-TOKEN"));
      String contexts = refusal(Optional.of("none"), KUBECTL);
      assertTrue(contexts.contains("multi…, tab\tname \"q\" é ☃]"), contexts);
    }

    @Test
    void json() throws Exception {
      Kubeconfig read = access(Optional.empty(), JSON);
      assertEquals("10.96.0.64", read.server().host());
      assertEquals(Optional.of("ca"), read.certificateAuthority());
      assertTrue(read.identity(false).certificate().isPresent());
      assertEquals(read.server(), access(Optional.empty(), "\uFEFF\n\t" + JSON).server());
    }
  }
}
