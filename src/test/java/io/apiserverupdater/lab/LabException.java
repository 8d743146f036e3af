package io.apiserverupdater.lab;

import java.io.IOException;

/** The lab could not do what a test asked of it; the message says what, and what was seen. */
public final class LabException extends RuntimeException {
  /** What may fail by the file system. */
  @FunctionalInterface
  public interface FileAccess<T> {
    T run() throws IOException;
  }

  public LabException(String message) {
    super(message);
  }

  public LabException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Does it, or fails with a message such as {@code cannot read FILE}. */
  public static <T> T wrap(String message, FileAccess<T> access) {
    try {
      return access.run();
    } catch (IOException e) {
      throw new LabException(message, e);
    }
  }
}
