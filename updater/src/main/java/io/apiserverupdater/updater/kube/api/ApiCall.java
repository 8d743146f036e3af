package io.apiserverupdater.updater.kube.api;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A request to the API.
 *
 * @param path from the server's root, for example {@code /api/v1/namespaces/default/endpoints}
 * @param body JSON
 */
public record ApiCall(
    String method, String path, Map<String, String> query, Optional<String> body) {
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  public static ApiCall get(String path) {
    return new ApiCall("GET", path, Map.of(), Optional.empty());
  }

  public static ApiCall post(String path, String body) {
    return new ApiCall("POST", path, Map.of(), Optional.of(body));
  }

  public static ApiCall put(String path, String body) {
    return new ApiCall("PUT", path, Map.of(), Optional.of(body));
  }

  public static ApiCall delete(String path, String body) {
    return new ApiCall("DELETE", path, Map.of(), Optional.of(body));
  }

  /** Path and query, percent-encoded (RFC 3986). */
  String target() {
    StringBuilder target = new StringBuilder(128).append(encoded(path));
    char before = '?';
    for (Map.Entry<String, String> parameter : query.entrySet()) {
      target.append(before).append(encoded(parameter.getKey()));
      target.append('=').append(encoded(parameter.getValue()));
      before = '&';
    }
    return target.toString();
  }

  /** All but the unreserved characters, and the slash, which a query may hold as well. */
  private static String encoded(String text) {
    int plain = 0;
    while (plain < text.length() && isPlain(text.charAt(plain))) {
      plain++;
    }
    if (plain == text.length()) {
      return text;
    }
    StringBuilder encoded = new StringBuilder(text.length() + 16);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xFF);
      if (isPlain(c)) {
        encoded.append(c);
      } else {
        encoded.append('%').append(HEX.toHexDigits(b));
      }
    }
    return encoded.toString();
  }

  private static boolean isPlain(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '-'
        || c == '.'
        || c == '_'
        || c == '~'
        || c == '/';
  }

  /** This call with one more parameter. */
  public ApiCall with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(query);
    more.put(name, value);
    return new ApiCall(method, path, more, body);
  }
}
