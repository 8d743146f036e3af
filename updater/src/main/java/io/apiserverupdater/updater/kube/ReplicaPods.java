package io.apiserverupdater.updater.kube;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.updater.kube.api.ApiAnswer;
import io.apiserverupdater.updater.kube.api.ApiCall;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.api.KubeJson;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The pods of the updater, and what they serve, asked through the API server with the right of
 * whoever asks: to list {@code pods}, and to get {@code pods/proxy}. Thread-safe.
 */
public final class ReplicaPods {
  /** What the manifests and the chart give the pods. */
  public static final String SELECTOR = "app.kubernetes.io/name=apiserver-updater";

  /** The name that they give the port of --listen, and its number where it has no name. */
  private static final String PORT_NAME = "http";

  private static final int PORT = 8080;
  private static final Duration LIST_TIMEOUT = Duration.ofSeconds(5);

  /** A pod that the API server cannot reach must not keep a person waiting. */
  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(2);

  private final ApiClient api;

  ReplicaPods(ApiClient api) {
    this.api = api;
  }

  /**
   * One pod.
   *
   * @param node where it is to run; empty while it is not scheduled
   * @param waiting why it does not run; empty when it does
   * @param port that of --listen
   */
  public record Pod(
      String namespace, String name, Optional<String> node, Optional<String> waiting, int port) {}

  /** What came of listing the pods. */
  public sealed interface Listing {
    record Listed(List<Pod> pods) implements Listing {
      public Listed {
        pods = List.copyOf(pods);
      }
    }

    record Failed(String why) implements Listing {}
  }

  /** What came of asking a pod. */
  public sealed interface Page {
    record Served(String text) implements Page {}

    record Missing(String why) implements Page {}
  }

  /** Lists the pods that run or are about to, by name. */
  public Listing list(String namespace) {
    ApiAnswer answer =
        api.send(
            ApiCall.get("/api/v1/namespaces/" + namespace + "/pods")
                .with("labelSelector", SELECTOR),
            LIST_TIMEOUT);
    if (!(answer instanceof ApiAnswer.Ok ok)) {
      return new Listing.Failed(answer.failure());
    }
    try {
      // As a tree: the model of a pod has some two hundred classes.
      List<Pod> pods = new ArrayList<>();
      for (JsonObject item : objects(KubeJson.object(ok.body()), "items")) {
        pod(namespace, item).ifPresent(pods::add);
      }
      pods.sort(Comparator.comparing(Pod::name));
      return new Listing.Listed(pods);
    } catch (KubeJson.MalformedException e) {
      return new Listing.Failed(KubeJson.orEmpty(e.getMessage()));
    }
  }

  /** Empty for a pod that has ended, or is told to. */
  private static Optional<Pod> pod(String namespace, JsonObject item) {
    JsonObject metadata = child(item, "metadata");
    JsonObject status = child(item, "status");
    String phase = KubeJson.field(status, "phase");
    String name = KubeJson.field(metadata, "name");
    if (name.isEmpty()
        || metadata.has("deletionTimestamp")
        || phase.equals("Succeeded")
        || phase.equals("Failed")) {
      return Optional.empty();
    }
    JsonObject spec = child(item, "spec");
    String node = KubeJson.field(spec, "nodeName");
    return Optional.of(
        new Pod(
            namespace,
            name,
            node.isEmpty() ? Optional.empty() : Optional.of(node),
            waiting(phase, status),
            port(spec)));
  }

  private static Optional<String> waiting(String phase, JsonObject status) {
    String reason =
        objects(status, "containerStatuses").stream()
            .map(it -> KubeJson.field(child(child(it, "state"), "waiting"), "reason"))
            .filter(it -> !it.isEmpty())
            .findFirst()
            .orElse("");
    if (phase.equals("Running") && reason.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of("its pod is " + phase + (reason.isEmpty() ? "" : ": " + reason));
  }

  private static int port(JsonObject spec) {
    return objects(spec, "containers").stream()
        .flatMap(it -> objects(it, "ports").stream())
        .filter(it -> KubeJson.field(it, "name").equals(PORT_NAME))
        .map(it -> KubeJson.field(it, "containerPort"))
        .filter(it -> it.matches("[0-9]{1,5}"))
        .map(Integer::parseInt)
        .findFirst()
        .orElse(PORT);
  }

  private static JsonObject child(JsonObject object, String key) {
    return object.get(key) instanceof JsonObject child ? child : new JsonObject();
  }

  private static List<JsonObject> objects(JsonObject object, String key) {
    List<JsonObject> objects = new ArrayList<>();
    if (object.get(key) instanceof JsonArray array) {
      for (JsonElement element : array) {
        if (element instanceof JsonObject child) {
          objects.add(child);
        }
      }
    }
    return objects;
  }

  /**
   * Asks a pod for what it serves.
   *
   * @param path with a slash first
   */
  public Page get(Pod pod, String path) {
    ApiAnswer answer =
        api.send(
            ApiCall.get(
                "/api/v1/namespaces/%s/pods/%s:%d/proxy%s"
                    .formatted(pod.namespace(), pod.name(), pod.port(), path)),
            ASK_TIMEOUT);
    if (answer instanceof ApiAnswer.Ok ok) {
      return new Page.Served(ok.body());
    }
    return new Page.Missing(
        answer instanceof ApiAnswer.Status status && status.code() == 404
            ? "it serves no " + path + ": " + status.describe()
            : answer.failure());
  }
}
