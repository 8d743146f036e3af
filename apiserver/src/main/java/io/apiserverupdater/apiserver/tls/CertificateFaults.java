package io.apiserverupdater.apiserver.tls;

import io.apiserverupdater.apiserver.address.IpAddress;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Says what is wrong with a server's certificate that has been refused: all of it, in the words of
 * Go's crypto/x509, which the kubelet and kubectl log too. The JDK names only the first fault.
 */
public final class CertificateFaults {
  private static final int DNS_NAME = 2;
  private static final int IP_ADDRESS = 7;
  private static final int MAX_NAMES = 20;
  private static final int MAX_AUTHORITIES = 3;

  private CertificateFaults() {}

  /**
   * All faults in one sentence part.
   *
   * @param chain as the server showed it, its own certificate first
   * @param name the name it must be valid for; empty when none was asked for
   * @param trusted the authorities
   * @param refusal the JDK's, told when no fault is found here
   */
  static String explain(
      List<X509Certificate> chain,
      Optional<String> name,
      Collection<X509Certificate> trusted,
      Instant now,
      CertificateException refusal) {
    List<String> faults = new ArrayList<>();
    for (X509Certificate certificate : chain) {
      boolean own = certificate.equals(chain.get(0));
      String whose = own ? "" : " (the authority's, \"" + subject(certificate) + "\")";
      validity(certificate, now).ifPresent(fault -> faults.add(fault + whose));
    }
    name.flatMap(wanted -> wrongName(names(chain.get(0)), wanted)).ifPresent(faults::add);
    authority(chain, trusted).ifPresent(faults::add);
    return faults.isEmpty() ? innermost(refusal) : String.join("; ", faults);
  }

  private static Optional<String> validity(X509Certificate certificate, Instant now) {
    String fault =
        "certificate has expired or is not yet valid: current time "
            + now.truncatedTo(ChronoUnit.SECONDS);
    Instant until = certificate.getNotAfter().toInstant();
    if (now.isAfter(until)) {
      return Optional.of(fault + " is after " + until);
    }
    Instant from = certificate.getNotBefore().toInstant();
    return now.isBefore(from) ? Optional.of(fault + " is before " + from) : Optional.empty();
  }

  /**
   * Which names a certificate is valid for, when the wanted one is not among them. Compares as RFC
   * 6125 does, a wildcard for the whole first label included.
   */
  public static Optional<String> wrongName(List<String> names, String wanted) {
    int dot = wanted.indexOf('.');
    String wildcard = dot > 0 ? "*" + wanted.substring(dot) : wanted;
    for (String name : names) {
      if (name.equalsIgnoreCase(wanted)
          || name.equalsIgnoreCase(wildcard)
          || IpAddress.isSame(name, wanted)) {
        return Optional.empty();
      }
    }
    if (names.isEmpty()) {
      return Optional.of("certificate is not valid for any names, but wanted to match " + wanted);
    }
    return Optional.of(
        names.size() > MAX_NAMES
            ? "certificate is valid for " + names.size() + " names, but none matched " + wanted
            : "certificate is valid for " + String.join(", ", names) + ", not " + wanted);
  }

  private static Optional<String> authority(
      List<X509Certificate> chain, Collection<X509Certificate> trusted) {
    for (X509Certificate shown : chain) {
      for (X509Certificate authority : trusted) {
        if (shown.equals(authority) || isSignedBy(shown, authority)) {
          return Optional.empty();
        }
      }
    }
    X509Certificate last = chain.get(chain.size() - 1);
    String issuer = last.getIssuerX500Principal().getName();
    String told = "trusted: " + subjects(trusted);
    for (X509Certificate authority : trusted) {
      if (authority.getSubjectX500Principal().equals(last.getIssuerX500Principal())) {
        told = "as the trusted one is called, but with another key: was the CA replaced?";
      }
    }
    return Optional.of(
        "certificate signed by unknown authority (\"" + issuer + "\"; " + told + ")");
  }

  /** Whether the authority's key signed it, however long ago the authority expired. */
  public static boolean isSignedBy(X509Certificate certificate, X509Certificate authority) {
    if (!certificate.getIssuerX500Principal().equals(authority.getSubjectX500Principal())) {
      return false;
    }
    try {
      certificate.verify(authority.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static String subjects(Collection<X509Certificate> certificates) {
    if (certificates.size() > MAX_AUTHORITIES) {
      return certificates.size() + " others";
    }
    List<String> subjects = new ArrayList<>();
    for (X509Certificate certificate : certificates) {
      subjects.add("\"" + subject(certificate) + "\"");
    }
    return String.join(", ", subjects);
  }

  private static String subject(X509Certificate certificate) {
    return certificate.getSubjectX500Principal().getName();
  }

  /**
   * The names that a certificate is valid for: DNS names as they stand, IP addresses as the JDK
   * writes them. Empty when they cannot be read.
   */
  public static List<String> names(X509Certificate certificate) {
    List<String> names = new ArrayList<>();
    try {
      Collection<List<?>> entries = certificate.getSubjectAlternativeNames();
      if (entries != null) {
        for (List<?> entry : entries) {
          if ((entry.get(0) instanceof Integer type)
              && (type == DNS_NAME || type == IP_ADDRESS)
              && entry.get(1) instanceof String text) {
            names.add(text);
          }
        }
      }
    } catch (CertificateParsingException e) {
      return List.of();
    }
    return names;
  }

  private static String innermost(Throwable thrown) {
    Throwable cause = thrown;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }
}
