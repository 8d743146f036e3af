package io.apiserverupdater.apiserver.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls of any kind, and answers that come line by line. */
@Timeout(60)
class HeldCallTest {
  private static final Duration AMPLE = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final int MOST = 1000;
  private static final Authority AUTHORITY = Authority.create("kubernetes");
  private static final HeldCertificate SERVER = AUTHORITY.server();
  private static final ApiserverRequest GET =
      new ApiserverRequest("GET", "/a?b=c", "agent/1", Optional.empty(), Optional.empty());
  private static final String CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

  private static HeldConnection hold(TestServer server) throws Exception {
    return AUTHORITY.client().hold(server.address(), AMPLE);
  }

  private static Reason failure(Executable call) {
    return assertThrows(UnreachableException.class, call).result().reason();
  }

  private static TestServer answering(String... parts) throws IOException {
    return TestServer.tls(
        SERVER,
        exchange -> {
          exchange.readRequest();
          for (String part : parts) {
            exchange.write(part);
          }
          exchange.hang();
        });
  }

  private static String chunk(String text) {
    return Integer.toHexString(text.length()) + "\r\n" + text + "\r\n";
  }

  @Test
  void sendsABodyAndReadsWhatTheServerSaysBesides() throws Exception {
    StringBuilder body = new StringBuilder();
    try (TestServer server =
            TestServer.tls(
                SERVER,
                exchange -> {
                  exchange.readRequest();
                  for (int i = 0; i < "{\"ä\":1}".getBytes(StandardCharsets.UTF_8).length; i++) {
                    body.append((char) exchange.socket.getInputStream().read());
                  }
                  exchange.write(
                      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nwarning: 299 - \"a\"\r\n"
                          + "Warning: 299 - \"b\"\r\nContent-Length: 2\r\n\r\nno");
                  exchange.readRequest();
                  exchange.answer(200, "yes");
                  exchange.hang();
                });
        HeldConnection held = hold(server)) {
      HttpAnswer busy =
          held.send(
              new ApiserverRequest(
                  "PUT", "/x", "agent/1", Optional.of("secret"), Optional.of("{\"ä\":1}")),
              MOST,
              AMPLE);
      assertEquals(429, busy.status());
      assertEquals("Too Many Requests", busy.reason());
      assertEquals(Optional.of("7"), busy.retryAfter());
      assertEquals(List.of("299 - \"a\"", "299 - \"b\""), busy.warnings());
      assertEquals("no", busy.bodyText());
      HttpAnswer next = held.send(GET, MOST, AMPLE);
      assertEquals("yes", next.bodyText());
      assertEquals(List.of(), next.warnings());
      assertEquals(Optional.empty(), next.retryAfter());
      assertEquals(
          "PUT /x HTTP/1.1\r\nHost: "
              + Authority.NAME
              + ":"
              + server.address().port()
              + "\r\nUser-Agent: agent/1\r\nAuthorization: Bearer secret\r\n"
              + "Accept: application/json\r\nContent-Type: application/json\r\n"
              + "Content-Length: 8\r\n\r\n",
          server.requests.remove());
      assertFalse(server.requests.remove().contains("Content-"));
      assertEquals("{\"\u00c3\u00a4\":1}", body.toString());
    }
  }

  @Test
  void tokenThatCannotStandInAHeaderIsNotSent() throws Exception {
    try (TestServer server = answering("HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n");
        HeldConnection held = hold(server)) {
      ApiserverRequest request =
          new ApiserverRequest(
              "GET", "/x", "agent/1", Optional.of("a\r\nInjected: b"), Optional.empty());
      assertEquals(401, held.send(request, MOST, AMPLE).status());
      assertFalse(server.requests.remove().contains("Injected"));
      assertEquals("GET /x", request.toString());
    }
  }

  @Test
  void isQuietUntilTheServerEndsTheConnection() throws Exception {
    SynchronousQueue<String> go = new SynchronousQueue<>();
    try (TestServer server =
            TestServer.tls(
                SERVER,
                exchange -> {
                  exchange.readRequest();
                  exchange.answer(200, "ok");
                  go.take();
                });
        HeldConnection held = hold(server)) {
      HttpAnswer unusedAnswer = held.send(GET, MOST, AMPLE);
      assertTrue(held.isQuiet());
      assertTrue(held.isQuiet());
      go.put("end");
      long end = System.nanoTime() + AMPLE.toNanos();
      while (held.isQuiet() && System.nanoTime() < end) {
        Thread.onSpinWait();
      }
      assertFalse(held.isQuiet());
    }
  }

