package io.apiserverupdater.apiserver.probe;

import java.util.Optional;

/**
 * What is asked of an apiserver.
 *
 * @param target path and query, percent-encoded
 * @param userAgent who asks, for the server's logs
 * @param token a bearer token; a text that cannot stand in a header is not sent
 * @param body JSON
 */
public record ApiserverRequest(
    String method, String target, String userAgent, Optional<String> token, Optional<String> body) {

  /** Secrets stay out of logs. */
  @Override
  public String toString() {
    return method + " " + target;
  }
}
