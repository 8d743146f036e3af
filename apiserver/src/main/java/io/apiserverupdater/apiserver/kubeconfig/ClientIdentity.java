package io.apiserverupdater.apiserver.kubeconfig;

import io.apiserverupdater.apiserver.tls.ClientCertificate;
import java.util.Optional;

/**
 * Our identity at the apiserver.
 *
 * @param token a bearer token
 * @param certificate a client certificate
 */
public record ClientIdentity(Optional<String> token, Optional<ClientCertificate> certificate) {

  /** Nobody: only what is open to anonymous can be read. */
  public static final ClientIdentity ANONYMOUS =
      new ClientIdentity(Optional.empty(), Optional.empty());

  /** Whether a token can stand in a header (RFC 6750, section 2.1). */
  public static boolean fitsHeader(String token) {
    return token.chars().allMatch(c -> c > ' ' && c < 127);
  }

  public static ClientIdentity ofToken(String token) {
    return new ClientIdentity(Optional.of(token), Optional.empty());
  }

  /** Secrets stay out of logs. */
  @Override
  public String toString() {
    return "ClientIdentity[…]";
  }
}
