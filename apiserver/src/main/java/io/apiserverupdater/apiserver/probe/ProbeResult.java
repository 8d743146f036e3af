package io.apiserverupdater.apiserver.probe;

import java.util.List;

/** The result of one probe. */
public sealed interface ProbeResult {

  /** 200 on /readyz from a server that proved who it is. */
  record Ready() implements ProbeResult {}

  /**
   * An honest answer that is not 200, from a server that proved who it is.
   *
   * @param status the HTTP status
   * @param failingChecks the names behind {@code [-]} in a verbose answer; may be empty
   */
  record NotReady(int status, List<String> failingChecks) implements ProbeResult {
    public NotReady {
      failingChecks = List.copyOf(failingChecks);
    }
  }

  /**
   * No answer that counts.
   *
   * @param detail a sentence part for a person, without the address
   * @param heldUp whether this process did not run when the time was over: then it proves nothing
   */
  record Unreachable(Reason reason, String detail, boolean heldUp) implements ProbeResult {
    public Unreachable(Reason reason, String detail) {
      this(reason, detail, false);
    }
  }

  /** How an apiserver can fail to answer. */
  enum Reason {
    /** Nobody listens: the host is there and says so. */
    REFUSED,
    /** No way to the host: no route, or a router says so. */
    NO_ROUTE,
    /** No answer to the first packet: a dead host, a cut cable, a firewall that drops. */
    CONNECT_TIMEOUT,
    /** The kernel accepts, the process does not answer: stopped, overloaded, or not TLS at all. */
    HANDSHAKE_TIMEOUT,
    /** TLS is there, the answer is not. */
    ANSWER_TIMEOUT,
    /** The connection was made and then reset or closed. */
    CONNECTION_LOST,
    /** The server is not who it should be: wrong authority, wrong name, expired. */
    CERTIFICATE,
    /** The handshake failed otherwise: not TLS, or no common version. */
    TLS,
    /** It is not HTTP, or more bytes than a health answer has. */
    MALFORMED_ANSWER
  }

  /** The result in words, without the address. */
  default String describe() {
    if (this instanceof NotReady notReady) {
      return "/readyz says "
          + notReady.status()
          + (notReady.failingChecks().isEmpty()
              ? ""
              : ", failing: " + String.join(", ", notReady.failingChecks()));
    }
    return this instanceof Unreachable unreachable ? unreachable.detail() : "ready";
  }

  /**
   * Whether the server proved who it is, and tells those who ask as we do nothing about its health:
   * 401 or 403.
   */
  default boolean unauthorized() {
    return this instanceof NotReady notReady
        && (notReady.status() == 401 || notReady.status() == 403);
  }

  /** Whether it works, as far as it tells us: where nobody may know more, alive has to do. */
  default boolean works() {
    return this instanceof Ready || unauthorized();
  }

  /** Whether somebody took the connection, whoever that is and whatever came of it. */
  default boolean reached() {
    return !(this instanceof Unreachable unreachable)
        || (unreachable.reason() != Reason.REFUSED
            && unreachable.reason() != Reason.NO_ROUTE
            && unreachable.reason() != Reason.CONNECT_TIMEOUT);
  }

  /** Whether the server proved who it is, whatever it said then. */
  default boolean verified() {
    return !(this instanceof Unreachable unreachable)
        || unreachable.reason() == Reason.ANSWER_TIMEOUT
        || unreachable.reason() == Reason.MALFORMED_ANSWER;
  }
}
