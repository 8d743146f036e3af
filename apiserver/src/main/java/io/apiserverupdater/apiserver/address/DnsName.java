package io.apiserverupdater.apiserver.address;

/** What may be the name of a host, or of an object in Kubernetes: RFC 1123, section 2.1. */
public final class DnsName {
  private static final int MAX_NAME = 253;
  private static final int MAX_LABEL = 63;

  private DnsName() {}

  /**
   * Whether a text is labels of letters, digits and hyphens between dots, which do not begin or end
   * with a hyphen. An IPv4 address is one.
   */
  public static boolean isName(String text) {
    if (text.isEmpty() || text.length() > MAX_NAME) {
      return false;
    }
    int label = 0;
    for (int i = 0; i <= text.length(); i++) {
      char c = i < text.length() ? text.charAt(i) : '.';
      if (c == '.') {
        if (label == 0 || label > MAX_LABEL || text.charAt(i - 1) == '-') {
          return false;
        }
        label = 0;
      } else if (isLower(c) || (c >= 'A' && c <= 'Z') || (c == '-' && label > 0)) {
        label++;
      } else {
        return false;
      }
    }
    return true;
  }

  /** As {@link #isName}, in lower case, as Kubernetes has it for names. */
  public static boolean isLowerCaseName(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 'A' && c <= 'Z') {
        return false;
      }
    }
    return isName(text);
  }

  private static boolean isLower(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  }
}
