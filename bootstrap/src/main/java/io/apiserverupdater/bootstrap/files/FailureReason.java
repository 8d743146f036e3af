package io.apiserverupdater.bootstrap.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Why a file operation failed, for a person. The JDK's messages are often nothing but a path. */
public final class FailureReason {
  private FailureReason() {}

  /** A sentence part, and what to do where that is known. */
  public static String of(IOException failure) {
    if (failure instanceof NoSuchFileException) {
      return "no such file or folder";
    }
    if (failure instanceof FileAlreadyExistsException) {
      return "a file of this name exists already";
    }
    if (failure instanceof AccessDeniedException) {
      return "permission denied; run this as root";
    }
    String reason =
        failure instanceof FileSystemException known && known.getReason() != null
            ? known.getReason()
            : String.valueOf(failure.getMessage());
    return switch (reason) {
      case "Operation not permitted" ->
          reason + "; check whether the file or its folder is immutable (lsattr, chattr -i)";
      case "No space left on device", "Disk quota exceeded" -> reason + "; free some space there";
      case "Read-only file system" ->
          reason + "; mount it writable, or add the folder to ReadWritePaths= of the unit";
      default -> reason;
    };
  }
}
