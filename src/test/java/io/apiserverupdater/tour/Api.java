package io.apiserverupdater.tour;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;

/** JSON over the API of one apiserver, under one token; each call has 10 s. Thread-safe. */
final class Api implements AutoCloseable {
  private static final Duration CALL = Duration.ofSeconds(10);
  private static final MediaType JSON = MediaType.get("application/json");
  private static final MediaType MERGE_PATCH = MediaType.get("application/merge-patch+json");

  private final String url;
  private final String token;
  private final OkHttpClient http;

  /**
   * @param url {@code https://IP:PORT}
   */
  Api(String url, X509Certificate authority, String token) {
    this.url = url;
    this.token = token;
    HandshakeCertificates tls =
        new HandshakeCertificates.Builder().addTrustedCertificate(authority).build();
    this.http =
        new OkHttpClient.Builder()
            .sslSocketFactory(tls.sslSocketFactory(), tls.trustManager())
            .connectionPool(new ConnectionPool())
            .callTimeout(CALL)
            .readTimeout(Duration.ZERO)
            .build();
  }

  JsonObject get(String path) {
    return answer(request(path).build());
  }

  JsonObject create(String collection, JsonObject object) {
    return answer(request(collection).post(RequestBody.create(object.toString(), JSON)).build());
  }

  /** A merge patch: arrays are replaced. */
  JsonObject patch(String path, JsonObject patch) {
    return answer(request(path).patch(RequestBody.create(patch.toString(), MERGE_PATCH)).build());
  }

  /** A watch on one object, which begins with the object as it is; it lasts until cancelled. */
  Call watch(String collection, String name) {
    return http.newBuilder()
        .callTimeout(Duration.ZERO)
        .build()
        .newCall(request(collection + "?watch=true&fieldSelector=metadata.name%3D" + name).build());
  }

  private Request.Builder request(String path) {
    return new Request.Builder()
        .url(url + path)
        .header("Authorization", "Bearer " + token)
        .header("User-Agent", "tour");
  }

  private JsonObject answer(Request request) {
    String what = request.method() + " " + request.url();
    try (Response response = http.newCall(request).execute()) {
      String text = response.body().string();
      if (!response.isSuccessful()) {
        throw new TourException(what + " was answered " + response.code() + ": " + text);
      }
      return JsonParser.parseString(text).getAsJsonObject();
    } catch (IOException e) {
      throw new TourException(what + " failed: " + e, e);
    }
  }

  @Override
  public void close() {
    http.dispatcher().cancelAll();
    http.connectionPool().evictAll();
  }
}
