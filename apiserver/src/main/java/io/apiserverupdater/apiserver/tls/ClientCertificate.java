package io.apiserverupdater.apiserver.tls;

/**
 * A certificate chain, its own first, and its private key, as PEM texts; both may be the same text.
 * The kubelet keeps both in one file.
 */
public record ClientCertificate(String chain, String key) {

  /** The key stays out of logs. */
  @Override
  public String toString() {
    return "ClientCertificate[…]";
  }
}
