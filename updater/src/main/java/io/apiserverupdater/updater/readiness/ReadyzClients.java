package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.apiserver.probe.HttpsReadyzProbe;
import java.io.IOException;
import java.security.GeneralSecurityException;

/**
 * What to ask with. Whom to trust and who we are may change while we run, so both are asked for
 * before each new connection. Thread-safe.
 */
public interface ReadyzClients {

  /**
   * Asks without saying who we are.
   *
   * @throws IOException when the certificate authority cannot be read
   * @throws GeneralSecurityException when it is none
   */
  HttpsReadyzProbe anonymous() throws IOException, GeneralSecurityException;

  /**
   * Asks with our credentials, of servers that have proved who they are.
   *
   * @throws IOException when a file cannot be read or a credential plugin fails
   * @throws GeneralSecurityException when a certificate or key is none
   */
  HttpsReadyzProbe authenticated() throws IOException, GeneralSecurityException;
}
