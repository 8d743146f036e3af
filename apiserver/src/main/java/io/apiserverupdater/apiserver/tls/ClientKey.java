package io.apiserverupdater.apiserver.tls;

import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Shows one certificate to every server that asks for one. The JDK's own key manager wants a
 * KeyStore, and that would encrypt the key with many thousand rounds of a hash first: time that a
 * node waits at boot.
 */
final class ClientKey extends X509ExtendedKeyManager {
  private static final String ALIAS = "client";

  private final X509Certificate[] chain;
  private final PrivateKey key;

  private ClientKey(List<X509Certificate> chain, PrivateKey key) {
    this.chain = chain.toArray(X509Certificate[]::new);
    this.key = key;
  }

  /**
   * @throws GeneralSecurityException when a text cannot be read; the message says which one
   */
  static ClientKey of(ClientCertificate certificate) throws GeneralSecurityException {
    List<X509Certificate> chain;
    try {
      chain = Pem.certificates(bytes(certificate.chain()));
    } catch (GeneralSecurityException e) {
      throw new GeneralSecurityException("client certificate: " + e.getMessage(), e);
    }
    PrivateKey key;
    try {
      key = Pem.privateKey(bytes(certificate.key()));
    } catch (GeneralSecurityException e) {
      throw new GeneralSecurityException("client key: " + e.getMessage(), e);
    }
    if (!belongs(key, chain.get(0).getPublicKey())) {
      throw new GeneralSecurityException(
          "client key: it does not belong to the client certificate; were both renewed?");
    }
    return new ClientKey(chain, key);
  }

  /** Else a server would only say that the handshake failed. */
  private static boolean belongs(PrivateKey key, PublicKey certified) {
    try {
      String algorithm =
          switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> key.getAlgorithm();
          };
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      byte[] signed = signature.sign();
      signature.initVerify(certified);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static byte[] bytes(String pem) {
    return pem.getBytes(StandardCharsets.UTF_8);
  }

  private boolean fits(String keyType) {
    return keyType.equals(key.getAlgorithm())
        // The JDK asks for Ed25519 and Ed448 by one name, and so names the key.
        || keyType.equals(chain[0].getPublicKey().getAlgorithm());
  }

  @Override
  public @Nullable String chooseClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
    for (String keyType : keyTypes) {
      if (fits(keyType)) {
        return ALIAS;
      }
    }
    return null;
  }

  @Override
  public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
    return fits(keyType) ? new String[] {ALIAS} : null;
  }

  @Override
  public X509Certificate[] getCertificateChain(String alias) {
    return chain.clone();
  }

  @Override
  public PrivateKey getPrivateKey(String alias) {
    return key;
  }

  @Override
  public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
    return null;
  }

  @Override
  public @Nullable String chooseServerAlias(
      String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
    return null;
  }
}
