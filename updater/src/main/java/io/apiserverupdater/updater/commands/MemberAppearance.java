package io.apiserverupdater.updater.commands;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.UnreachableException;
import io.apiserverupdater.apiserver.tls.CertificateFaults;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.updater.dryrun.ServerClock;
import io.apiserverupdater.updater.dryrun.ServingCertificate;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the members that answer show of their certificates and their clocks. The probes have
 * verified them already, so nothing is verified here, and nothing is sent that says who asks.
 */
record MemberAppearance(List<ServingCertificate> certificates, List<ServerClock> clocks) {
  private static final Duration DEADLINE = Duration.ofSeconds(1);

  static MemberAppearance of(Map<Member, MemberHealth> members, Clock clock) {
    List<ServingCertificate> certificates = new ArrayList<>();
    List<ServerClock> clocks = new ArrayList<>();
    members.forEach(
        (member, health) -> {
          Optional<ApiserverAddress> address =
              ApiserverAddress.of(member.address(), member.port()).filter(it -> health.answers());
          address.flatMap(it -> certificate(member, it, clock)).ifPresent(certificates::add);
          address.flatMap(it -> clock(member, it, clock)).ifPresent(clocks::add);
        });
    return new MemberAppearance(List.copyOf(certificates), List.copyOf(clocks));
  }

  private static Optional<ServingCertificate> certificate(
      Member member, ApiserverAddress address, Clock clock) {
    try {
      X509Certificate shown = client().servingCertificate(address, DEADLINE);
      return Optional.of(
          new ServingCertificate(
              member,
              CertificateFaults.names(shown),
              Duration.between(clock.instant(), shown.getNotAfter().toInstant())));
    } catch (UnreachableException | GeneralSecurityException e) {
      // It has answered a moment ago; what it shows is not known then.
      return Optional.empty();
    }
  }

  private static Optional<ServerClock> clock(Member member, ApiserverAddress address, Clock clock) {
    try {
      Instant sent = clock.instant();
      return client()
          .date(address, DEADLINE)
          .map(told -> ServerClock.of(member, told, sent, clock.instant()));
    } catch (UnreachableException | GeneralSecurityException e) {
      return Optional.empty();
    }
  }

  private static ApiserverClient client() throws GeneralSecurityException {
    return ApiserverClient.anonymous(ClusterAccess.MEMBER_TLS_NAME, new ServerTrust.Unverified());
  }
}
