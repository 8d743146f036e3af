package io.apiserverupdater.apiserver.tls;

import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How a server must prove its identity. */
public sealed interface ServerTrust {

  /** The server's chain, its validity and its name are checked. */
  sealed interface Verified extends ServerTrust {}

  /** These authorities and no others. */
  record Authorities(List<X509Certificate> certificates) implements Verified {
    public Authorities {
      certificates = List.copyOf(certificates);
    }
  }

  /**
   * Authorities known by the hashes of their public keys, as for {@code kubeadm join}.
   *
   * <p>A hash verifies no signature: the authority's certificate is needed as well. It is taken
   * from the chain that the server shows. An apiserver that kubeadm set up shows only its own
   * certificate; then the authority's is {@linkplain #learn learned} from the ConfigMap
   * kube-public/cluster-info, where {@code kubeadm join} finds it too. Either source may lie: a
   * certificate with another key is not believed, and with the right key only its owner can have
   * signed. For use by several threads.
   */
  final class PinnedAuthorities implements Verified {
    /** There is one, and two while it is being replaced; the rest would be an attack on memory. */
    private static final int MAX_LEARNED = 16;

    /** PEM in base64. */
    private static final Pattern IN_KUBECONFIG =
        Pattern.compile("certificate-authority-data: *([A-Za-z0-9+/=]*+)");

    private final Set<PublicKeyHash> hashes;
    private volatile List<X509Certificate> learned = List.of();

    private PinnedAuthorities(Set<PublicKeyHash> hashes) {
      this.hashes = Set.copyOf(hashes);
    }

    /** Whether it is an authority's certificate with a pinned key. */
    boolean isPinned(X509Certificate certificate) {
      return certificate.getBasicConstraints() >= 0
          && hashes.contains(PublicKeyHash.of(certificate));
    }

    List<X509Certificate> learned() {
      return learned;
    }

    /**
     * Looks for authorities with a pinned key in the text of a cluster-info ConfigMap; all else in
     * it is ignored.
     *
     * @return whether there is one
     */
    public synchronized boolean learn(String clusterInfo) {
      List<X509Certificate> known = new ArrayList<>(learned);
      boolean found = false;
      Matcher matcher = IN_KUBECONFIG.matcher(clusterInfo);
      while (matcher.find()) {
        for (X509Certificate certificate : certificates(matcher.group(1))) {
          if (isPinned(certificate)) {
            found = true;
            if (!known.contains(certificate) && known.size() < MAX_LEARNED) {
              known.add(certificate);
            }
          }
        }
      }
      learned = List.copyOf(known);
      return found;
    }

    private static List<X509Certificate> certificates(String base64) {
      try {
        return Pem.certificates(Base64.getDecoder().decode(base64));
      } catch (GeneralSecurityException | IllegalArgumentException e) {
        return List.of();
      }
    }

    @Override
    public String toString() {
      return "PinnedAuthorities" + hashes;
    }
  }

  /** The authorities that the Java runtime knows. */
  record RuntimeAuthorities() implements Verified {}

  /** Anybody may answer in the server's place: no secret may be sent to it. */
  record Unverified() implements ServerTrust {}

  /**
   * Trusts the certificates of a PEM text.
   *
   * @throws GeneralSecurityException when one cannot be read, or there is none
   */
  static Verified authorities(byte[] pem) throws GeneralSecurityException {
    return new Authorities(Pem.certificates(pem));
  }

  /**
   * Trusts authorities by the hashes of their public keys.
   *
   * @throws GeneralSecurityException when there is none, or one of them is not a hash; names all
   */
  static Verified pinned(List<String> hashes) throws GeneralSecurityException {
    Set<PublicKeyHash> pins = new HashSet<>();
    List<String> wrong = new ArrayList<>();
    for (String text : hashes) {
      Optional<PublicKeyHash> hash = PublicKeyHash.parse(text);
      hash.ifPresentOrElse(pins::add, () -> wrong.add("\"" + text + "\""));
    }
    if (!wrong.isEmpty() || pins.isEmpty()) {
      throw new GeneralSecurityException(
          "expected sha256: and 64 hexadecimal digits, found "
              + (wrong.isEmpty() ? "nothing" : String.join(", ", wrong)));
    }
    return new PinnedAuthorities(pins);
  }
}
