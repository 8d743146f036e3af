package io.apiserverupdater.apiserver.kubeconfig;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;

/**
 * The proxy to go through.
 *
 * @param address {@link Proxy#NO_PROXY} for none
 * @param authorization what the header Proxy-Authorization says (RFC 9110, section 11.7.2)
 */
public record ProxyServer(Proxy address, Optional<String> authorization) {
  public static final ProxyServer NONE = new ProxyServer(Proxy.NO_PROXY, Optional.empty());

  /** What {@link #parse} takes, for messages. */
  static final String EXPECTED =
      "expected http://[USER:PASSWORD@]HOST[:PORT] or socks5://HOST[:PORT]; no proxy is used over"
          + " TLS, so use the http:// port of one that has https:// too";

  /** The proxy that a URL names; empty when it names none that we can use. */
  static Optional<ProxyServer> parse(String text) {
    return ServerUrl.parse(text).flatMap(ProxyServer::of);
  }

  private static Optional<ProxyServer> of(ServerUrl.Parts url) {
    boolean http = url.scheme().equals("http");
    // Both names are one to Go: the proxy looks names up. For a SOCKS proxy the Java runtime
    // takes a password for the whole process only.
    boolean socks = Set.of("socks5", "socks5h").contains(url.scheme());
    if (!http && !(socks && url.userInfo().isEmpty())) {
      return Optional.empty();
    }
    int port = url.port() != 0 ? url.port() : http ? 80 : 1080;
    return Optional.of(
        new ProxyServer(
            new Proxy(
                http ? Proxy.Type.HTTP : Proxy.Type.SOCKS,
                InetSocketAddress.createUnresolved(url.host(), port)),
            url.userInfo().isEmpty() ? Optional.empty() : Optional.of(basic(url.userInfo()))));
  }

  private static String basic(String userInfo) {
    int colon = userInfo.indexOf(':');
    String user = colon < 0 ? userInfo : userInfo.substring(0, colon);
    String password = colon < 0 ? "" : userInfo.substring(colon + 1);
    String both = decoded(user) + ":" + decoded(password);
    return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
  }

  private static String decoded(String text) {
    // In this place of a URL a plus is one.
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** A URL for messages: without user and password. */
  static String quoted(String url) {
    return Entry.quoted(url.replaceFirst("(?s)//.*@", "//…@"));
  }

  /** Secrets stay out of logs. */
  @Override
  public String toString() {
    return address.toString();
  }
}
