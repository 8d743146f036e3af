package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.tls.ServerTrust;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.concurrent.TimeUnit;
import okhttp3.tls.HeldCertificate;

/** A certificate authority of a test. */
record Authority(HeldCertificate held) {
  static final String NAME = "apiserver.cluster.local";
  private static final long HOUR = TimeUnit.HOURS.toMillis(1);

  static Authority create(String commonName) {
    return new Authority(
        new HeldCertificate.Builder()
            .commonName(commonName)
            .certificateAuthority(1)
            .duration(1, TimeUnit.DAYS)
            .build());
  }

  HeldCertificate.Builder certificate(String... names) {
    HeldCertificate.Builder builder =
        new HeldCertificate.Builder()
            .commonName("kube-apiserver")
            .signedBy(held)
            .duration(1, TimeUnit.DAYS);
    for (String name : names) {
      builder.addSubjectAlternativeName(name);
    }
    return builder;
  }

  HeldCertificate server() {
    return certificate(NAME, "10.96.0.100").build();
  }

  HeldCertificate validFor(long fromHours, long untilHours) {
    long now = System.currentTimeMillis();
    return certificate(NAME)
        .validityInterval(now + fromHours * HOUR, now + untilHours * HOUR)
        .build();
  }

  ServerTrust.Verified trust() throws GeneralSecurityException {
    return ServerTrust.authorities(held.certificatePem().getBytes(StandardCharsets.US_ASCII));
  }

  ApiserverClient client() throws GeneralSecurityException {
    return ApiserverClient.anonymous(NAME, trust());
  }

  HttpsReadyzProbe probe() throws GeneralSecurityException {
    return new HttpsReadyzProbe(client());
  }
}
