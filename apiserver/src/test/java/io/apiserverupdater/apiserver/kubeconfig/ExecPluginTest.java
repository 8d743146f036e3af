package io.apiserverupdater.apiserver.kubeconfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.apiserver.tls.ClientCertificate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Credential plugins that are tiny shell scripts. One after the other: a process that is started
 * while another thread writes a script holds it open, and such a script cannot be run.
 */
@EnabledOnOs({OS.LINUX, OS.MAC})
@Execution(ExecutionMode.SAME_THREAD)
@Timeout(10)
class ExecPluginTest {
  private static final String V1 = "client.authentication.k8s.io/v1";

  @TempDir Path directory;

  private static String credential(String status) {
    return "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" + V1 + "\",\"status\":" + status + "}";
  }

  private void script(String body) throws IOException {
    Path file = Files.writeString(directory.resolve("plugin"), "#!/bin/sh\n" + body + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  private void prints(String output) throws IOException {
    Files.writeString(directory.resolve("output"), output);
    script("echo run >> '" + directory + "/runs'; cat '" + directory + "/output'");
  }

  private int runs() throws IOException {
    return Files.readAllLines(directory.resolve("runs")).size();
  }

  /** With fields of the user besides the plugin, and more of the plugin's. */
  private Kubeconfig access(String user, String plugin) throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("config"),
            """
            current-context: main
            contexts: [{name: main, context: {cluster: here, user: me}}]
            clusters:
            - name: here
              cluster:
                server: https://api.example:6443
                tls-server-name: kubernetes
                certificate-authority-data: cGVt
            users: [{name: me, user: {%sexec: {apiVersion: %s, command: ./plugin%s}}}]
            """
                .formatted(user, V1, plugin));
    return Kubeconfig.load(
        List.of(file), Optional.empty(), Map.of("PATH", System.getenv("PATH"), "FROM_US", "yes"));
  }

  private Kubeconfig access(String plugin) throws Exception {
    return access("", plugin);
  }

  private JsonObject info() throws IOException {
    return JsonParser.parseString(Files.readString(directory.resolve("info"))).getAsJsonObject();
  }

  private String failure() {
    return assertThrows(IOException.class, () -> access("").identity(false)).toString();
  }

  @Test
  void givesToken() throws Exception {
    prints(credential("{\"token\":\"abc\"}"));
    assertEquals(ClientIdentity.ofToken("abc"), access("").identity(false));
  }

  @Test
  void givesClientCertificate() throws Exception {
    prints(credential("{\"clientCertificateData\":\"chain\",\"clientKeyData\":\"key\"}"));
    assertEquals(
        new ClientIdentity(Optional.empty(), Optional.of(new ClientCertificate("chain", "key"))),
        access("").identity(false));
  }

  @Test
  void keepsWhatHasNoExpiry() throws Exception {
    prints(credential("{\"token\":\"abc\"}"));
    Kubeconfig access = access("");
    access.identity(false);
    access.identity(false);
    assertEquals(1, runs());
  }

  @Test
  void runsAgainWhenTheIdentityWasTurnedDown() throws Exception {
    prints(credential("{\"token\":\"abc\"}"));
    Kubeconfig access = access("");
    access.identity(false);
    prints(credential("{\"token\":\"def\"}"));
    assertEquals(Optional.of("def"), access.identity(true).token());
    assertEquals(Optional.of("def"), access.identity(false).token());
    assertEquals(2, runs());
  }

  @ParameterizedTest(name = "expires {0}: {1} runs")
  @CsvSource({"2001-01-01T00:00:00Z, 2", "2999-01-01T00:00:00Z, 1"})
  void runsAgainOnceItHasExpired(String expiry, int expected) throws Exception {
    prints(credential("{\"token\":\"abc\",\"expirationTimestamp\":\"" + expiry + "\"}"));
    Kubeconfig access = access("");
    access.identity(false);
    access.identity(false);
    assertEquals(expected, runs());
  }

