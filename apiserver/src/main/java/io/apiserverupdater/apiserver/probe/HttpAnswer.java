package io.apiserverupdater.apiserver.probe;

import java.nio.charset.StandardCharsets;

/** The answer to one request. */
final class HttpAnswer {
  private final int status;
  private final byte[] body;
  private final boolean lastOnConnection;

  HttpAnswer(int status, byte[] body, boolean lastOnConnection) {
    this.status = status;
    this.body = body;
    this.lastOnConnection = lastOnConnection;
  }

  public int status() {
    return status;
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
    return lastOnConnection;
  }

  @Override
  public String toString() {
    return "HttpAnswer[status=" + status + ", body=" + body.length + " bytes]";
  }
}
