package io.apiserverupdater.node;

import io.apiserverupdater.lab.LabException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** What a node's kubelet counts about its own requests to the API. */
final class Kubelet {
  private static final int READ_ONLY_PORT = 10255;
  private static final int LIMIT_MILLIS = 5000;
  private static final String REQUESTS = "rest_client_requests_total{";

  private Kubelet() {}

  /** Requests that got no answer since the kubelet started. */
  static long failedRequests(BootedNode node) {
    return requests(node, true);
  }

  /** Requests that got an answer since the kubelet started. */
  static long answeredRequests(BootedNode node) {
    return requests(node, false);
  }

  private static long requests(BootedNode node, boolean failed) {
    String url = "http://" + node.host().address() + ":" + READ_ONLY_PORT + "/metrics";
    try {
      HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
      connection.setConnectTimeout(LIMIT_MILLIS);
      connection.setReadTimeout(LIMIT_MILLIS);
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8))) {
        return lines
            .lines()
            .filter(line -> line.startsWith(REQUESTS))
            .filter(line -> line.contains("code=\"<error>\"") == failed)
            .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' '))))
            .sum();
      } finally {
        connection.disconnect();
      }
    } catch (IOException e) {
      throw new LabException("cannot read the metrics of the kubelet of " + node.name(), e);
    }
  }
}
