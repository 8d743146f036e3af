package io.apiserverupdater.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;

/**
 * A certificate authority with EC keys, and the certificates it signs. Knows nothing of the rest of
 * the sandbox.
 */
public record SandboxPki(HeldCertificate authority) {
  private static final long VALID_DAYS = 365;

  /** A certificate with its private key. */
  public record Credential(HeldCertificate held) {
    public String certificatePem() {
      return held.certificatePem();
    }

    /** PKCS #8. */
    public String privateKeyPem() {
      return held.privateKeyPkcs8Pem();
    }

    /** Writes both as PEM files. */
    public void write(Path certificateFile, Path keyFile) {
      try {
        Files.writeString(certificateFile, certificatePem());
        Files.writeString(keyFile, privateKeyPem());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** A new authority. */
  public static SandboxPki create(String commonName) {
    return new SandboxPki(
        new HeldCertificate.Builder()
            .commonName(commonName)
            .ecdsa256()
            .certificateAuthority(0)
            .duration(VALID_DAYS, TimeUnit.DAYS)
            .build());
  }

  public String authorityPem() {
    return authority.certificatePem();
  }

  /** A serving certificate; names may be DNS names and IP addresses. */
  public Credential server(String commonName, Collection<String> names) {
    HeldCertificate.Builder builder =
        new HeldCertificate.Builder()
            .commonName(commonName)
            .ecdsa256()
            .signedBy(authority)
            .duration(VALID_DAYS, TimeUnit.DAYS);
    names.forEach(builder::addSubjectAlternativeName);
    return new Credential(builder.build());
  }

  /** A client certificate; Kubernetes takes the common name as the user's name. */
  public Credential client(String commonName) {
    return new Credential(
        new HeldCertificate.Builder()
            .commonName(commonName)
            .ecdsa256()
            .signedBy(authority)
            .duration(VALID_DAYS, TimeUnit.DAYS)
            .build());
  }

  /** Makes server sockets that serve one certificate and accept this authority's clients. */
  SSLSocketFactory serving(Credential certificate, SandboxPki clientAuthority) {
    return new HandshakeCertificates.Builder()
        .heldCertificate(certificate.held())
        .addTrustedCertificate(clientAuthority.authority().certificate())
        .build()
        .sslSocketFactory();
  }
}
