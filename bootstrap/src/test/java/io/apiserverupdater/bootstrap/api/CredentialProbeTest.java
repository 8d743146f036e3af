package io.apiserverupdater.bootstrap.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.flags.GoDuration;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Ready;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CredentialProbeTest {
  @TempDir Path folder;
  private static final ProbeResult REFUSED_ANONYMOUSLY = new NotReady(401, List.of());

  private static Optional<ProbeResult> verdict(ProbeResult authenticated, boolean hadTime) {
    return CredentialProbe.verdict(REFUSED_ANONYMOUSLY, authenticated, hadTime);
  }

  @Test
  void answerToTheCredentialCounts() {
    for (ProbeResult said :
        List.of(new Ready(), new NotReady(500, List.of("etcd")), new NotReady(403, List.of()))) {
      assertEquals(Optional.of(said), verdict(said, false));
    }
  }

  /** What the second question proves, with half of the deadline left for it, and with less. */
  private enum Proof {
    FAULT,
    ALIVE,
    NOTHING;

    private Optional<ProbeResult> of(ProbeResult fault) {
      return switch (this) {
        case FAULT -> Optional.of(fault);
        case ALIVE -> Optional.of(REFUSED_ANONYMOUSLY);
        case NOTHING -> Optional.empty();
      };
    }
  }

  @ParameterizedTest
  @CsvSource({
    "REFUSED, FAULT, FAULT",
    "NO_ROUTE, FAULT, FAULT",
    "CONNECT_TIMEOUT, FAULT, NOTHING",
    "HANDSHAKE_TIMEOUT, FAULT, NOTHING",
    "ANSWER_TIMEOUT, FAULT, NOTHING",
    "CONNECTION_LOST, ALIVE, ALIVE",
    "CERTIFICATE, ALIVE, ALIVE",
    "TLS, ALIVE, ALIVE",
    "MALFORMED_ANSWER, ALIVE, ALIVE"
  })
  void failureOfTheSecondQuestionCounts(Reason reason, Proof withTime, Proof without) {
    ProbeResult failure = new Unreachable(reason, "");
    assertEquals(withTime.of(failure), verdict(failure, true));
    assertEquals(without.of(failure), verdict(failure, false));
  }

  @Test
  void timeInWhichThisProcessDidNotRunProvesNothing() {
    assertEquals(Optional.empty(), verdict(new Unreachable(Reason.ANSWER_TIMEOUT, "", true), true));
  }

  /** It has not been asked, so it may be one that hangs for the kubelet. */
  @ParameterizedTest
  @CsvSource({"1h, false", "0s, true"})
  void serverPassesAsAliveWithoutTheCredentialOnlyLater(String patience, boolean alive)
      throws Exception {
    Path kubeconfig =
        Files.writeString(
            folder.resolve("kubelet.conf"),
            """
            {"apiVersion": "v1", "kind": "Config", "current-context": "node",
             "contexts": [{"name": "node", "context": {"cluster": "c", "user": "node"}}],
             "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443"}}],
             "users": [{"name": "node", "user": {"exec": {
               "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sleep",
               "args": ["5"], "interactiveMode": "Never"}}}]}
            """);
    CredentialProbe probe =
        new CredentialProbe(
            (address, deadline) -> REFUSED_ANONYMOUSLY,
            "apiserver.cluster.local",
            ServerTrust.pinned(List.of("sha256:" + "0".repeat(64))),
            kubeconfig,
            GoDuration.parse(patience).orElseThrow(),
            warning -> {});
    ProbeResult result =
        probe.probe(
            ApiserverAddress.parse("127.0.0.1", 6443).orElseThrow(), Duration.ofMillis(200));
    assertEquals(alive, result.equals(REFUSED_ANONYMOUSLY), result::toString);
    assertEquals(alive, result.unauthorized());
  }
}
