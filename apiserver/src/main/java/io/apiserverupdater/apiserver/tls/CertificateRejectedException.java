package io.apiserverupdater.apiserver.tls;

import java.security.cert.CertificateException;

/** A server's certificate does not prove that it is the one we asked for. */
public final class CertificateRejectedException extends CertificateException {
  private final boolean authorityNotShown;

  CertificateRejectedException(String detail, boolean authorityNotShown) {
    super(detail);
    this.authorityNotShown = authorityNotShown;
  }

  /** All that is wrong with it, for a person. */
  public String detail() {
    return String.valueOf(getMessage());
  }

  /** Whether it was not judged, because the pinned authority's certificate is not known. */
  public boolean authorityNotShown() {
    return authorityNotShown;
  }
}
