package io.apiserverupdater.updater.kube;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A request to the API.
 *
 * @param path from the server's root, for example {@code /api/v1/namespaces/default/endpoints}
 * @param body JSON
 */
record ApiCall(String method, String path, Map<String, String> query, Optional<String> body) {

  static ApiCall get(String path) {
    return new ApiCall("GET", path, Map.of(), Optional.empty());
  }

  static ApiCall post(String path, String body) {
    return new ApiCall("POST", path, Map.of(), Optional.of(body));
  }

  static ApiCall put(String path, String body) {
    return new ApiCall("PUT", path, Map.of(), Optional.of(body));
  }

  static ApiCall delete(String path, String body) {
    return new ApiCall("DELETE", path, Map.of(), Optional.of(body));
  }

  /** This call with one more parameter. */
  ApiCall with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(query);
    more.put(name, value);
    return new ApiCall(method, path, more, body);
  }
}
