package io.apiserverupdater.bootstrap.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Ready;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CredentialProbeTest {
  private static final ProbeResult REFUSED_ANONYMOUSLY = new NotReady(401, List.of());

  private static ProbeResult verdict(ProbeResult authenticated, boolean hadTime) {
    return CredentialProbe.verdict(REFUSED_ANONYMOUSLY, authenticated, hadTime);
  }

  @Test
  void answerToTheCredentialCounts() {
    for (ProbeResult said :
        List.of(new Ready(), new NotReady(500, List.of("etcd")), new NotReady(403, List.of()))) {
      assertEquals(said, verdict(said, false));
    }
  }

  // With half of the deadline left for the second question, and with less.
  @ParameterizedTest
  @CsvSource({
    "REFUSED, true, true",
    "NO_ROUTE, true, true",
    "CONNECT_TIMEOUT, true, false",
    "HANDSHAKE_TIMEOUT, true, false",
    "ANSWER_TIMEOUT, true, false",
    "CONNECTION_LOST, false, false",
    "CERTIFICATE, false, false",
    "TLS, false, false",
    "MALFORMED_ANSWER, false, false"
  })
  void failureOfTheSecondQuestionCounts(Reason reason, boolean withTime, boolean without) {
    ProbeResult failure = new Unreachable(reason, "");
    assertEquals(withTime ? failure : REFUSED_ANONYMOUSLY, verdict(failure, true));
    assertEquals(without ? failure : REFUSED_ANONYMOUSLY, verdict(failure, false));
  }

  @Test
  void timeInWhichThisProcessDidNotRunProvesNothing() {
    assertEquals(
        REFUSED_ANONYMOUSLY, verdict(new Unreachable(Reason.ANSWER_TIMEOUT, "", true), true));
  }
}
