package io.apiserverupdater.bootstrap.api;

import java.time.Duration;

/** Asks the cluster for the addresses of its apiservers. */
public interface ApiserverSource {

  /**
   * Asks once. Never throws for what files, network or server do.
   *
   * @param deadline for everything together: looking up the name, connecting, the handshake, the
   *     answer
   */
  SourceAnswer read(Duration deadline);
}
