package io.apiserverupdater.bootstrap.files;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** Another process has had the lock for all the time that one was ready to wait. */
public final class LockTimeoutException extends IOException {
  LockTimeoutException(Path file, Duration deadline) {
    super(
        """
        another apiserver-bootstrap has been running for more than %d ms: it holds %s. \
        "fuser %s" names the process."""
            .formatted(deadline.toMillis(), file, file));
  }
}
