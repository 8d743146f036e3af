package io.apiserverupdater.apiserver.tls;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/**
 * Certificates and private keys in PEM (RFC 7468). Keys may be PKCS#8, PKCS#1 (RSA) or SEC1 (EC),
 * as kubeadm, cert-manager and openssl write them; the JDK reads only the first by itself.
 * Certificates and keys may share one file.
 *
 * <p>A block begins and ends with a whole line, as for openssl and Go: what is commented out, or
 * indented, is none.
 */
public final class Pem {
  private static final String BEGIN = "-----BEGIN ";
  private static final String DASHES = "-----";

  private static final int OCTET_STRING = 0x04;
  private static final int SEQUENCE = 0x30;
  private static final byte[] VERSION_0 = HexFormat.of().parseHex("020100");
  // AlgorithmIdentifier rsaEncryption with NULL parameters: RFC 8017, appendix A.1.
  private static final byte[] RSA_ALGORITHM =
      HexFormat.of().parseHex("300d06092a864886f70d0101010500");
  // id-ecPublicKey: RFC 5480, section 2.1.1.
  private static final byte[] EC_OID = HexFormat.of().parseHex("06072a8648ce3d0201");

  private Pem() {}

  private record Block(String label, String text) {
    byte[] der() throws GeneralSecurityException {
      // Old openssl keys carry headers ("Proc-Type: 4,ENCRYPTED") in front of the base64 text.
      if (label.endsWith("PRIVATE KEY") && text.contains(":")) {
        throw new GeneralSecurityException("the private key is encrypted, expected a plain one");
      }
      try {
        return Base64.getDecoder().decode(text.replaceAll("\\s", ""));
      } catch (IllegalArgumentException e) {
        throw new GeneralSecurityException("the " + label + " block is not base64", e);
      }
    }
  }

  /**
   * The certificates of a PEM text, in its order.
   *
   * @throws GeneralSecurityException when one of them cannot be read, or there is none
   */
  public static List<X509Certificate> certificates(byte[] pem) throws GeneralSecurityException {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<X509Certificate> certificates = new ArrayList<>();
    for (Block block : blocks(pem)) {
      if (block.label().equals("CERTIFICATE")) {
        certificates.add(
            (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.der())));
      }
    }
    if (certificates.isEmpty()) {
      throw none("CERTIFICATE", pem);
    }
    return certificates;
  }

  /**
   * The first private key of a PEM text.
   *
   * @throws GeneralSecurityException when it cannot be read, is encrypted, or there is none
   */
  public static PrivateKey privateKey(byte[] pem) throws GeneralSecurityException {
    for (Block block : blocks(pem)) {
      switch (block.label()) {
        case "PRIVATE KEY" -> {
          return pkcs8(block.der());
        }
        case "RSA PRIVATE KEY" -> {
          return wrapped("RSA", RSA_ALGORITHM, block.der());
        }
        case "EC PRIVATE KEY" -> {
          return wrapped("EC", sequence(EC_OID, curveOf(block.der())), block.der());
        }
        case "ENCRYPTED PRIVATE KEY" ->
            throw new GeneralSecurityException(
                "the private key is encrypted, expected a plain one");
        default -> {
          // A certificate or EC PARAMETERS beside the key.
        }
      }
    }
    throw none("PRIVATE KEY", pem);
  }

  /** The JDK reads a key of an older form once it stands in PKCS#8 (RFC 5208, section 5). */
  private static PrivateKey wrapped(String name, byte[] algorithm, byte[] key)
      throws GeneralSecurityException {
    byte[] pkcs8 = sequence(VERSION_0, algorithm, element(OCTET_STRING, key));
    return KeyFactory.getInstance(name).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
  }

  private static PrivateKey pkcs8(byte[] der) throws GeneralSecurityException {
    PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(der);
    GeneralSecurityException last = new GeneralSecurityException("no algorithm fits the key");
    for (String algorithm : List.of("EC", "RSA", "Ed25519")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(spec);
      } catch (GeneralSecurityException e) {
        last = e;
      }
    }
    throw last;
  }

  private static List<Block> blocks(byte[] pem) {
    List<Block> blocks = new ArrayList<>();
    String end = "";
    String label = "";
    StringBuilder text = new StringBuilder();
    for (String line : new String(pem, StandardCharsets.ISO_8859_1).split("\n", -1)) {
      String plain = line.stripTrailing();
      if (plain.startsWith(BEGIN) && plain.endsWith(DASHES)) {
        // One that had not ended is cut.
        label = plain.substring(BEGIN.length(), plain.length() - DASHES.length());
        end = "-----END " + label + DASHES;
        text.setLength(0);
      } else if (!end.isEmpty() && plain.equals(end)) {
        blocks.add(new Block(label, text.toString()));
        end = "";
      } else if (!end.isEmpty()) {
        text.append(plain).append('\n');
      }
    }
    return blocks;
  }

  private static GeneralSecurityException none(String label, byte[] pem) {
    boolean begun = new String(pem, StandardCharsets.ISO_8859_1).contains(label + DASHES);
    return new GeneralSecurityException(
        begun
            ? "no " + label + " block that begins and ends at the start of a line; is it cut?"
            : "no " + label + " block in it");
  }

  /** The curve's OBJECT IDENTIFIER out of field [0] of an ECPrivateKey (RFC 5915, section 3). */
  private static byte[] curveOf(byte[] sec1) throws GeneralSecurityException {
    Der outer = Der.at(sec1, 0);
    int position = outer.contentStart();
    while (position < outer.end()) {
      Der field = Der.at(sec1, position);
      if (field.tag() == 0xA0) {
        Der oid = Der.at(sec1, field.contentStart());
        return Arrays.copyOfRange(sec1, field.contentStart(), oid.end());
      }
      position = field.end();
    }
    throw new GeneralSecurityException("the EC key names no curve");
  }

  /** One DER element: its tag, and where its content starts and ends. */
  private record Der(int tag, int contentStart, int end) {
    static Der at(byte[] bytes, int start) throws GeneralSecurityException {
      if (start + 2 > bytes.length) {
        throw new GeneralSecurityException("the EC key is cut short");
      }
      int length = bytes[start + 1] & 0xFF;
      int content = start + 2;
      if (length > 0x80) {
        int count = length & 0x7F;
        if (count > 3 || content + count > bytes.length) {
          throw new GeneralSecurityException("the EC key has a length that cannot be");
        }
        length = 0;
        for (int i = 0; i < count; i++) {
          length = (length << 8) | (bytes[content++] & 0xFF);
        }
      }
      if (content + length > bytes.length) {
        throw new GeneralSecurityException("the EC key is cut short");
      }
      return new Der(bytes[start] & 0xFF, content, content + length);
    }
  }

  private static byte[] sequence(byte[]... parts) {
    return element(SEQUENCE, parts);
  }

  private static byte[] element(int tag, byte[]... parts) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      content.writeBytes(part);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(tag);
    int length = content.size();
    if (length < 0x80) {
      out.write(length);
    } else if (length < 0x100) {
      out.write(0x81);
      out.write(length);
    } else {
      out.write(0x82);
      out.write(length >> 8);
      out.write(length);
    }
    out.writeBytes(content.toByteArray());
    return out.toByteArray();
  }
}
