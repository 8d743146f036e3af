package io.apiserverupdater.updater.endpoints;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.time.Duration;

/**
 * One control plane.
 *
 * @param address an IP address, spelled as the source spells it
 */
public record Member(String address, int port) {
  private static final Duration CERTIFICATE_SOON = Duration.ofDays(30);

  /** Whether people are warned that a member's certificate expires when this time is left. */
  public static boolean certificateExpiresSoon(Duration left) {
    return left.compareTo(CERTIFICATE_SOON) < 0;
  }

  @Override
  public String toString() {
    return ApiserverAddress.text(address, port);
  }
}
