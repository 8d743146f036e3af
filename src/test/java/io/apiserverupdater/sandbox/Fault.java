package io.apiserverupdater.sandbox;

import java.time.Duration;
import java.util.Optional;

/** Something that goes wrong with one request. Those named for watches leave others alone. */
public sealed interface Fault {

  /** The request is not carried out; a Status is answered, with a Retry-After header if given. */
  record Refused(ApiError error, Optional<Integer> retryAfterSeconds) implements Fault {}

  /** Carried out at once, answered late. */
  record AnsweredLate(Duration delay) implements Fault {}

  /** Neither carried out nor answered; the connection stays open. */
  record NeverAnswered() implements Fault {}

  /** Not carried out; the connection is cut before the answer's headers. */
  record CutBeforeHeaders() implements Fault {}

  /** Carried out; the connection is cut before the answer's headers. */
  record AnswerLost() implements Fault {}

  /** Carried out; the connection is cut between headers and body. */
  record CutAfterHeaders() implements Fault {}

  /** Carried out; the connection is cut in the middle of the body, or of a watch's first event. */
  record CutInBody() implements Fault {}

  /** Carried out; the body breaks off in the middle, the answer ends as if that were all. */
  record MalformedJson() implements Fault {}

  /** Not carried out; a page for people comes back with status 200, as from a captive proxy. */
  record HtmlPage() implements Fault {}

  /** Every object has fields that no client knows, at several depths. */
  record UnknownFields() implements Fault {}

  /** Every list that a client may hope for is null: items, endpoints, subsets, ports, addresses. */
  record NullLists() implements Fault {}

  /** Every object carries an annotation of so many bytes. */
  record Padded(int bytes) implements Fault {}

  /** The answer's Date is that of a clock that is so much ahead. */
  record Dated(Duration ahead) implements Fault {}

  /** The watch is answered with status 200 and ends without an event. */
  record EmptyWatch() implements Fault {}

  /** The watch ends after so many events; bookmarks do not count. */
  record WatchEndsAfter(int events) implements Fault {}

  /** The watch sends a bookmark at once and at each change, and never an event. */
  record OnlyBookmarks() implements Fault {}

  /** The watch answers an ERROR event with this Status and ends. */
  record WatchError(ApiError error) implements Fault {}

  // Ready-made ones, by the name a test would use.

  /** A status code with the reason and the message that usually come with it. */
  static Fault status(int code) {
    ApiError error =
        switch (code) {
          case 400 -> ApiError.badRequest("the sandbox refuses this request");
          case 401 -> ApiError.unauthorized();
          case 403 -> ApiError.of(403, "Forbidden", "forbidden by the sandbox");
          case 404 -> ApiError.noSuchPath();
          case 409 -> ApiError.of(409, "Conflict", "the object has been modified");
          case 410 -> ApiError.expired(1, 2);
          case 429 -> ApiError.of(429, "TooManyRequests", "too many requests, try again later");
          case 500 -> ApiError.of(500, "InternalError", "Internal error occurred: sandbox");
          case 503 -> ApiError.of(503, "ServiceUnavailable", "the server is going away");
          case 504 -> ApiError.of(504, "Timeout", "Timeout: request did not complete in time");
          default -> ApiError.of(code, "", "the sandbox answers " + code);
        };
    return new Refused(error, Optional.empty());
  }

  static Fault tooManyRequests(int retryAfterSeconds) {
    return new Refused(
        ApiError.of(429, "TooManyRequests", "too many requests, try again later"),
        Optional.of(retryAfterSeconds));
  }

  static Fault tooLargeResourceVersion() {
    return new Refused(ApiError.tooLargeResourceVersion(1_000_000_000, 1), Optional.empty());
  }

  static Fault expiredWatch() {
    return new WatchError(ApiError.expired(1, 2));
  }

  static Fault tenMegabytes() {
    return new Padded(10 * 1024 * 1024);
  }
}
