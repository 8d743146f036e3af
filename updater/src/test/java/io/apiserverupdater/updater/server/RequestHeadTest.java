package io.apiserverupdater.updater.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestHeadTest {
  private static Optional<RequestHead> parse(String... lines) {
    return RequestHead.parse(String.join("\r\n", lines));
  }

  @Test
  void readsPathAndParameters() {
    assertEquals(
        Optional.of(
            new RequestHead("GET", "/readyz/a b", Set.of("verbose", "exclude=members"), "", true)),
        parse("GET /readyz/a%20b?verbose&exclude=members HTTP/1.1", "Host: x"));
    assertEquals(
        Optional.of(new RequestHead("HEAD", "/livez", Set.of(), "", true)),
        parse("HEAD http://10.0.0.1:8080/livez HTTP/1.1"));
  }

  @Test
  void tellsWhichFormatsTheClientReads() {
    assertEquals(
        Optional.of("text/html,text/plain;q=0.5,*/*"),
        parse(
                "GET / HTTP/1.1",
                "Accept: text/html, Text/Plain; q=0.5",
                "Accept-Encoding: gzip",
                "ACCEPT: */*")
            .map(RequestHead::accept));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1\r\nConnection: close",
        "GET / HTTP/1.1\r\nCONNECTION:Close",
        "GET / HTTP/1.0",
        "POST / HTTP/1.1\r\nContent-Length: 1",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked",
      })
  void isTheLastOnItsConnection(String head) {
    assertEquals(Optional.of(false), RequestHead.parse(head).map(RequestHead::keepAlive));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1\r\nContent-Length: 0",
        "GET / HTTP/1.1\r\nConnection: keep-alive",
        "GET / HTTP/1.0\r\nConnection: keep-alive",
      })
  void mayBeFollowedByAnother(String head) {
    assertEquals(Optional.of(true), RequestHead.parse(head).map(RequestHead::keepAlive));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "GET",
        "GET /",
        "GET / HTTP/2",
        "GET /a b HTTP/1.1",
        "GET /% HTTP/1.1",
        "GET mailto:a HTTP/1.1",
        "\u0016\u0003\u0001 TLS"
      })
  void isNone(String head) {
    assertEquals(Optional.empty(), RequestHead.parse(head));
  }
}
