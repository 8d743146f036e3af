package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.ApiserverProbe;
import io.apiserverupdater.apiserver.probe.HttpsReadyzProbe;
import io.apiserverupdater.apiserver.tls.Pem;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.bootstrap.api.CredentialProbe;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Trust;
import io.apiserverupdater.bootstrap.log.Log;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;

/** The probe of apiservers under the name, with the configured trust. */
final class VerifiedProbe {
  /**
   * A slow credential plugin can delay the kubelet by this, and by one more question. Longer than a
   * question of the search may last.
   */
  static final Duration PATIENCE = Duration.ofSeconds(10);

  private VerifiedProbe() {}

  /**
   * Probes as the kubelet will dial, each server once.
   *
   * @throws IOException with a message for a person, when it cannot be told whom to trust
   */
  static ApiserverProbe once(BootstrapConfig config, Log log) throws IOException {
    return of(config, log, Duration.ZERO);
  }

  /**
   * Probes as the kubelet will dial, again and again.
   *
   * @throws IOException with a message for a person, when it cannot be told whom to trust
   */
  static ApiserverProbe repeated(BootstrapConfig config, Log log) throws IOException {
    return of(config, log, PATIENCE);
  }

  private static ApiserverProbe of(BootstrapConfig config, Log log, Duration patience)
      throws IOException {
    try {
      ServerTrust trust = trust(config, log);
      ApiserverProbe anonymous =
          new HttpsReadyzProbe(ApiserverClient.anonymous(config.hostname(), trust));
      return trust instanceof ServerTrust.Verified verified
          ? new CredentialProbe(
              anonymous, config.hostname(), verified, config.kubeconfig(), patience, log::warn)
          : anonymous;
    } catch (GeneralSecurityException e) {
      throw new IOException(
          "cannot use the CA: "
              + e.getMessage()
              + "; expected certificates in PEM in --ca-file, or --ca-cert-hash sha256:HEX",
          e);
    }
  }

  /**
   * The certificates of a CA file.
   *
   * @throws IOException with a message for a person, which names the file
   */
  static List<X509Certificate> authorities(Path file) throws IOException {
    try {
      return Pem.certificates(Files.readAllBytes(file));
    } catch (IOException | GeneralSecurityException e) {
      throw new IOException("cannot load the CA from " + file + ": " + e.getMessage(), e);
    }
  }

  private static ServerTrust trust(BootstrapConfig config, Log log)
      throws IOException, GeneralSecurityException {
    if (config.trust().isEmpty()) {
      throw new IOException("no CA is configured; use --ca-file or --ca-cert-hash");
    }
    Trust trust = config.trust().get();
    if (trust instanceof Trust.Authority authority) {
      return new ServerTrust.Authorities(authorities(authority.file()));
    }
    if (trust instanceof Trust.AuthorityHashes pinned) {
      return ServerTrust.pinned(pinned.hashes());
    }
    log.warn(
        "insecure-skip-tls-verify=true: certificates are not verified, so an attacker on the"
            + " network can take over this node; use --ca-file or --ca-cert-hash instead");
    return new ServerTrust.Unverified();
  }
}
