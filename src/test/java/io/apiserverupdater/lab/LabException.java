package io.apiserverupdater.lab;

/** The lab could not do what a test asked of it; the message says what, and what was seen. */
public final class LabException extends RuntimeException {
  public LabException(String message) {
    super(message);
  }

  public LabException(String message, Throwable cause) {
    super(message, cause);
  }
}
