package io.apiserverupdater.apiserver.address;

import java.util.regex.Pattern;

/** What may be the name of a host, or of an object in Kubernetes: RFC 1123, section 2.1. */
public final class DnsName {
  private static final int MAX_NAME = 253;
  private static final String LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  private static final Pattern LOWER_CASE = Pattern.compile(LABEL + "(?:\\." + LABEL + ")*");
  private static final Pattern ANY_CASE =
      Pattern.compile(LOWER_CASE.pattern(), Pattern.CASE_INSENSITIVE);

  private DnsName() {}

  /**
   * Whether a text is labels of letters, digits and hyphens between dots, which do not begin or end
   * with a hyphen. An IPv4 address is one.
   */
  public static boolean isName(String text) {
    return text.length() <= MAX_NAME && ANY_CASE.matcher(text).matches();
  }

  /** As {@link #isName}, in lower case, as Kubernetes has it for names. */
  public static boolean isLowerCaseName(String text) {
    return text.length() <= MAX_NAME && LOWER_CASE.matcher(text).matches();
  }
}
