package io.apiserverupdater.sandbox;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A request that an apiserver passes on to a pod, by HTTP to {@code status.podIP}. Other than the
 * real one, it connects to loopback addresses.
 *
 * @param target path and query at the pod
 */
record PodProxy(String namespace, String name, int port, String target) {
  private static final Pattern PATH =
      Pattern.compile("/api/v1/namespaces/([^/]+)/pods/([^/:]+):([0-9]{1,5})/proxy(/.*)?");

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  static Optional<PodProxy> of(ApiHandler.Call call) {
    // A client may encode the colon.
    Matcher path = PATH.matcher("/" + String.join("/", call.url().pathSegments()));
    if (!path.matches()) {
      return Optional.empty();
    }
    String query = call.url().encodedQuery();
    return Optional.of(
        new PodProxy(
            path.group(1),
            path.group(2),
            Integer.parseInt(path.group(3)),
            (path.group(4) == null ? "/" : path.group(4)) + (query == null ? "" : "?" + query)));
  }

  /** What the pod answers, or throws what is answered in its place. */
  Reply ask(SandboxStore store) {
    JsonObject pod =
        store
            .get(ApiResource.PODS, namespace, name)
            .orElseThrow(() -> ApiError.notFound(ApiResource.PODS, name));
    String ip = Json.stringAt(Json.objectAt(pod, "status"), "podIP");
    HttpURLConnection connection = null;
    try {
      connection =
          (HttpURLConnection)
              URI.create("http://" + ip + ":" + port + target).toURL().openConnection();
      connection.setConnectTimeout((int) TIMEOUT.toMillis());
      connection.setReadTimeout((int) TIMEOUT.toMillis());
      int code = connection.getResponseCode();
      try (InputStream body =
          code < 400 ? connection.getInputStream() : connection.getErrorStream()) {
        return new Reply.Text(
            code,
            connection.getContentType(),
            new String(body.readAllBytes(), StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw ApiError.of(
          503, "ServiceUnavailable", "error trying to reach service: " + e.getMessage());
    } finally {
      if (connection != null) {
        connection.disconnect();
      }
    }
  }
}
