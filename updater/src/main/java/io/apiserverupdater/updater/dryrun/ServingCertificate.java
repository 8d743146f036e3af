package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.updater.endpoints.Member;
import java.time.Duration;
import java.util.List;

/**
 * The certificate that a member shows.
 *
 * @param names the DNS names and IP addresses that it is valid for
 * @param expiresIn the time that is left
 */
public record ServingCertificate(Member member, List<String> names, Duration expiresIn) {
  public ServingCertificate {
    names = List.copyOf(names);
  }

  boolean expiresSoon() {
    return Member.certificateExpiresSoon(expiresIn);
  }

  boolean isValidFor(String ip) {
    return names.stream().anyMatch(name -> IpAddress.isSame(name, ip));
  }
}
