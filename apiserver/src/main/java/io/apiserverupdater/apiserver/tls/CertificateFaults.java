package io.apiserverupdater.apiserver.tls;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Says what is wrong with a server's certificate that has been refused: all of it, in terms of the
 * cluster. The JDK names only the first fault, in its own terms.
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
   * @param name the name it must be made for; empty when none was asked for
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
      validity(certificate, certificate.equals(chain.get(0)), now).ifPresent(faults::add);
    }
    if (name.isPresent() && !isMadeFor(chain.get(0), name.get())) {
      faults.add("it is not made for \"" + name.get() + "\", but for " + listOfNames(chain.get(0)));
    }
    authority(chain, trusted).ifPresent(faults::add);
    return faults.isEmpty() ? innermost(refusal) : String.join("; ", faults);
  }

  private static Optional<String> validity(X509Certificate certificate, boolean own, Instant now) {
    String which = own ? "it" : "its authority's certificate \"" + subject(certificate) + "\"";
    Instant from = certificate.getNotBefore().toInstant();
    Instant until = certificate.getNotAfter().toInstant();
    if (now.isAfter(until)) {
      return Optional.of(
          which + " expired on " + seconds(until) + ", " + length(until, now) + " ago");
    }
    if (now.isBefore(from)) {
      return Optional.of(
          which
              + " is valid only from "
              + seconds(from)
              + ", in "
              + length(now, from)
              + "; is this host's clock right? It says "
              + seconds(now));
    }
    return Optional.empty();
  }

  private static Instant seconds(Instant instant) {
    return instant.truncatedTo(ChronoUnit.SECONDS);
  }

  private static String length(Instant from, Instant to) {
    Duration length = Duration.between(from, to);
    if (length.toDays() > 1) {
      return length.toDays() + " days";
    }
    return length.toHours() > 1 ? length.toHours() + " hours" : length.toMinutes() + " minutes";
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
    for (X509Certificate authority : trusted) {
      if (authority.getSubjectX500Principal().equals(last.getIssuerX500Principal())) {
        return Optional.of(
            "it is signed by another authority of the same name \""
                + issuer
                + "\" than the trusted one: was the cluster, or its authority, made anew?");
      }
    }
    return Optional.of(
        "it is signed by \"" + issuer + "\", which is not trusted; trusted: " + subjects(trusted));
  }

  private static boolean isSignedBy(X509Certificate certificate, X509Certificate authority) {
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
   * The names that a certificate is made for: DNS names as they stand, IP addresses as the JDK
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

  /** As RFC 6125 compares DNS names, a wildcard for the whole first label included. */
  public static boolean isMadeFor(X509Certificate certificate, String name) {
    String wanted = name.toLowerCase(Locale.ROOT);
    int dot = wanted.indexOf('.');
    String wildcard = dot > 0 ? "*" + wanted.substring(dot) : wanted;
    for (String made : names(certificate)) {
      String lower = made.toLowerCase(Locale.ROOT);
      if (lower.equals(wanted) || lower.equals(wildcard) || sameAddress(lower, wanted)) {
        return true;
      }
    }
    return false;
  }

  private static String listOfNames(X509Certificate certificate) {
    List<String> names = names(certificate);
    if (names.isEmpty()) {
      return "no name at all";
    }
    return names.size() <= MAX_NAMES
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, MAX_NAMES))
            + " and "
            + (names.size() - MAX_NAMES)
            + " more";
  }

  private static String innermost(Throwable thrown) {
    Throwable cause = thrown;
    for (int depth = 0; cause.getCause() != null && depth < 20; depth++) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  /** Two ways to write one IPv6 address; a text with a colon is never looked up. */
  private static boolean sameAddress(String one, String other) {
    if (one.indexOf(':') < 0 || other.indexOf(':') < 0) {
      return false;
    }
    try {
      return InetAddress.getByName(one).equals(InetAddress.getByName(other));
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
