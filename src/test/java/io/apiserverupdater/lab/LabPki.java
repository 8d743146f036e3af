package io.apiserverupdater.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import okhttp3.tls.HeldCertificate;

/**
 * The keys of a lab: the cluster's CA, one serving certificate per apiserver, and the key that
 * signs service account tokens. Everything is an elliptic-curve key, as a careful cluster has it.
 *
 * @param ca the CA that signs the apiservers and that they accept for client certificates
 */
public record LabPki(Path folder, HeldCertificate ca) {
  /** The names by which clients know the control plane, whichever apiserver answers. */
  static final List<String> SHARED_NAMES =
      List.of(
          "kubernetes",
          "kubernetes.default",
          "kubernetes.default.svc",
          "kubernetes.default.svc.cluster.local",
          "apiserver.cluster.local",
          "10.96.0.1",
          "10.96.0.64");

  private static final Duration VALIDITY = Duration.ofDays(365);

  /** Makes a CA and a service account key and writes them into {@code folder}. */
  static LabPki create(Path folder) {
    HeldCertificate ca =
        new HeldCertificate.Builder()
            .commonName("lab-ca")
            .certificateAuthority(1)
            .duration(VALIDITY.toSeconds(), TimeUnit.SECONDS)
            .build();
    LabPki pki = new LabPki(folder, ca);
    pki.write("ca.crt", ca.certificatePem());
    pki.write("ca.key", ca.privateKeyPkcs8Pem());
    HeldCertificate accounts = new HeldCertificate.Builder().commonName("accounts").build();
    pki.write("service-account.key", accounts.privateKeyPkcs8Pem());
    pki.write(
        "service-account.pub",
        "-----BEGIN PUBLIC KEY-----\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(accounts.keyPair().getPublic().getEncoded())
            + "\n-----END PUBLIC KEY-----\n");
    return pki;
  }

  public Path caFile() {
    return folder.resolve("ca.crt");
  }

  /** Of the CA, in PKCS#8. */
  public Path caKey() {
    return folder.resolve("ca.key");
  }

  Path serviceAccountKey() {
    return folder.resolve("service-account.key");
  }

  Path serviceAccountPublicKey() {
    return folder.resolve("service-account.pub");
  }

  /** Certificate and key, as files. */
  record ServingFiles(Path certificate, Path key) {}

  /**
   * A serving certificate whose common name is the host's name, so that a client can tell which
   * apiserver answered, good for the shared names and for this host's address only.
   */
  ServingFiles serving(String host, String address) {
    return serving(host, address, VALIDITY);
  }

  /** The same, good for so long. */
  ServingFiles serving(String host, String address, Duration validity) {
    HeldCertificate.Builder builder =
        new HeldCertificate.Builder()
            .commonName(host)
            .addSubjectAlternativeName(host)
            .addSubjectAlternativeName(address)
            .duration(validity.toSeconds(), TimeUnit.SECONDS)
            .signedBy(ca);
    SHARED_NAMES.forEach(builder::addSubjectAlternativeName);
    // An apiserver loads a certificate that changes under it.
    return keep(host + "-" + validity.toDays() + "d", builder.build());
  }

  /** A client certificate for a user without groups. */
  public HeldCertificate client(String user) {
    return new HeldCertificate.Builder()
        .commonName(user)
        .duration(VALIDITY.toSeconds(), TimeUnit.SECONDS)
        .signedBy(ca)
        .build();
  }

  private ServingFiles keep(String name, HeldCertificate held) {
    return new ServingFiles(
        write(name + ".crt", held.certificatePem()),
        write(name + ".key", held.privateKeyPkcs8Pem()));
  }

  private Path write(String name, String text) {
    return LabException.wrap(
        "cannot write " + name + " into " + folder,
        () -> Files.writeString(folder.resolve(name), text));
  }
}
