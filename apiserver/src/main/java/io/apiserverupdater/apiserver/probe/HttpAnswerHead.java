package io.apiserverupdater.apiserver.probe;

import java.util.List;
import java.util.Optional;

/**
 * An answer without its body.
 *
 * @param reason the words behind the status; may be empty
 * @param framing how to find the end of the body
 * @param length of the body in bytes, where {@code framing} is {@link Framing#LENGTH}
 * @param close whether the server says that it will close the connection
 * @param retryAfter the header of that name
 * @param warnings the headers of the name Warning
 */
record HttpAnswerHead(
    int status,
    String reason,
    Framing framing,
    long length,
    boolean close,
    Optional<String> retryAfter,
    List<String> warnings) {

  /** RFC 9112, section 6. */
  enum Framing {
    NONE,
    LENGTH,
    CHUNKED,
    TO_THE_END
  }

  /** Whether the server will not answer another request on this connection. */
  boolean endsConnection() {
    return close || framing == Framing.TO_THE_END;
  }
}
