package io.apiserverupdater.updater.kube.api;

import java.time.Duration;
import java.util.Optional;

/** How a call to the API ended. */
public sealed interface ApiAnswer {

  /** 2xx. */
  record Ok(String body) implements ApiAnswer {}

  /**
   * Another status.
   *
   * @param reason the API's word for it, such as {@code Conflict} or {@code Expired}; may be empty
   * @param message the API's sentence about it
   * @param retryAfter what the server asked for
   */
  record Status(int code, String reason, String message, Optional<Duration> retryAfter)
      implements ApiAnswer {
    /** Whether the same call will be turned down until a person changes something. */
    public boolean isRejection() {
      return code == 400 || code == 401 || code == 403 || code == 422;
    }

    /** Whether the server asks to be spared for a while; another one may be idle. */
    boolean isBusy() {
      return code == 429;
    }

    public String describe() {
      return code + (reason.isEmpty() ? "" : " " + reason) + ": " + message;
    }
  }

  /** No usable answer from any server. The request may have been carried out all the same. */
  record None(String why) implements ApiAnswer {}

  /** For logs and errors; a success has nothing to tell. */
  default String failure() {
    if (this instanceof Status status) {
      return status.describe();
    }
    return this instanceof None none ? none.why() : "";
  }
}
