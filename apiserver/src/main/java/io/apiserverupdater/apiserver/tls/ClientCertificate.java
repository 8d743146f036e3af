package io.apiserverupdater.apiserver.tls;

import java.nio.charset.StandardCharsets;

/**
 * A certificate chain, its own first, and its private key, as PEM texts; both may be the same text.
 * The kubelet keeps both in one file.
 */
public record ClientCertificate(String chain, String key) {

  /** From one file that holds both. */
  public static ClientCertificate of(byte[] chainAndKey) {
    String text = new String(chainAndKey, StandardCharsets.US_ASCII);
    return new ClientCertificate(text, text);
  }

  /** The key stays out of logs. */
  @Override
  public String toString() {
    return "ClientCertificate[…]";
  }
}
