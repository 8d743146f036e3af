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
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
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

  private String cluster = "tls-server-name: kubernetes, certificate-authority-data: cGVt";
  private boolean terminal;
  private volatile Instant now = Instant.parse("2026-01-02T03:04:05Z");

  /** With fields of the user besides the plugin, and more of the plugin's. */
  private Kubeconfig access(String user, String plugin) throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("config"),
            """
            current-context: main
            contexts: [{name: main, context: {cluster: here, user: me}}]
            clusters: [{name: here, cluster: {server: 'https://api.example:6443', %s}}]
            users: [{name: me, user: {%sexec: {apiVersion: %s, command: ./plugin%s}}}]
            """
                .formatted(cluster, user, V1, plugin));
    Clock clock =
        new Clock() {
          @Override
          public ZoneId getZone() {
            return ZoneOffset.UTC;
          }

          @Override
          public Clock withZone(ZoneId zone) {
            return this;
          }

          @Override
          public Instant instant() {
            return now;
          }
        };
    return Kubeconfig.load(
        List.of(file),
        Optional.empty(),
        new ExecPlugin.Surroundings(
            Map.of("PATH", System.getenv("PATH"), "FROM_US", "yes"), terminal, clock));
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

  /** The next run waits until the test lets it go on, and nobody else waits for it. */
  @Test
  void isRenewedBeforeItsEndAndGivenOutMeanwhile() throws Exception {
    Instant end = now.plusSeconds(600);
    prints(credential("{\"token\":\"abc\",\"expirationTimestamp\":\"" + end + "\"}"));
    Kubeconfig access = access("");
    assertEquals(Optional.of("abc"), access.identity(false).token());
    now = end.minusSeconds(61);
    assertEquals(Optional.of("abc"), access.identity(false).token());
    assertEquals(1, runs());

    Path gate = directory.resolve("gate");
    Files.writeString(directory.resolve("output"), credential("{\"token\":\"def\"}"));
    script(
        "echo run >> '%1$s/runs'; while ! test -e '%2$s'; do sleep 0.02; done; cat '%1$s/output'"
            .formatted(directory, gate));
    now = end.minusSeconds(59);
    for (int i = 0; i < 3; i++) {
      assertEquals(Optional.of("abc"), access.identity(false).token());
    }
    Files.createFile(gate);
    while (!access.identity(false).token().equals(Optional.of("def"))) {
      Thread.onSpinWait();
    }
    assertEquals(2, runs());
  }

  @Test
  void pluginThatFailedIsRunAgainAfterAWhile() throws Exception {
    script("echo run >> '" + directory + "/runs'; exit 7");
    Kubeconfig access = access("");
    for (int i = 0; i < 3; i++) {
      IOException failure = assertThrows(IOException.class, () -> access.identity(true));
      assertTrue(failure.toString().contains("exit code 7"), failure.toString());
      now = now.plusSeconds(3);
    }
    assertEquals(1, runs());
    prints(credential("{\"token\":\"abc\"}"));
    now = now.plusSeconds(1);
    assertEquals(Optional.of("abc"), access.identity(false).token());
    assertEquals(2, runs());
  }

  @Test
  void whatItGaveBeforeOutlivesAFailure() throws Exception {
    prints(credential("{\"token\":\"abc\"}"));
    Kubeconfig access = access("");
    access.identity(false);
    script("exit 7");
    assertThrows(IOException.class, () -> access.identity(true));
    assertEquals(Optional.of("abc"), access.identity(false).token());
  }

  @Test
  void clusterIsToldWithAllThatAProgramNeedsToReachIt() throws Exception {
    Files.writeString(directory.resolve("ca.crt"), "pem");
    cluster =
        "certificate-authority: ca.crt, proxy-url: 'http://p:3128', disable-compression: true,"
            + " extensions: [{name: other, extension: 1}, {name: client.authentication.k8s.io/exec,"
            + " extension: {audience: [a, 7, true, null]}}]";
    script("printf '%s' \"$KUBERNETES_EXEC_INFO\" > '" + directory + "/info'; exit 1");
    assertThrows(IOException.class, () -> access(", provideClusterInfo: true").identity(false));
    assertEquals(
        JsonParser.parseString(
            """
            {"server": "https://api.example:6443", "proxy-url": "http://p:3128",
            "disable-compression": true, "certificate-authority-data": "cGVt",
            "config": {"audience": ["a", 7, true, null]}}
            """),
        info().getAsJsonObject("spec").get("cluster"));
  }

  @Test
  void extensionThatContainsItselfIsRefused() {
    cluster = "extensions: [{name: client.authentication.k8s.io/exec, extension: &e {a: *e}}]";
    IOException refusal = assertThrows(IOException.class, () -> access(""));
    assertTrue(refusal.toString().contains("contains itself"), refusal.toString());
  }

  @ParameterizedTest(name = "{0}, terminal {1}: interactive {2}")
  @CsvSource({
    "'', true, true",
    "'', false, false",
    "IfAvailable, true, true",
    "IfAvailable, false, false",
    "Never, true, false",
    "Always, true, true"
  })
  void isInteractiveWhereBothCanBe(String mode, boolean atTerminal, boolean expected)
      throws Exception {
    terminal = atTerminal;
    script("printf '%s' \"$KUBERNETES_EXEC_INFO\" > '" + directory + "/info'; exit 1");
    Kubeconfig access = access(mode.isEmpty() ? "" : ", interactiveMode: " + mode);
    assertThrows(IOException.class, () -> access.identity(false));
    assertEquals(expected, info().getAsJsonObject("spec").get("interactive").getAsBoolean());
  }

  @Test
  void pluginThatNeedsATerminalIsNotRunWithoutOne() throws Exception {
    script("echo run >> '" + directory + "/runs'");
    IOException failure =
        assertThrows(IOException.class, () -> access(", interactiveMode: Always").identity(false));
    assertTrue(failure.toString().endsWith("the standard input is not a terminal"));
    assertFalse(Files.exists(directory.resolve("runs")));
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
