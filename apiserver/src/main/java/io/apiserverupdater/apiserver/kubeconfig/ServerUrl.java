package io.apiserverupdater.apiserver.kubeconfig;

import io.apiserverupdater.apiserver.address.IpAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the server of a kubeconfig is. Not a {@link java.net.URI}: that knows no host with an
 * underscore, which kubectl takes.
 *
 * @param host a name or an IP address, IPv6 without brackets
 * @param path empty, or a path without a slash at its end, as behind some proxies
 */
public record ServerUrl(String host, int port, String path) {
  private static final String LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
  private static final Pattern NAME = Pattern.compile(LABEL + "(?:\\." + LABEL + ")*\\.?");
  private static final Pattern FORM =
      Pattern.compile(
          "([A-Za-z0-9]+)://"
              + "(?:((?:[\\w.~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})*)@)?"
              + "([\\w.-]+|\\[[0-9a-fA-F:.]+])(?::([0-9]{1,5})?)?"
              + "((?:/(?:[\\w.~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})*)*)");

  /** Far longer ones would be too much for the pattern. */
  private static final int MAX_URL = 2_000;

  private static final int MAX_HOST = 253;
  private static final int MAX_PORT = 65_535;

  /**
   * A URL taken apart.
   *
   * @param scheme in lower case
   * @param userInfo as it stands; empty when there is none
   * @param port 0 when there is none
   */
  record Parts(String scheme, String userInfo, String host, int port, String path) {}

  static Optional<Parts> parse(String text) {
    Matcher form = FORM.matcher(text);
    if (text.length() > MAX_URL || !form.matches()) {
      return Optional.empty();
    }
    String host = form.group(3).replaceAll("^\\[|]$", "");
    boolean bracketed = host.length() < form.group(3).length();
    String port = Optional.ofNullable(form.group(4)).orElse("");
    int number = port.isEmpty() ? 0 : Integer.parseInt(port);
    if (!isHost(host)
        || bracketed != host.contains(":")
        || number > MAX_PORT
        || (number == 0 && !port.isEmpty())) {
      return Optional.empty();
    }
    return Optional.of(
        new Parts(
            form.group(1).toLowerCase(Locale.ROOT),
            Optional.ofNullable(form.group(2)).orElse(""),
            host,
            number,
            form.group(5).replaceAll("/+", "/").replaceAll("/$", "")));
  }

  /** Whether it is a host name, underscores and a dot at its end included, or an IP address. */
  static boolean isHost(String text) {
    return (text.length() <= MAX_HOST && NAME.matcher(text).matches())
        || IpAddress.parse(text).isPresent();
  }

  @Override
  public String toString() {
    return "https://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port + path;
  }
}
