package io.apiserverupdater.apiserver.probe;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** What a server said to one request. */
public final class HttpAnswer {
  private final HttpAnswerHead head;
  private final byte[] body;

  HttpAnswer(HttpAnswerHead head, byte[] body) {
    this.head = head;
    this.body = body;
  }

  public int status() {
    return head.status();
  }

  /** The words behind the status; may be empty. */
  public String reason() {
    return head.reason();
  }

  /** When to come again, as the server wrote it (RFC 9110, section 10.2.3). */
  public Optional<String> retryAfter() {
    return head.retryAfter();
  }

  /** The values of all headers of the name Warning. */
  public List<String> warnings() {
    return head.warnings();
  }

  /** A copy of the body; empty when there is none. */
  public byte[] body() {
    return body.clone();
  }

  public String bodyText() {
    return new String(body, StandardCharsets.UTF_8);
  }

  /** Whether the server will not answer another request on this connection. */
  boolean lastOnConnection() {
    return head.endsConnection();
  }

  @Override
  public String toString() {
    return "HttpAnswer[status=" + status() + ", body=" + body.length + " bytes]";
  }
}
