package io.apiserverupdater.bootstrap.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.bootstrap.api.Kubeconfig.InvalidKubeconfigException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class KubeconfigTest {
  private static final HeldCertificate CA =
      new HeldCertificate.Builder().commonName("ca").certificateAuthority(1).build();
  private static final HeldCertificate NODE =
      new HeldCertificate.Builder().commonName("system:node:w1").signedBy(CA).build();
  private static final String CA_DATA = base64(CA.certificatePem());

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** As kubeadm join leaves it in /etc/kubernetes/kubelet.conf. */
  static final String KUBEADM =
      """
      apiVersion: v1
      clusters:
      - cluster:
          certificate-authority-data: CA-DATA
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
      """
          .replace("CA-DATA", CA_DATA);

  /** As kubectl config writes it: sorted, long texts folded, what looks otherwise in quotes. */
  static final String KUBECTL =
      """
      apiVersion: v1
      clusters:
      - cluster:
          certificate-authority-data: CA-DATA
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
      """
          .replace("CA-DATA", CA_DATA);

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

  @TempDir Path folder;

  private Kubeconfig read(String text) throws IOException, InvalidKubeconfigException {
    Files.writeString(folder.resolve("ca.crt"), CA.certificatePem());
    Files.writeString(
        folder.resolve("kubelet-client-current.pem"),
        NODE.certificatePem() + NODE.privateKeyPkcs8Pem());
    Path file = folder.resolve("kubelet.conf");
    Files.writeString(file, text);
    return Kubeconfig.read(file);
  }

  private String refused(String text) {
    InvalidKubeconfigException refused =
        assertThrows(InvalidKubeconfigException.class, () -> read(text));
    return String.valueOf(refused.getMessage()).replace(folder + "/", "");
  }

  @Test
  void readsWhatKubeadmWrites() throws IOException, InvalidKubeconfigException {
    Kubeconfig read = read(KUBEADM);
    assertEquals("apiserver.cluster.local", read.host());
    assertEquals(6443, read.port());
    assertEquals("", read.pathPrefix());
    assertEquals("apiserver.cluster.local", read.tlsName());
    assertEquals(new ServerTrust.Authorities(List.of(CA.certificate())), read.trust());
    assertTrue(read.certificate().orElseThrow().chain().startsWith("-----BEGIN CERTIFICATE"));
    assertEquals(read.certificate().orElseThrow().chain(), read.certificate().orElseThrow().key());
    assertEquals(Optional.empty(), read.token());
  }

  @Test
  void readsWhatKubectlWrites() throws IOException, InvalidKubeconfigException {
    Kubeconfig read = read(KUBECTL);
    assertEquals("fd00::64", read.host());
    assertEquals(443, read.port());
    assertEquals("/prefix", read.pathPrefix());
    assertEquals("apiserver.cluster.local", read.tlsName());
    assertEquals(Optional.of("THE-TOKEN"), read.token());
    assertEquals(Optional.empty(), read.certificate());
  }

  @Test
  void readsJson() throws IOException, InvalidKubeconfigException {
    Kubeconfig read = read(JSON);
    assertEquals("10.96.0.64", read.host());
    assertEquals(new ServerTrust.Authorities(List.of(CA.certificate())), read.trust());
    assertTrue(read.certificate().isPresent());
    assertEquals(read.toString(), read("\uFEFF\n\t" + JSON).toString());
  }

  @Test
  void dataWinsOverTheFileBesideIt() throws IOException, InvalidKubeconfigException {
    String pair =
        "client-certificate-data: "
            + base64(NODE.certificatePem())
            + "\n    client-key-data: "
            + base64(NODE.privateKeyPkcs8Pem())
            + "\n    client-certificate: /nowhere";
    Kubeconfig read = read(KUBEADM.replace("client-certificate: kubelet-client-current.pem", pair));
    assertEquals(NODE.certificatePem(), read.certificate().orElseThrow().chain());
    assertEquals(NODE.privateKeyPkcs8Pem(), read.certificate().orElseThrow().key());
  }

  @Test
  void tokenFileWinsOverTheTokenBesideIt() throws IOException, InvalidKubeconfigException {
    Files.writeString(folder.resolve("token"), "from-the-file\n");
    Kubeconfig read =
        read(KUBECTL.replace("token: THE-TOKEN", "token: THE-TOKEN\n    tokenFile: token"));
    assertEquals(Optional.of("from-the-file"), read.token());
  }

  @Test
  void anEmptyFileNamesNothing() {
    assertEquals(
        "kubelet.conf: is no kubeconfig: expected clusters, users and contexts, found null",
        refused(""));
    assertEquals(
        "kubelet.conf: is no kubeconfig: expected clusters, users and contexts, found a list",
        refused("- a\n"));
  }

  static List<Arguments> faults() {
    String ca = "certificate-authority-data: " + CA_DATA;
    return List.of(
        fault(
            "no context",
            "current-context: system:node:w1@kubernetes",
            "current-context: ''",
            "kubelet.conf: current-context is not set; set it with kubectl config use-context"),
        fault(
            "an unknown context",
            "current-context: system:node:w1@kubernetes",
            "current-context: other",
            "kubelet.conf: there is no context \"other\" in contexts"),
        fault(
            "an unknown cluster and user",
            "    cluster: kubernetes\n    user: system:node:w1",
            "    cluster: c\n    user: u",
            "kubelet.conf: there is no cluster \"c\" in clusters\n"
                + "kubelet.conf: there is no user \"u\" in users"),
        fault(
            "a context that says nothing",
            "    cluster: kubernetes\n    user: system:node:w1",
            "    namespace: x",
            "kubelet.conf: the current context names no cluster\n"
                + "kubelet.conf: the current context names no user"),
        fault(
            "no server",
            "server: https://apiserver.cluster.local:6443",
            "x: y",
            "kubelet.conf: cluster \"kubernetes\": server is \"\", expected"
                + " https://HOST[:PORT][/PATH]"),
        fault(
            "no CA",
            ca,
            "x: y",
            "kubelet.conf: cluster \"kubernetes\": certificate-authority is not set; expected the"
                + " file of the cluster's CA, as /etc/kubernetes/pki/ca.crt"),
        fault(
            "a CA that is no certificate",
            ca,
            "certificate-authority-data: aGVsbG8=",
            "kubelet.conf: cluster \"kubernetes\": certificate-authority: no CERTIFICATE block in"
                + " it"),
        fault(
            "a CA that is not base64",
            ca,
            "certificate-authority-data: hello!",
            "kubelet.conf: cluster \"kubernetes\": certificate-authority-data is not base64"),
        fault(
            "a CA file that is not there",
            ca,
            "certificate-authority: pki/ca.crt",
            "kubelet.conf: cluster \"kubernetes\": certificate-authority: pki/ca.crt: no such"
                + " file"),
        fault(
            "a server that nobody verifies",
            ca,
            ca + "\n    insecure-skip-tls-verify: true",
            "kubelet.conf: cluster \"kubernetes\": insecure-skip-tls-verify is set, but the server"
                + " is always verified before it gets the credentials; set certificate-authority"
                + " instead"),
        fault(
            "a proxy",
            ca,
            ca + "\n    proxy-url: http://proxy:3128",
            "kubelet.conf: cluster \"kubernetes\": proxy-url is not supported here: the apiserver"
                + " is asked directly"),
        fault(
            "a certificate without its key",
            "\n    client-key: kubelet-client-current.pem",
            "",
            "kubelet.conf: user \"system:node:w1\": client-certificate is set, but client-key is"
                + " not"),
        fault(
            "a key without its certificate",
            "client-certificate: kubelet-client-current.pem\n    ",
            "",
            "kubelet.conf: user \"system:node:w1\": client-key is set, but client-certificate is"
                + " not"),
        fault(
            "no credential",
            """
                client-certificate: kubelet-client-current.pem
                client-key: kubelet-client-current.pem
            """,
            "    x: y\n",
            "kubelet.conf: user \"system:node:w1\": has no credential; expected a client"
                + " certificate or a token"),
        fault(
            "a program for the credential, and a password",
            "client-key: kubelet-client-current.pem",
            "client-key: kubelet-client-current.pem\n    password: x\n    exec:\n      command: y",
            "kubelet.conf: user \"system:node:w1\": exec is not supported here: expected a client"
                + " certificate or a token\n"
                + "kubelet.conf: user \"system:node:w1\": password is not supported here: expected"
                + " a client certificate or a token"),
        fault(
            "a token that is a number",
            "client-key: kubelet-client-current.pem",
            "client-key: kubelet-client-current.pem\n    token: 12345",
            "kubelet.conf: user \"system:node:w1\": token is a number, expected a text; put it"
                + " into quotes"),
        fault(
            "a token of two lines",
            "client-key: kubelet-client-current.pem",
            "client-key: kubelet-client-current.pem\n    token: \"a\\nb\"",
            "kubelet.conf: user \"system:node:w1\": the token has invalid characters"),
        fault(
            "several at once",
            "server: https://apiserver.cluster.local:6443\n  name: kubernetes",
            "server: http://x\n    proxy-url: y\n  name: kubernetes",
            "kubelet.conf: cluster \"kubernetes\": proxy-url is not supported here: the apiserver"
                + " is asked directly\n"
                + "kubelet.conf: cluster \"kubernetes\": server is \"http://x\", expected"
                + " https://HOST[:PORT][/PATH]"),
        fault(
            "YAML that nobody expects",
            "preferences: {}",
            "preferences: {colors: true}",
            "kubelet.conf: line 14: expected no special form that starts with '{'; write it as"
                + " kubectl config does, or as JSON"));
  }

  private static Arguments fault(String what, String part, String changed, String message) {
    return Arguments.of(what, part, changed, message);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void faults(String what, String part, String changed, String message) {
    assertTrue(KUBEADM.contains(part), "the part to change");
    assertEquals(message, refused(KUBEADM.replace(part, changed)));
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "https://h, h, 443, ''",
    "https://h:1/, h, 1, ''",
    "https://h/a/b//, h, 443, /a/b",
    "https://[::1]:6443, ::1, 6443, ''",
    "https://1.2.3.4:65535/a%20b, 1.2.3.4, 65535, /a%20b",
  })
  void readsServers(String server, String host, int port, String prefix)
      throws IOException, InvalidKubeconfigException {
    Kubeconfig read = read(KUBEADM.replace("https://apiserver.cluster.local:6443", server));
    assertEquals(host, read.host());
    assertEquals(port, read.port());
    assertEquals(prefix, read.pathPrefix());
  }

  @ParameterizedTest
  @CsvSource({
    "http://h:6443",
    "h:6443",
    "https://",
    "https://h:0",
    "https://h:65536",
    "https://h:-1",
    "https://user@h",
    "https://h?a=b",
    "https://h#a",
    "https://a b",
    "https://h_h",
  })
  void refusesServers(String server) {
    String message = refused(KUBEADM.replace("https://apiserver.cluster.local:6443", server));
    assertTrue(message.contains("expected https://HOST[:PORT][/PATH]"), message);
  }

  @Test
  void tellsTheLineOfAFaultInJson() {
    String message = refused(JSON.replace("\"users\": [", "\"users\": [,"));
    assertEquals("kubelet.conf: line 4: is not JSON: expected a value, found ','", message);
  }

  @Test
  void tellsWhyAFileCannotBeRead() throws IOException {
    Path missing = folder.resolve("missing");
    assertEquals(
        missing + ": no such file",
        assertThrows(InvalidKubeconfigException.class, () -> Kubeconfig.read(missing))
            .getMessage());
    String aFolder =
        String.valueOf(
            assertThrows(InvalidKubeconfigException.class, () -> Kubeconfig.read(folder))
                .getMessage());
    assertTrue(aFolder.contains("cannot be read"), aFolder);
    Path large = folder.resolve("large");
    Files.write(large, new byte[1024 * 1024 + 1]);
    assertEquals(
        large + ": is longer than 1 MiB",
        assertThrows(InvalidKubeconfigException.class, () -> Kubeconfig.read(large)).getMessage());
    Path binary = folder.resolve("binary");
    Files.write(binary, new byte[] {'a', ':', (byte) 0xC3, 0x28});
    assertEquals(
        binary + ": is not UTF-8 text",
        assertThrows(InvalidKubeconfigException.class, () -> Kubeconfig.read(binary)).getMessage());
    Files.writeString(folder.resolve("empty"), "");
    assertEquals(
        "kubelet.conf: cluster \"kubernetes\": certificate-authority: empty: is empty",
        refused(
            KUBEADM.replace(
                "certificate-authority-data: " + CA_DATA, "certificate-authority: empty")));
    assertEquals(
        "kubelet.conf: user \"null\": tokenFile: empty: is empty",
        refused(KUBECTL.replace("token: THE-TOKEN", "tokenFile: empty")));
  }

  @Test
  void secretsStayOutOfTexts() throws IOException, InvalidKubeconfigException {
    assertFalse(read(KUBECTL).toString().contains("THE-TOKEN"));
    assertFalse(read(KUBEADM).toString().contains("PRIVATE"));
  }
}
