package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.time.Duration;
import java.util.Optional;

/** How a call to the API ended. */
public sealed interface ApiAnswer {

  /** 2xx. */
  record Ok(String body, ServerAddress server) implements ApiAnswer {}

  /** 2xx, but not what the API promises. A write was carried out all the same. */
  record Unreadable(String why) implements ApiAnswer {}

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

    /**
     * Whether the answer may be this server's alone, so that others are asked before it is
     * believed: its authorizer may be broken, or its way to a webhook or to etcd. A conflict and a
     * version that is gone are facts, and an object that a write does not find may be gone.
     */
    boolean isDoubtful(boolean read) {
      return switch (code) {
        case 409, 410, 429 -> false;
        case 404 -> read;
        default -> code >= 400 && (code < 500 || !read);
      };
    }

    /** Whether the server asks to be spared for a while; another one may be idle. */
    boolean isBusy() {
      return code == 429;
    }

    /** The same with another time to wait. */
    Status retryingAfter(Optional<Duration> time) {
      return new Status(code, reason, message, time);
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
    if (this instanceof Unreadable unreadable) {
      return unreadable.why();
    }
    return this instanceof None none ? none.why() : "";
  }
}
