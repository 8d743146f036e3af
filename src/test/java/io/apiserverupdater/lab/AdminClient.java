package io.apiserverupdater.lab;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;
import okhttp3.ConnectionPool;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;

/**
 * The tests' own access to the API: JSON in, JSON out, on any path, under any token. Each call has
 * a deadline of 10 s. Thread-safe.
 */
public final class AdminClient implements AutoCloseable {
  private static final Duration CALL = Duration.ofSeconds(10);
  // Between two watches, when the first was cut.
  private static final Duration PAUSE = Duration.ofMillis(20);
  private static final Gson GSON = new Gson();

  private final OkHttpClient http;
  private final Supplier<String> url;
  private final String token;

  private AdminClient(OkHttpClient http, Supplier<String> url, String token) {
    this.http = http;
    this.url = url;
    this.token = token;
  }

  /**
   * A client under one token.
   *
   * @param url asked before each call for {@code https://IP:PORT} of the apiserver to use
   */
  public static AdminClient create(X509Certificate authority, Supplier<String> url, String token) {
    HandshakeCertificates tls =
        new HandshakeCertificates.Builder().addTrustedCertificate(authority).build();
    OkHttpClient http =
        new OkHttpClient.Builder()
            .socketFactory(new PromptSockets())
            .sslSocketFactory(tls.sslSocketFactory(), tls.trustManager())
            .connectTimeout(Duration.ofSeconds(2))
            .callTimeout(CALL)
            .readTimeout(Duration.ZERO)
            .pingInterval(Duration.ofSeconds(2))
            .connectionPool(new ConnectionPool())
            .build();
    return new AdminClient(http, url, token);
  }

  /** The same apiserver under another token: what may that user do? */
  public AdminClient withToken(String otherToken) {
    return new AdminClient(http, url, otherToken);
  }

  /** The same user at one given apiserver, by IP. */
  public AdminClient at(String otherAddress) {
    return new AdminClient(http, () -> url(otherAddress), token);
  }

  static String url(String address) {
    return "https://" + address + ":" + Lab.APISERVER_PORT;
  }

  /** An answer as it came; its JSON is an empty object when the body is none. */
  public record Answer(int status, JsonObject json, String text) {
    public boolean ok() {
      return status >= 200 && status < 300;
    }
  }

  /** Any request; never throws for an HTTP status. */
  public Answer request(String method, String path, String contentType, String body) {
    Request.Builder request =
        request(path)
            .method(
                method,
                body.isEmpty() && (method.equals("GET") || method.equals("DELETE"))
                    ? null
                    : RequestBody.create(body, MediaType.get(contentType)));
    try (Response response = http.newCall(request.build()).execute()) {
      String text = response.body().string();
      return new Answer(response.code(), objectOrEmpty(text), text);
    } catch (IOException e) {
      throw new LabException(method + " " + path + " at " + url.get() + " failed: " + e, e);
    }
  }

  private static JsonObject objectOrEmpty(String text) {
    if (!text.startsWith("{")) {
      return new JsonObject();
    }
    JsonElement element = JsonParser.parseString(text);
    return element.isJsonObject() ? element.getAsJsonObject() : new JsonObject();
  }

  private Request.Builder request(String path) {
    return new Request.Builder()
        .url(url.get() + path)
        .header("Authorization", "Bearer " + token)
        .header("User-Agent", "lab-admin");
  }

  /** The object at a path, such as {@code /api/v1/namespaces/kube-system/services/apiserver}. */
  public JsonObject get(String path) {
    return expectOk("GET", path, request("GET", path, "application/json", ""));
  }

  /** The object at a path, or empty when the server says 404. */
  public Optional<JsonObject> find(String path) {
    Answer answer = request("GET", path, "application/json", "");
    return answer.status() == 404 ? Optional.empty() : Optional.of(expectOk("GET", path, answer));
  }

