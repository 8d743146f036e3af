package io.apiserverupdater.updater.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import io.apiserverupdater.updater.kube.api.FakeApiserver;
import io.apiserverupdater.updater.readiness.MemberProbe;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import mockwebserver3.MockResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ReadyzMemberProbeTest {
  private static final Duration AMPLE = Duration.ofSeconds(30);

  /** The number of the connection of each question. */
  private final List<Integer> connections = new CopyOnWriteArrayList<>();

  private final AtomicLong clock = new AtomicLong();

  @Test
  void seesTheCertificateAgainAfterAnHour() throws Exception {
    try (FakeApiserver server =
            new FakeApiserver(
                request -> {
                  connections.add(request.getConnectionIndex());
                  return new MockResponse.Builder().body("ok").build();
                });
        MemberProbe probe =
            new ReadyzProbes(FakeApiserver.access(server), clock::get).of(of(server.address()))) {
      assertEquals(Optional.empty(), probe.certificateEnd());
      assertEquals(new ProbeResult.Ready(), probe.ask(AMPLE));
      assertEquals(Optional.of(FakeApiserver.certificateEnd()), probe.certificateEnd());

      clock.addAndGet(Duration.ofHours(1).toNanos() - 1);
      assertEquals(new ProbeResult.Ready(), probe.ask(AMPLE));
      clock.addAndGet(1);
      assertEquals(new ProbeResult.Ready(), probe.ask(AMPLE));
      assertEquals(List.of(0, 0, 1), connections);
    }
  }

  private static ApiserverAddress of(ServerAddress server) {
    return ApiserverAddress.of(server.host(), server.port()).orElseThrow();
  }
}