  @Test
  void answerThatIsTooLongOrLateClosesIt() throws Exception {
    try (TestServer server = answering("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
        HeldConnection held = hold(server)) {
      assertEquals(Reason.MALFORMED_ANSWER, failure(() -> held.send(GET, MOST, AMPLE)));
      assertFalse(held.isOpen());
    }
    try (TestServer server = answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab");
        HeldConnection held = hold(server)) {
      assertEquals(Reason.ANSWER_TIMEOUT, failure(() -> held.send(GET, MOST, SHORT)));
      assertFalse(held.isOpen());
      assertEquals(Reason.ANSWER_TIMEOUT, failure(() -> held.send(GET, MOST, AMPLE)));
    }
  }

  @Test
  void linesComeAsTheyAreWrittenHoweverTheyAreCut() throws Exception {
    String wide = "ä".repeat(3000);
    String[] parts = {
      CHUNKED + "5\r\none\nt\r", "\n3;x=y\r\nwo\n\r\n", chunk("\n"), chunk("th"), chunk("ree\n"),
    };
    try (TestServer server =
            TestServer.tls(
                SERVER,
                exchange -> {
                  exchange.readRequest();
                  for (String part : parts) {
                    exchange.write(part);
                  }
                  byte[] bytes = (wide + "\n").getBytes(StandardCharsets.UTF_8);
                  exchange.write(Integer.toHexString(bytes.length) + "\r\n");
                  exchange.socket.getOutputStream().write(bytes);
                  exchange.write("\r\n0\r\nTrailer: x\r\n\r\n");
                  exchange.hang();
                });
        HeldConnection held = hold(server)) {
      assertEquals(200, held.open(GET, MOST, AMPLE).status());
      for (String line : List.of("one", "two", "", "three", wide)) {
        assertTrue(held.awaitMore(AMPLE));
        assertEquals(Optional.of(line), held.nextLine(10_000, AMPLE));
      }
      assertEquals(Optional.empty(), held.nextLine(MOST, AMPLE));
      assertFalse(held.isOpen());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0\r\n\r\n", "2\r\nab", "zz\r\n", "3\r\nabcd\r\n"})
  void endOrNonsenseWithinALineIsAnError(String rest) throws Exception {
    try (TestServer server =
            TestServer.tls(
                SERVER,
                exchange -> {
                  exchange.readRequest();
                  exchange.write(CHUNKED + chunk("begun") + rest);
                });
        HeldConnection held = hold(server)) {
      assertEquals(200, held.open(GET, MOST, AMPLE).status());
      Reason reason = failure(() -> held.nextLine(MOST, AMPLE));
      assertTrue(
          reason == Reason.CONNECTION_LOST || reason == Reason.MALFORMED_ANSWER, reason::toString);
      assertFalse(held.isOpen());
    }
  }

  @Test
  void lineThatIsTooLongIsAnErrorBeforeItsEnd() throws Exception {
    try (TestServer server = answering(CHUNKED, chunk("x".repeat(900)), chunk("x".repeat(900)));
        HeldConnection held = hold(server)) {
      assertEquals(200, held.open(GET, MOST, AMPLE).status());
      assertEquals(Reason.MALFORMED_ANSWER, failure(() -> held.nextLine(MOST, AMPLE)));
    }
  }

  @Test
  void refusalIsReadAsAWhole() throws Exception {
    try (TestServer server = answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!");
        HeldConnection held = hold(server)) {
      HttpAnswer refusal = held.open(GET, MOST, AMPLE);
      assertEquals(403, refusal.status());
      assertEquals("no!", refusal.bodyText());
    }
  }

  @Test
  void silenceLosesNothing() throws Exception {
    SynchronousQueue<String> go = new SynchronousQueue<>();
    try (TestServer server =
            TestServer.tls(
                SERVER,
                exchange -> {
                  exchange.readRequest();
                  exchange.write(CHUNKED);
                  exchange.write(chunk(go.take()));
                  exchange.hang();
                });
        HeldConnection held = hold(server)) {
      assertEquals(200, held.open(GET, MOST, AMPLE).status());
      assertFalse(held.awaitMore(SHORT));
      assertFalse(held.awaitMore(SHORT));
      go.put("late\n");
      assertTrue(held.awaitMore(AMPLE));
      assertEquals(Optional.of("late"), held.nextLine(MOST, AMPLE));
    }
  }

  @Test
  void twoLinesInOnePieceAreBothThere() throws Exception {
    try (TestServer server = answering(CHUNKED + chunk("a\nb\n"));
        HeldConnection held = hold(server)) {
      assertEquals(200, held.open(GET, MOST, AMPLE).status());
      assertEquals(Optional.of("a"), held.nextLine(MOST, AMPLE));
      assertTrue(held.awaitMore(AMPLE), "the second has arrived already");
      assertEquals(Optional.of("b"), held.nextLine(MOST, AMPLE));
      assertFalse(held.awaitMore(SHORT));
    }
  }

  @Test
  void closingEndsTheWaitForALine() throws Exception {
    try (TestServer server = answering(CHUNKED)) {
      HeldConnection held = hold(server);
      assertEquals(200, held.open(GET, MOST, AMPLE).status());
      CompletableFuture<Reason> waiting =
          CompletableFuture.supplyAsync(() -> failure(() -> held.awaitMore(AMPLE)));
      assertThrows(
          java.util.concurrent.TimeoutException.class,
          () -> waiting.get(SHORT.toMillis(), TimeUnit.MILLISECONDS));
      held.close();
      assertEquals(Reason.CONNECTION_LOST, waiting.get(10, TimeUnit.SECONDS));
    }
  }
}
