package io.apiserverupdater.apiserver.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class PemTest {
  private static final KeyPair RSA = rsa();
  private static final KeyPair P256 = new HeldCertificate.Builder().ecdsa256().build().keyPair();
  private static final String PKCS1 =
      new HeldCertificate.Builder().keyPair(RSA).build().privateKeyPkcs1Pem();
  private static final String P256_OID = "06082a8648ce3d030107";
  private static final String P384_OID = "06052b81040022";

  private static KeyPair rsa() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      // As small as the JDK makes them: made afresh for each run, and used for nothing else.
      generator.initialize(1024);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String pem(String label, byte[] der) {
    String base64 =
        Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(der);
    return "-----BEGIN " + label + "-----\n" + base64 + "\n-----END " + label + "-----\n";
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** An element of DER in hexadecimal; none here is longer than 127 bytes. */
  private static String element(String tag, String content) {
    return tag + HexFormat.of().toHexDigits((byte) (content.length() / 2)) + content;
  }

  /** ECPrivateKey of RFC 5915, without the optional public key. */
  private static byte[] sec1(KeyPair pair, int size, String oid) {
    String key = ((ECPrivateKey) pair.getPrivate()).getS().toString(16);
    String fixed = "0".repeat(2 * size - key.length()) + key;
    String curve = oid.isEmpty() ? "" : element("a0", oid);
    return HexFormat.of().parseHex(element("30", "020101" + element("04", fixed) + curve));
  }

  static List<Arguments> plainKeys() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp384r1"));
    KeyPair p384 = generator.generateKeyPair();
    KeyPair ed25519 = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    String ecParameters = pem("EC PARAMETERS", HexFormat.of().parseHex(P256_OID));
    String certificate = new HeldCertificate.Builder().build().certificatePem();
    String sec1 = pem("EC PRIVATE KEY", sec1(P256, 32, P256_OID));
    String pkcs8 = pem("PRIVATE KEY", P256.getPrivate().getEncoded());
    return List.of(
        Arguments.of("PKCS#8 RSA", pem("PRIVATE KEY", RSA.getPrivate().getEncoded()), RSA),
        Arguments.of("PKCS#8 P-256", pkcs8, P256),
        Arguments.of("PKCS#8 P-384", pem("PRIVATE KEY", p384.getPrivate().getEncoded()), p384),
        Arguments.of(
            "PKCS#8 Ed25519", pem("PRIVATE KEY", ed25519.getPrivate().getEncoded()), ed25519),
        Arguments.of("PKCS#1 RSA", PKCS1, RSA),
        Arguments.of("SEC1 P-256", sec1, P256),
        Arguments.of("SEC1 P-384", pem("EC PRIVATE KEY", sec1(p384, 48, P384_OID)), p384),
        Arguments.of("SEC1 after its parameters, as openssl writes", ecParameters + sec1, P256),
        Arguments.of("after a certificate in the same file", certificate + pkcs8, P256),
        Arguments.of("before a certificate in the same file", pkcs8 + certificate, P256),
        Arguments.of("the first of two keys", pkcs8 + PKCS1, P256),
        Arguments.of("lines that end as on Windows", pkcs8.replace("\n", "\r\n"), P256),
        Arguments.of("text around it", "subject=me\n" + pkcs8 + "bye\n", P256),
        Arguments.of("no line break at the end", pkcs8.strip(), P256));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void plainKeys(String form, String pem, KeyPair expected) throws Exception {
    PrivateKey key = Pem.privateKey(bytes(pem));
    String algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> "Ed25519";
        };
    Signature signing = Signature.getInstance(algorithm);
    signing.initSign(key);
    signing.update(bytes(form));
    Signature verifying = Signature.getInstance(algorithm);
    verifying.initVerify(expected.getPublic());
    verifying.update(bytes(form));
    assertTrue(verifying.verify(signing.sign()), form);
  }

  static List<Arguments> unusableKeys() {
    String headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0011223344556677\n\n";
    return List.of(
        Arguments.of("nothing", "", "no PRIVATE KEY block"),
        Arguments.of("a certificate only", pem("CERTIFICATE", bytes("x")), "no PRIVATE KEY block"),
        Arguments.of("no end", "-----BEGIN PRIVATE KEY-----\nAAAA\n", "no PRIVATE KEY block"),
        Arguments.of(
            "ends as something else",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            "no PRIVATE KEY block"),
        Arguments.of(
            "encrypted PKCS#8", pem("ENCRYPTED PRIVATE KEY", bytes("secret")), "is encrypted"),
        Arguments.of(
            "encrypted by an old openssl",
            "-----BEGIN RSA PRIVATE KEY-----\n" + headers + "AAAA\n-----END RSA PRIVATE KEY-----\n",
            "is encrypted"),
        Arguments.of(
            "not base64",
            "-----BEGIN PRIVATE KEY-----\nAAAAA\n-----END PRIVATE KEY-----\n",
            "is not base64"),
        Arguments.of(
            "an EC key without a curve", pem("EC PRIVATE KEY", sec1(P256, 32, "")), "curve"),
        Arguments.of("an empty EC key", pem("EC PRIVATE KEY", new byte[0]), "cut short"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void unusableKeys(String situation, String pem, String expected) {
    GeneralSecurityException failure =
        assertThrows(GeneralSecurityException.class, () -> Pem.privateKey(bytes(pem)), situation);
    assertTrue(failure.toString().contains(expected), failure.toString());
  }

  @Test
  void readsChainInItsOrder() throws Exception {
    HeldCertificate root = new HeldCertificate.Builder().certificateAuthority(0).build();
    HeldCertificate leaf = new HeldCertificate.Builder().signedBy(root).build();
    String file = leaf.certificatePem() + leaf.privateKeyPkcs8Pem() + root.certificatePem();
    List<X509Certificate> expected = List.of(leaf.certificate(), root.certificate());
    assertEquals(expected, Pem.certificates(bytes(file)));
  }

  @Test
  void brokenKeyBesideTheCertificateDoesNotMatterToTheCertificate() throws Exception {
    HeldCertificate held = new HeldCertificate.Builder().build();
    String file =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n"
            + "-----END RSA PRIVATE KEY-----\n"
            + held.certificatePem();
    assertEquals(List.of(held.certificate()), Pem.certificates(bytes(file)));
  }

  /** What openssl, curl and Go pass over as well. */
  static List<Arguments> noBlocks() {
    String pem = new HeldCertificate.Builder().build().certificatePem();
    String[] lines = pem.split("\n", -1);
    return List.of(
        Arguments.of("commented out", pem.replaceAll("(?m)^(?=.)", "# ")),
        Arguments.of("its first line commented out", "#" + pem),
        Arguments.of("indented", pem.replaceAll("(?m)^(?=.)", "  ")),
        Arguments.of("behind a word", "ca: " + pem),
        Arguments.of("its last line commented out", pem.replace("-----END", "#-----END")),
        Arguments.of("more behind its first line", pem.replaceFirst("-----\n", "----- x\n")),
        Arguments.of("cut", String.join("\n", Arrays.asList(lines).subList(0, 3)) + "\n"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("noBlocks")
  void whatDoesNotBeginAndEndALineIsNoBlock(String situation, String pem) throws Exception {
    HeldCertificate other = new HeldCertificate.Builder().build();
    String both = pem + "\n" + other.certificatePem();
    assertEquals(List.of(other.certificate()), Pem.certificates(bytes(both)), situation);
    GeneralSecurityException failure =
        assertThrows(GeneralSecurityException.class, () -> Pem.certificates(bytes(pem)));
    assertTrue(
        failure.toString().contains("no CERTIFICATE block that begins and ends at the start of"),
        failure.toString());
  }

  @Test
  void commentInABlockIsAnError() {
    String pem = new HeldCertificate.Builder().build().certificatePem().replace("-\n", "-\n# x\n");
    GeneralSecurityException failure =
        assertThrows(GeneralSecurityException.class, () -> Pem.certificates(bytes(pem)));
    assertTrue(failure.toString().contains("is not base64"), failure.toString());
  }

  @Test
  void tellsThatThereIsNoCertificate() {
    byte[] pem = bytes(pem("PRIVATE KEY", P256.getPrivate().getEncoded()));
    GeneralSecurityException failure =
        assertThrows(GeneralSecurityException.class, () -> Pem.certificates(pem));
    assertTrue(failure.toString().contains("no CERTIFICATE"), failure.toString());
  }

  @Test
  void garbageOnlyEverGivesOneKindOfException() {
    Random random = new Random(42);
    List<byte[]> ders =
        List.of(
            RSA.getPrivate().getEncoded(),
            P256.getPrivate().getEncoded(),
            Base64.getMimeDecoder().decode(PKCS1.replaceAll("-----.*-----", "")),
            sec1(P256, 32, P256_OID),
            new HeldCertificate.Builder().build().certificate().getPublicKey().getEncoded());
    List<String> labels =
        List.of("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "CERTIFICATE");
    int unreadable = 0;
    for (int i = 0; i < 4000; i++) {
      byte[] der = damaged(random, ders.get(random.nextInt(ders.size())));
      byte[] text = bytes(pem(labels.get(random.nextInt(labels.size())), der));
      byte[] input = random.nextInt(3) == 0 ? damaged(random, text) : text;
      unreadable += unreadable(() -> Pem.privateKey(input)) ? 1 : 0;
      unreadable(() -> Pem.certificates(input));
    }
    assertTrue(unreadable > 2000, "most of it cannot be read: " + unreadable);
  }

  private interface Reading {
    Object read() throws GeneralSecurityException;
  }

  private static boolean unreadable(Reading reading) {
    try {
      reading.read();
      return false;
    } catch (GeneralSecurityException e) {
      return true;
    }
  }

  private static byte[] damaged(Random random, byte[] whole) {
    byte[] copy = whole.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      copy[random.nextInt(Math.min(copy.length, random.nextBoolean() ? 40 : copy.length))] =
          (byte) random.nextInt(256);
    }
    return random.nextInt(3) == 0 ? Arrays.copyOf(copy, random.nextInt(copy.length)) : copy;
  }

  @Test
  void readsLargeBundle() throws Exception {
    String certificate = new HeldCertificate.Builder().build().certificatePem();
    List<String> bundle = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      bundle.add("# number " + i + "\n" + certificate);
    }
    bundle.add("-".repeat(200_000));
    assertEquals(500, Pem.certificates(bytes(String.join("", bundle))).size());
  }
}
