package io.apiserverupdater.updater.commands;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.UnreachableException;
import io.apiserverupdater.apiserver.tls.CertificateFaults;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.updater.dryrun.ServingCertificate;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the members show of their certificates. The probes have verified these already. */
final class MemberCertificates {
  private static final Duration DEADLINE = Duration.ofSeconds(1);

  private MemberCertificates() {}

  /** Of the members that answer. */
  static List<ServingCertificate> of(Map<Member, MemberHealth> members, Instant now) {
    return members.entrySet().stream()
        .filter(member -> member.getValue().answers())
        .flatMap(member -> of(member.getKey(), now).stream())
        .toList();
  }

  private static Optional<ServingCertificate> of(Member member, Instant now) {
    Optional<ApiserverAddress> address = ApiserverAddress.of(member.address(), member.port());
    if (address.isEmpty()) {
      return Optional.empty();
    }
    try {
      X509Certificate shown =
          ApiserverClient.anonymous(ClusterAccess.MEMBER_TLS_NAME, new ServerTrust.Unverified())
              .servingCertificate(address.get(), DEADLINE);
      return Optional.of(
          new ServingCertificate(
              member,
              CertificateFaults.names(shown),
              Duration.between(now, shown.getNotAfter().toInstant())));
    } catch (UnreachableException | GeneralSecurityException e) {
      // It has answered a moment ago; what it shows is not known then.
      return Optional.empty();
    }
  }
}
