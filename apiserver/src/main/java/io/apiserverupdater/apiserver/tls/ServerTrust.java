package io.apiserverupdater.apiserver.tls;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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

    private static final String IN_KUBECONFIG = "certificate-authority-data:";

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
      int at = clusterInfo.indexOf(IN_KUBECONFIG);
      while (at >= 0) {
        for (X509Certificate certificate : certificates(clusterInfo, at + IN_KUBECONFIG.length())) {
          if (isPinned(certificate)) {
            found = true;
            if (!known.contains(certificate) && known.size() < MAX_LEARNED) {
              known.add(certificate);
            }
          }
        }
        at = clusterInfo.indexOf(IN_KUBECONFIG, at + 1);
      }
      learned = List.copyOf(known);
      return found;
    }

    /** PEM in base64, up to whatever is not base64 any more. */
    private static List<X509Certificate> certificates(String text, int from) {
      int start = from;
      while (start < text.length() && text.charAt(start) == ' ') {
        start++;
      }
      int end = start;
      while (end < text.length() && isBase64(text.charAt(end))) {
        end++;
      }
      try {
        return Pem.certificates(
            Base64.getDecoder()
                .decode(text.substring(start, end).getBytes(StandardCharsets.US_ASCII)));
      } catch (GeneralSecurityException | IllegalArgumentException e) {
        return List.of();
      }
    }

    private static boolean isBase64(char c) {
      return (c >= 'A' && c <= 'Z')
          || (c >= 'a' && c <= 'z')
          || (c >= '0' && c <= '9')
          || c == '+'
          || c == '/'
          || c == '=';
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
