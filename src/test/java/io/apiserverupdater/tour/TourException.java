package io.apiserverupdater.tour;

/** The tour cannot go on; the message is a sentence that says why. */
final class TourException extends RuntimeException {
  TourException(String message) {
    super(message);
  }

  TourException(String message, Throwable cause) {
    super(message, cause);
  }
}