  @Test
  void failureKeepsNothingBack() throws Exception {
    script("exit 1");
    Kubeconfig access = access("");
    assertThrows(IOException.class, () -> access.identity(false));
    prints(credential("{\"token\":\"abc\"}"));
    assertEquals(Optional.of("abc"), access.identity(false).token());
  }

  @Test
  void isToldWhatItIsFor() throws Exception {
    script(
        "printf '%s' \"$KUBERNETES_EXEC_INFO\" > '"
            + directory
            + "/info'\nprintf '%s' \"$*-$FROM_US-$OWN-$HOME\" > '"
            + directory
            + "/rest'\ncat <<'END'\n"
            + credential("{\"token\":\"abc\"}")
            + "\nEND");
    access(
            ", provideClusterInfo: true, args: [get, token],"
                + " env: [{name: OWN, value: mine}, {name: FROM_US, value: changed}]")
        .identity(false);
    assertEquals(
        "get token-changed-mine-", Files.readString(directory.resolve("rest")), "args and env");
    JsonObject info = info();
    assertEquals("ExecCredential", info.get("kind").getAsString());
    assertEquals(V1, info.get("apiVersion").getAsString());
    JsonObject spec = info.getAsJsonObject("spec");
    assertFalse(spec.get("interactive").getAsBoolean());
    JsonObject cluster = spec.getAsJsonObject("cluster");
    assertEquals("https://api.example:6443", cluster.get("server").getAsString());
    assertEquals("kubernetes", cluster.get("tls-server-name").getAsString());
    assertEquals("cGVt", cluster.get("certificate-authority-data").getAsString());
  }

  @Test
  void clusterIsToldOnlyWhenAskedFor() throws Exception {
    script("printf '%s' \"$KUBERNETES_EXEC_INFO\" > '" + directory + "/info'; exit 1");
    failure();
    JsonObject info = info();
    assertFalse(info.getAsJsonObject("spec").has("cluster"));
  }

  @Test
  void exitCodeIsTold() throws Exception {
    script("exit 7");
    String message = failure();
    assertTrue(message.contains("user \"me\" exec"), message);
    assertTrue(message.contains("exit code 7"), message);
  }

  @Test
  void missingProgramIsToldWithTheHint() throws Exception {
    Kubeconfig access = access(", installHint: 'install it with apt'");
    IOException failure = assertThrows(IOException.class, () -> access.identity(false));
    assertTrue(failure.toString().contains("cannot run"), failure.toString());
    assertTrue(failure.toString().contains("install it with apt"), failure.toString());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          text | s3cret | printed no JSON object
          nothing | '' | printed no JSON object
          another kind | {"kind":"Pod","apiVersion":"V1"} | printed no ExecCredential
          another version | {"kind":"ExecCredential","apiVersion":"v9"} | printed no ExecCredential
          """)
  void wrongOutputIsToldWithoutQuotingIt(String situation, String output, String expected)
      throws Exception {
    prints(output.replace("V1", V1));
    assertFails(expected);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          no key | {"clientCertificateData":"s3cret"} | neither a token nor a client certificate
          no time | {"token":"s3cret","expirationTimestamp":"soon"} | is no time
          a token of two lines | {"token":"s3cret\\nx"} | a token with invalid characters
          """)
  void wrongStatusIsToldWithoutQuotingIt(String situation, String status, String expected)
      throws Exception {
    prints(credential(status));
    assertFails(expected);
  }

  @Test
  void credentialWithoutAStatusIsTold() throws Exception {
    prints("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" + V1 + "\"}");
    assertFails("neither a token nor a client certificate");
  }

  private void assertFails(String expected) {
    String message = failure();
    assertTrue(message.contains(expected), message);
    assertFalse(message.contains("s3cret"), message);
  }

  @Test
  void tokenBesideItWinsOverThePlugin() throws Exception {
    script("exit 1");
    assertEquals(Optional.of("abc"), access("token: abc, ", "").identity(false).token());
  }
}
