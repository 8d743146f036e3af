package io.apiserverupdater.updater.kube.api;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
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

  public static ApiCall get(String path) {
    return new ApiCall("GET", path, Map.of(), Optional.empty());
  }

  public static ApiCall post(String path, String body) {
    return new ApiCall("POST", path, Map.of(), Optional.of(body));
  }

  public static ApiCall put(String path, String body) {
    return new ApiCall("PUT", path, Map.of(), Optional.of(body));
  }

  /**
   * Changes some fields of an object.
   *
   * @param body a JSON merge patch (RFC 7386)
   */
  public static ApiCall patch(String path, String body) {
    return new ApiCall("PATCH", path, Map.of(), Optional.of(body));
  }

  public static ApiCall delete(String path, String body) {
    return new ApiCall("DELETE", path, Map.of(), Optional.of(body));
  }

  /** Whether it changes nothing. */
  boolean isRead() {
    return method.equals("GET");
  }

  /** Whether a pod answers it: then its status says nothing of the apiserver that passes it on. */
  boolean isProxied() {
    return path.contains("/proxy/");
  }

  /** Whether it renews the Lease, which happens all the time and costs nobody a wait. */
  boolean isRenewal() {
    return method.equals("PUT") && path.contains("/leases/");
  }

  /** Of the body. */
  String contentType() {
    return method.equals("PATCH") ? "application/merge-patch+json" : "application/json";
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
    return URLEncoder.encode(text, StandardCharsets.UTF_8)
        .replace("+", "%20")
        .replace("*", "%2A")
        .replace("%7E", "~")
        .replace("%2F", "/");
  }

  /** This call with one more parameter. */
  public ApiCall with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(query);
    more.put(name, value);
    return new ApiCall(method, path, more, body);
  }
}
