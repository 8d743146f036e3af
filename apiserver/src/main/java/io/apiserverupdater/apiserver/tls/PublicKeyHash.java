package io.apiserverupdater.apiserver.tls;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * The hash of a certificate's public key as {@code kubeadm join --discovery-token-ca-cert-hash}
 * writes it: SHA-256 over the SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) in DER.
 *
 * @param text {@code sha256:} and 64 hexadecimal digits in lower case
 */
public record PublicKeyHash(String text) {
  private static final String PREFIX = "sha256:";

  public static PublicKeyHash of(X509Certificate certificate) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(certificate.getPublicKey().getEncoded());
      return new PublicKeyHash(PREFIX + HexFormat.of().formatHex(hash));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
  }

  /** Empty when the text is not of the form {@code sha256:} and 64 hexadecimal digits. */
  public static Optional<PublicKeyHash> parse(String text) {
    String lower = text.strip().toLowerCase(Locale.ROOT);
    boolean fits = lower.matches(PREFIX + "[0-9a-f]{64}");
    return fits ? Optional.of(new PublicKeyHash(lower)) : Optional.empty();
  }

  @Override
  public String toString() {
    return text;
  }
}
