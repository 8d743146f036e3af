package io.apiserverupdater.failover;

import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.tls.Certificates;
import okhttp3.tls.HandshakeCertificates;

/** Clients that keep their HTTP/2 connection as long as the apiserver lets them, as kubelets do. */
public final class LongLivedClients {
  private LongLivedClients() {}

  /**
   * Has each client make one request, again and again, and prints after each round how many each
   * apiserver answered, by name. Takes the number of clients, a URL, a CA file and a token, since
   * apiservers send anonymous clients away after each request; never ends.
   */
  public static void main(String[] arguments) throws IOException {
    HandshakeCertificates tls =
        new HandshakeCertificates.Builder()
            .addTrustedCertificate(
                Certificates.decodeCertificatePem(Files.readString(Path.of(arguments[2]))))
            .build();
    OkHttpClient.Builder client =
        new OkHttpClient.Builder().sslSocketFactory(tls.sslSocketFactory(), tls.trustManager());
    // A pool for each, or all would share one connection.
    List<OkHttpClient> clients =
        Stream.generate(
                () -> client.connectionPool(new ConnectionPool(1, 1, TimeUnit.HOURS)).build())
            .limit(Integer.parseInt(arguments[0]))
            .toList();
    Request request =
        new Request.Builder()
            .url(arguments[1])
            .header("Authorization", "Bearer " + arguments[3])
            .build();
    for (int requests = 1; ; requests++) {
      TreeMap<String, Integer> answered = new TreeMap<>();
      clients.forEach(each -> answered.merge(server(each, request), 1, Integer::sum));
      JsonObject round = Json.of("requests", requests);
      answered.forEach(round::addProperty);
      System.out.println(round);
    }
  }

  private static String server(OkHttpClient client, Request request) {
    try (Response response = client.newCall(request).execute()) {
      String unusedBody = response.body().string();
      return Objects.requireNonNull(response.handshake()).peerPrincipal().getName();
    } catch (IOException e) {
      return "failed";
    }
  }
}
