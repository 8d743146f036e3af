package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.time.Duration;

/** Asks one apiserver whether it is ready. */
public interface ApiserverProbe {

  /**
   * Asks once, on a connection of its own. Never throws for what the network or the server does.
   *
   * @param deadline for everything together: connecting, the handshake, the answer
   */
  ProbeResult probe(ApiserverAddress address, Duration deadline);
}