  /** The items of a collection; a query such as {@code ?labelSelector=a%3Db} may follow. */
  public List<JsonObject> list(String collection) {
    List<JsonObject> items = new ArrayList<>();
    JsonElement array = get(collection).get("items");
    if (array != null && array.isJsonArray()) {
      array.getAsJsonArray().forEach(item -> items.add(item.getAsJsonObject()));
    }
    return items;
  }

  /** POST to a collection or a subresource. */
  public JsonObject create(String collection, JsonObject object) {
    return expectOk(
        "POST", collection, request("POST", collection, "application/json", GSON.toJson(object)));
  }

  /** POST of an object written as JSON text. */
  public JsonObject create(String collection, String json) {
    return create(collection, JsonParser.parseString(json).getAsJsonObject());
  }

  public JsonObject put(String path, JsonObject object) {
    return expectOk("PUT", path, request("PUT", path, "application/json", GSON.toJson(object)));
  }

  /** A JSON merge patch (RFC 7386): null removes, arrays are replaced. */
  public JsonObject patch(String path, String mergePatch) {
    return expectOk(
        "PATCH", path, request("PATCH", path, "application/merge-patch+json", mergePatch));
  }

  /** Deletes; it is no error when there is nothing to delete. */
  public void delete(String path) {
    Answer answer = request("DELETE", path, "application/json", "");
    if (answer.status() != 404) {
      expectOk("DELETE", path, answer);
    }
  }

  private static JsonObject expectOk(String method, String path, Answer answer) {
    if (!answer.ok()) {
      throw new LabException(
          method + " " + path + " was answered " + answer.status() + ": " + answer.text());
    }
    return answer.json();
  }

  /**
   * Watches a collection from a resourceVersion on; {@code ""} starts with an ADDED event for each
   * existing object.
   */
  public ObjectWatch watch(String collection, String resourceVersion) {
    String query =
        (collection.contains("?") ? "&" : "?")
            + "watch=true"
            + (resourceVersion.isEmpty() ? "" : "&resourceVersion=" + resourceVersion);
    // The call ends when the watch is closed; pings find a dead connection.
    OkHttpClient streaming = http.newBuilder().callTimeout(Duration.ZERO).build();
    return ObjectWatch.start(collection, streaming.newCall(request(collection + query).build()));
  }

  /**
   * Waits until the object of that name satisfies the predicate, by watching: it returns within
   * milliseconds of the write. When the apiserver goes away meanwhile, it goes on at another.
   *
   * @param wanted is given empty when the object does not exist
   * @return the object as it was then, empty if that is what was wanted
   * @throws LabException with the object as it was last seen, when time is up first
   */
  public Optional<JsonObject> await(
      String collection, String name, Predicate<Optional<JsonObject>> wanted, Duration limit) {
    Deadline deadline = Deadline.in(limit);
    Optional<JsonObject> seen = Optional.empty();
    String trouble = "";
    while (!deadline.passed()) {
      try (ObjectWatch watch = watch(collection + "?fieldSelector=metadata.name%3D" + name, "")) {
        seen = find(collection + "/" + name);
        while (!wanted.test(seen)) {
          Optional<ObjectWatch.Event> event = watch.next(deadline.left());
          if (event.isEmpty() || event.get().type().equals("ERROR")) {
            trouble = event.map(error -> "; the watch ended: " + error.object()).orElse("");
            break;
          }
          seen =
              event.get().type().equals("DELETED")
                  ? Optional.empty()
                  : Optional.of(event.get().object());
        }
        if (wanted.test(seen)) {
          return seen;
        }
      } catch (LabException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        trouble = "; the last attempt: " + e.getMessage();
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
    throw new LabException(
        "waited "
            + limit.toMillis()
            + " ms for a change of "
            + collection
            + "/"
            + name
            + ", in vain; it is "
            + seen
            + trouble);
  }

  @Override
  public void close() {
    http.dispatcher().cancelAll();
    http.connectionPool().evictAll();
  }
}
