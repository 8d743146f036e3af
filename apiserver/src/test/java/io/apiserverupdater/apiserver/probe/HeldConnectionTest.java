package io.apiserverupdater.apiserver.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Ready;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.apiserver.time.Deadline;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class HeldConnectionTest {
  private static final Duration AMPLE = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Authority AUTHORITY = Authority.create("kubernetes");
  private static final HeldCertificate SERVER = AUTHORITY.server();

  private static HeldConnection hold(TestServer server) throws Exception {
    return AUTHORITY.probe().hold(server.address(), AMPLE);
  }

  private static void assertLost(HeldConnection held) {
    assertFalse(held.watch(AMPLE));
    assertFalse(held.isOpen());
    assertEquals(Reason.CONNECTION_LOST, reason(held.ask(AMPLE)));
  }

  private static TestServer.Conduct writing(String text) {
    return exchange -> {
      exchange.write(text);
      exchange.hang();
    };
  }

  private static Reason reason(ProbeResult result) {
    return assertInstanceOf(Unreachable.class, result).reason();
  }

  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  @Test
  void tellsUntilWhenTheCertificateIsValid() throws Exception {
    try (TestServer server = TestServer.tls(SERVER, TestServer.Exchange::readRequest);
        HeldConnection held = hold(server)) {
      assertEquals(SERVER.certificate().getNotAfter().toInstant(), held.certificateEnd());
    }
  }

  @Test
  void asksAgainAndAgainOnOneConnection() throws Exception {
    AtomicInteger connections = new AtomicInteger();
    try (TestServer server =
            TestServer.tls(
                SERVER,
                exchange -> {
                  connections.incrementAndGet();
                  for (int i = 0; !exchange.readRequest().isEmpty(); i++) {
                    exchange.answer(i % 2 == 0 ? 200 : 500, i % 2 == 0 ? "ok" : "[-]etcd failed\n");
                  }
                });
        HeldConnection held = hold(server)) {
      for (int i = 0; i < 10; i++) {
        assertEquals(new Ready(), held.ask(AMPLE));
        assertEquals(new NotReady(500, List.of("etcd")), held.ask(AMPLE));
      }
      assertTrue(held.watch(SHORT));
      assertTrue(held.isOpen());
      assertEquals(new Ready(), held.ask(AMPLE));
      assertEquals(1, connections.get());
      assertTrue(server.requests.remove().contains("Connection: keep-alive"));
    }
  }

  static List<Arguments> endings() {
    return List.of(
        ending("closes", Reason.CONNECTION_LOST, exchange -> {}),
        ending("resets", Reason.CONNECTION_LOST, TestServer.Exchange::reset),
        ending("is no HTTP", Reason.MALFORMED_ANSWER, writing("garbage\r\n\r\n")),
        ending(
            "ends within the head",
            Reason.CONNECTION_LOST,
            exchange -> exchange.write("HTTP/1.1 200 OK\r\nConnection: close\r\n")));
  }

  private static Arguments ending(String situation, Reason reason, TestServer.Conduct conduct) {
    return Arguments.of(situation, reason, conduct);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("endings")
  void endWithinAnAnswerIsTheAnswer(String ending, Reason reason, TestServer.Conduct conduct)
      throws Exception {
    try (TestServer server = TestServer.asked(SERVER, conduct);
        HeldConnection held = hold(server)) {
      ProbeResult result = held.ask(AMPLE);
      assertEquals(reason, reason(result), ending);
      assertFalse(held.isOpen());
      assertEquals(result, held.ask(AMPLE), "asked again it says the same");
    }
  }

  @Test
  void deathOfTheProcessIsSeenBetweenQuestions() throws Exception {
    try (TestServer server = TestServer.asked(SERVER, writing(OK));
        HeldConnection held = hold(server)) {
      assertEquals(new Ready(), held.ask(AMPLE));
      server.die();
      assertLost(held);
    }
  }

  @Test
  void resetIsSeenBeforeAnyQuestion() throws Exception {
    SynchronousQueue<String> go = new SynchronousQueue<>();
    try (TestServer server =
            TestServer.tls(
                SERVER,
                exchange -> {
                  exchange.finishHandshake();
                  go.take();
                  exchange.reset();
                });
        HeldConnection held = hold(server)) {
      go.put("reset");
      assertLost(held);
    }
  }

  @Test
  void lossIsSeenWithinMilliseconds() throws Exception {
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 10; i++) {
      try (TestServer server = TestServer.asked(SERVER, writing(OK));
          HeldConnection held = hold(server)) {
        assertEquals(new Ready(), held.ask(AMPLE));
        FutureTask<Long> death =
            new FutureTask<>(
                () -> {
                  long diedAt = System.nanoTime();
                  server.die();
                  return diedAt;
                });
        new Thread(death, "death").start();
        assertFalse(held.watch(AMPLE));
        long seenAt = System.nanoTime();
        best = Math.min(best, seenAt - death.get());
      }
    }
    // The best of ten: the machine may be busy with something else meanwhile.
    assertTrue(best < TimeUnit.MILLISECONDS.toNanos(20), "took " + best + " ns at best");
  }

  @Test
  void lateAnswerClosesIt() throws Exception {
    try (TestServer server = TestServer.asked(SERVER, TestServer.Exchange::hang);
        HeldConnection held = hold(server)) {
      long start = System.nanoTime();
      assertEquals(Reason.ANSWER_TIMEOUT, reason(held.ask(SHORT)));
      long millis = (System.nanoTime() - start) / 1_000_000;
      assertTrue(millis >= 300 && millis < 2_000, "took " + millis + " ms");
      assertFalse(held.isOpen());
      assertFalse(held.watch(AMPLE));
      assertEquals(Reason.ANSWER_TIMEOUT, reason(held.ask(AMPLE)));
    }
  }

  /** No delay can be made on loopback: instead a great many of its round trips are added. */
  @Test
  void roundTripsComeOnTopOfTheTimeForTheHandshake() throws Exception {
    Duration tooShort = Duration.ofMillis(100);
    try (TestServer server =
        TestServer.tls(
            SERVER,
            exchange -> {
              boolean unusedEnd = exchange.pause(SHORT.toMillis());
              exchange.finishHandshake();
              exchange.hang();
            })) {
      ApiserverClient client = AUTHORITY.client();
      UnreachableException late =
          assertThrows(
              UnreachableException.class,
              () -> client.open(server.address(), Deadline.after(tooShort), 0));
      assertEquals(Reason.HANDSHAKE_TIMEOUT, late.result().reason());
      client.open(server.address(), Deadline.after(tooShort), 10_000_000).close();
    }
  }

  @Test
  void drippedAnswerIsLate() throws Exception {
    String answer = "HTTP/1.1 200 OK\r\nX: " + "x".repeat(10_000);
    try (TestServer server = TestServer.asked(SERVER, exchange -> exchange.drip(answer));
        HeldConnection held = hold(server)) {
      assertEquals(Reason.ANSWER_TIMEOUT, reason(held.ask(SHORT)));
    }
  }

  @Test
  void lastAnswerCountsAndIsTheEnd() throws Exception {
    String last =
        "HTTP/1.1 500 x\r\nConnection: close\r\nContent-Length: 15\r\n\r\n[-]shutdown bad";
    try (TestServer server = TestServer.asked(SERVER, writing(last));
        HeldConnection held = hold(server)) {
      assertEquals(new NotReady(500, List.of("shutdown")), held.ask(AMPLE));
      assertLost(held);
      Unreachable end = assertInstanceOf(Unreachable.class, held.ask(AMPLE));
      assertEquals("the server ends the connection", end.detail());
    }
  }

  @Test
  void answerThatNobodyAskedForEndsIt() throws Exception {
    String timeout = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    try (TestServer server = TestServer.tls(SERVER, writing(timeout));
        HeldConnection held = hold(server)) {
      assertLost(held);
    }
  }

  @Test
  void secondAnswerToOneQuestionEndsIt() throws Exception {
    try (TestServer server = TestServer.asked(SERVER, writing(OK + OK));
        HeldConnection held = hold(server)) {
      assertEquals(new Ready(), held.ask(AMPLE));
      assertLost(held);
    }
  }

  @Test
  void closingEndsAQuestion() throws Exception {
    closingEnds(held -> reason(held.ask(AMPLE)) == Reason.CONNECTION_LOST);
  }

  @Test
  void closingEndsAWatch() throws Exception {
    closingEnds(held -> !held.watch(AMPLE));
  }

  private static void closingEnds(Predicate<HeldConnection> use) throws Exception {
    try (TestServer server = TestServer.asked(SERVER, TestServer.Exchange::hang)) {
      HeldConnection held = hold(server);
      FutureTask<Boolean> asExpected = new FutureTask<>(() -> use.test(held));
      Thread user = new Thread(asExpected, "user");
      user.start();
      while (user.getState() == Thread.State.NEW) {
        Thread.onSpinWait();
      }
      held.close();
      held.close();
      assertTrue(asExpected.get(20, TimeUnit.SECONDS));
      user.join();
      assertFalse(held.isOpen());
    }
  }

  @Test
  void cannotBeOpenedToAStranger() throws Exception {
    HeldCertificate stranger = Authority.create("other").server();
    try (TestServer server = TestServer.asked(stranger, writing(OK))) {
      UnreachableException refusal = assertThrows(UnreachableException.class, () -> hold(server));
      assertEquals(Reason.CERTIFICATE, refusal.result().reason());
    }
  }
}
