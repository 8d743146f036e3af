package io.apiserverupdater.apiserver.tls;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import okhttp3.tls.HeldCertificate;

/** Any bytes are read or refused in words; {@code ./bench fuzz} tries a million each. */
class PemPropertyTest {
  private static final HeldCertificate EC = new HeldCertificate.Builder().ecdsa256().build();
  private static final HeldCertificate RSA = new HeldCertificate.Builder().rsa2048().build();
  private static final List<String> WHOLE =
      List.of(
          EC.certificatePem(),
          EC.privateKeyPkcs8Pem(),
          RSA.privateKeyPkcs1Pem(),
          RSA.privateKeyPkcs8Pem());

  @Provide
  Arbitrary<byte[]> anyBytes() {
    return Arbitraries.bytes().array(byte[].class).ofMaxSize(200);
  }

  /** Pieces of PEM files in any order. */
  @Provide
  Arbitrary<byte[]> pieces() {
    Arbitrary<String> piece =
        Arbitraries.of(
            "-----BEGIN CERTIFICATE-----\n",
            "-----END CERTIFICATE-----\n",
            "-----BEGIN EC PRIVATE KEY-----\n",
            "-----END EC PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----\n",
            "-----END RSA PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\n",
            "-----END PRIVATE KEY-----\n",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN ",
            "-----",
            "Proc-Type: 4,ENCRYPTED\n",
            "MIIB",
            "MHcCAQEEIA==",
            "oAoGCCqGSM49AwEH",
            "AAAA",
            "=",
            "\r\n",
            "\u0000",
            "\u00ff",
            EC.privateKeyPkcs8Pem(),
            EC.certificatePem());
    return piece.list().ofMaxSize(10).map(all -> String.join("", all).getBytes(ISO_8859_1));
  }

  /** Whole files with one part replaced. */
  @Provide
  Arbitrary<byte[]> damaged() {
    return Combinators.combine(
            Arbitraries.of(WHOLE),
            Arbitraries.integers().between(0, 2_000),
            Arbitraries.integers().between(0, 40),
            Arbitraries.bytes().array(byte[].class).ofMaxSize(20))
        .as(
            (whole, at, length, put) -> {
              int start = at % whole.length();
              int end = Math.min(whole.length(), start + length);
              String middle = new String(put, ISO_8859_1);
              return (whole.substring(0, start) + middle + whole.substring(end))
                  .getBytes(ISO_8859_1);
            });
  }

  @Provide
  Arbitrary<byte[]> files() {
    return Arbitraries.oneOf(anyBytes(), pieces(), damaged());
  }

  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void certificatesAreReadOrRefused(@ForAll("files") byte[] pem) {
    try {
      for (X509Certificate certificate : Pem.certificates(pem)) {
        assertEquals("X.509", certificate.getType());
      }
    } catch (GeneralSecurityException e) {
      assertFalse(String.valueOf(e.getMessage()).isEmpty());
    }
  }

  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void privateKeysAreReadOrRefused(@ForAll("files") byte[] pem) {
    try {
      PrivateKey key = Pem.privateKey(pem);
      assertFalse(key.getAlgorithm().isEmpty());
    } catch (GeneralSecurityException e) {
      assertFalse(String.valueOf(e.getMessage()).isEmpty());
    }
  }
}
