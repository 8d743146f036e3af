package io.apiserverupdater.updater.kube.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import mockwebserver3.MockResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiClientTest {
  /** As a write may not be sent when the Lease has ended meanwhile. */
  private static ServerSocket listening() throws IOException {
    return new ServerSocket(0, 5, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
  }

  /** Sends a call to a server, with credentials that take 30 s. */
  private static ApiAnswer sendWithSlowCredentials(
      ServerSocket server, ApiCall call, Duration timeout) {
    AtomicLong clock = new AtomicLong();
    SlowAccess access = new SlowAccess();
    access.whenAsked = () -> clock.updateAndGet(now -> now + Duration.ofSeconds(30).toNanos());
    access.server = ServerAddress.member("127.0.0.1", server.getLocalPort());
    try (ApiClient api = new ApiClient(access, "test", clock::get)) {
      return api.send(call, timeout);
    }
  }

  @Test
  void nothingIsSentWhenTheCredentialsTookAllTheTime() throws Exception {
    try (ServerSocket server = listening()) {
      ApiAnswer answer =
          sendWithSlowCredentials(server, ApiCall.post("/api", "{}"), Duration.ofSeconds(3));
      ApiAnswer.None none = assertInstanceOf(ApiAnswer.None.class, answer);
      assertTrue(none.why().contains("longer than the call may"), none.why());
      server.setSoTimeout(1);
      assertThrows(SocketTimeoutException.class, server::accept, "nobody has connected");
    }
  }

  /** A login in a browser takes longer than a list may. */
  @Test
  void readWaitsForItsCredentials() throws Exception {
    try (ServerSocket server = listening()) {
      ApiAnswer unusedAnswer =
          sendWithSlowCredentials(server, ApiCall.get("/api"), Duration.ofMillis(300));
      server.setSoTimeout(10_000);
      server.accept().close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "3000, 4, 750",
    "2250, 3, 750",
    "1500, 2, 750",
    "750, 1, 750",
    "3000, 1, 3000",
    "3000, 8, 750",
    "1500, 4, 750",
    "1200, 3, 750",
    "300, 3, 300",
  })
  void callSharesItsTimeAmongTheServersThatAreLeft(long left, long servers, long share) {
    assertEquals(
        Duration.ofMillis(share),
        Duration.ofNanos(ApiClient.shareOf(Duration.ofMillis(left).toNanos(), servers)));
  }

  private static SlowAccess nobodyListens() {
    SlowAccess access = new SlowAccess();
    access.server = ServerAddress.member("127.0.0.1", 1);
    return access;
  }

  /** Whether somebody has connected, all connections taken. */
  private static boolean wasAsked(ServerSocket server) throws IOException {
    server.setSoTimeout(1);
    boolean asked = false;
    while (true) {
      try {
        server.accept().close();
        asked = true;
      } catch (SocketTimeoutException e) {
        return asked;
      }
    }
  }

  /**
   * With less than 750 ms left one server has all of it; nobody else can contradict its silence.
   */
  @Test
  void shortWriteGoesToAnotherServerAfterOneWasSilent() throws Exception {
    try (ServerSocket one = listening();
        ServerSocket other = listening();
        ApiClient api = new ApiClient(nobodyListens(), "test", System::nanoTime)) {
      // The first call of a process has to load what TLS needs, and this one is refused at once.
      ApiAnswer unusedRefusal = api.send(ApiCall.get("/api"), Duration.ofSeconds(10));
      ServerAddress first = ServerAddress.member("127.0.0.1", one.getLocalPort());
      ServerAddress second = ServerAddress.member("127.0.0.1", other.getLocalPort());
      api.setMembers(List.of(first, second));
      ApiCall write = ApiCall.post("/api", "{}");

      ApiAnswer answer = api.send(write, Duration.ofMillis(500));
      assertEquals(
          first
              + ": connected, but no answer to the TLS handshake; no time left for "
              + second
              + ", 127.0.0.1:1",
          answer.failure());
      assertTrue(wasAsked(one));
      assertFalse(wasAsked(other));

      ApiAnswer unusedAnswer = api.send(write, Duration.ofMillis(500));
      assertTrue(wasAsked(other));
      assertFalse(wasAsked(one));
    }
  }

  @Test
  void tellsTheObserverOfEachServerThatWasAsked() throws Exception {
    List<String> told = new CopyOnWriteArrayList<>();
    ApiObserver observer =
        new ApiObserver() {
          @Override
          public void called(ServerAddress server, Result result, Duration took) {
            told.add(server + " " + result + (took.isNegative() ? " before it was asked" : ""));
          }

          @Override
          public void watchEnded(String resource, WatchEnd end) {}
        };
    // The configured server, the first, is asked after the others.
    try (FakeApiserver broken = new FakeApiserver(request -> status(500));
        FakeApiserver refusing = new FakeApiserver(request -> status(403));
        FakeApiserver well = new FakeApiserver(request -> status(200));
        ApiClient api = FakeApiserver.client(well, broken, refusing)) {
      api.observe(observer);
      assertInstanceOf(ApiAnswer.Ok.class, api.send(ApiCall.get("/api"), Duration.ofSeconds(10)));
      assertEquals(
          List.of(
              broken.address() + " FAILED",
              refusing.address() + " REJECTED",
              well.address() + " OK"),
          told);
    }
    told.clear();
    try (ApiClient api = new ApiClient(nobodyListens(), "test", System::nanoTime)) {
      api.observe(observer);
      ApiAnswer unusedFailure = api.send(ApiCall.get("/api"), Duration.ofSeconds(10));
    }
    // The configured server alone is asked twice.
    assertEquals(List.of("127.0.0.1:1 NO_ANSWER", "127.0.0.1:1 NO_ANSWER"), told);
  }

  private static MockResponse status(int code) {
    return new MockResponse.Builder()
        .code(code)
        .setHeader("Retry-After", code == 429 ? "40" : "")
        .body("{}")
        .build();
  }

  /** One that falls again and again is kept out for a while, and serves all the same. */
  @ParameterizedTest
  @ValueSource(ints = {403, 429, 500})
  void unreadyServerStandsInForAReadyOne(int code) throws Exception {
    try (FakeApiserver ready = new FakeApiserver(request -> status(code));
        FakeApiserver unready = new FakeApiserver(request -> status(200));
        ApiClient api = FakeApiserver.client(ready, unready)) {
      api.setUnready(() -> Set.of(unready.address()));
      ApiCall write = ApiCall.post("/api", "{}");
      assertInstanceOf(ApiAnswer.Ok.class, api.send(write, Duration.ofSeconds(10)));
    }
  }

  @Test
  void unreadyServerThatIsSilentCostsLittleWhenAnotherOneHasAnswered() throws Exception {
    try (FakeApiserver ready = new FakeApiserver(request -> status(429));
        ServerSocket hanging = listening();
        ApiClient api = FakeApiserver.client(ready)) {
      ServerAddress silent = ServerAddress.member("127.0.0.1", hanging.getLocalPort());
      api.setMembers(List.of(ready.address(), silent));
      api.setUnready(() -> Set.of(silent));
      ApiAnswer answer =
          assertTimeoutPreemptively(
              Duration.ofSeconds(30), () -> api.send(ApiCall.get("/api"), Duration.ofMinutes(1)));
      assertTrue(assertInstanceOf(ApiAnswer.Status.class, answer).isBusy());
      assertTrue(wasAsked(hanging));
    }
  }

  /** A server may be too busy for lists and take renewals all the same: they have a queue apart. */
  @Test
  void renewalIsSentAlsoToAServerThatAskedToBeSpared() throws Exception {
    // The configured server, the first, is asked after the others.
    try (FakeApiserver last =
            new FakeApiserver(request -> status("PUT".equals(request.getMethod()) ? 200 : 429));
        FakeApiserver first = new FakeApiserver(request -> status(429));
        ApiClient api = FakeApiserver.client(last, first)) {
      ApiAnswer unusedRefusal = api.send(ApiCall.get("/api"), Duration.ofSeconds(10));
      ApiCall renewal = ApiCall.put("/apis/coordination.k8s.io/v1/leases/a", "{}");
      assertInstanceOf(ApiAnswer.Ok.class, api.send(renewal, Duration.ofSeconds(10)));
    }
  }

  @Test
  void whatNothingDependsOnSparesABusyServerToo() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (FakeApiserver busy =
            new FakeApiserver(
                request -> {
                  asked.incrementAndGet();
                  return status(429);
                });
        ApiClient api = FakeApiserver.client(busy)) {
      ApiCall write = ApiCall.post("/api", "{}");
      for (int i = 0; i < 2; i++) {
        assertInstanceOf(ApiAnswer.Status.class, api.send(write, Duration.ofSeconds(10)));
        assertInstanceOf(ApiAnswer.Status.class, api.sendAside(write, Duration.ofSeconds(10)));
      }
      assertEquals(1, asked.get());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "200, OK",
    "201, OK",
    "404, REJECTED",
    "409, CONFLICT",
    "422, REJECTED",
    "429, BUSY",
    "503, FAILED"
  })
  void wordsOfTheObserverAreFew(int status, ApiObserver.Result word) {
    assertEquals(word, ApiObserver.Result.of(status));
  }

  /** A webhook may hold up what is secondary; the next write that matters goes where it went. */
  @Test
  void silenceAtWhatNothingDependsOnLeavesTheOrderAsItIs() throws Exception {
    try (ServerSocket one = listening();
        ServerSocket other = listening();
        ApiClient api = new ApiClient(nobodyListens(), "test", System::nanoTime)) {
      ApiAnswer unusedRefusal = api.send(ApiCall.get("/api"), Duration.ofSeconds(10));
      ServerAddress first = ServerAddress.member("127.0.0.1", one.getLocalPort());
      api.setMembers(List.of(first, ServerAddress.member("127.0.0.1", other.getLocalPort())));
      ApiCall write = ApiCall.post("/api", "{}");

      ApiAnswer answer = api.sendAside(write, Duration.ofMillis(500));
      assertEquals(first + ": connected, but no answer to the TLS handshake", answer.failure());
      assertTrue(wasAsked(one));

      ApiAnswer unusedAnswer = api.send(write, Duration.ofMillis(500));
      assertTrue(wasAsked(one));
      assertFalse(wasAsked(other));
    }
  }

  /** The library's own words name the address once more, and say what the runtime calls it. */
  @Test
  void saysOfAnApiserverThatRefusesWhatAProbeSays() {
    try (ApiClient api = new ApiClient(nobodyListens(), "test", System::nanoTime)) {
      assertEquals(
          "127.0.0.1:1: connection refused: nothing listens on this port",
          api.send(ApiCall.get("/api"), Duration.ofSeconds(10)).failure());
    }
  }
}
