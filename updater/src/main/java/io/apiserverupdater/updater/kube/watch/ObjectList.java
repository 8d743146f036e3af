package io.apiserverupdater.updater.kube.watch;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.updater.kube.api.ApiAnswer;
import io.apiserverupdater.updater.kube.api.ApiCall;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.api.KubeJson;
import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Lists some objects into a cache, in their latest state: no resourceVersion is asked for.
 *
 * @param <V> what the objects are to us
 * @param wanted a selection that finds nothing that is wanted has found nothing
 */
public record ObjectList<T extends KubernetesObject, V>(
    ApiClient api,
    Resource<T> resource,
    Selection selection,
    Predicate<T> wanted,
    ResourceCache<T, V> cache) {

  /** So many objects fit into one answer, also if each is a node with fifty images. */
  private static final String PART = "20";

  /** More than the nodes of any cluster. */
  private static final int MOST_PARTS = 1000;

  /** With a cache of its own; everything that is found is wanted. */
  public ObjectList(
      ApiClient api, Resource<T> resource, Selection selection, Function<T, V> conversion) {
    this(api, resource, selection, object -> true, new ResourceCache<>(conversion));
  }

  /** How a list ended. */
  public sealed interface Result {
    /**
     * The cache is up to date.
     *
     * @param version the version to watch from
     * @param selection what to watch
     */
    record Listed(String version, Selection selection) implements Result {}

    /** The cache is as it was. */
    record Failed(ApiAnswer answer) implements Result {}
  }

  /** A list that was answered. */
  private record Listing<T>(
      Selection selection, String version, List<ResourceCache.Versioned<T>> objects) {}

  /**
   * Reads them.
   *
   * @param timeout for each answer; a long list has several
   */
  public Result read(Duration timeout) {
    long asked = cache.now();
    try {
      Listing<T> listing = listing(selection, timeout);
      if (selection.otherwise().isPresent()
          && listing.objects().stream().noneMatch(it -> wanted.test(it.object()))) {
        listing = orElse(listing, selection.otherwise().get(), timeout);
      }
      cache.replace(listing.objects(), listing.version(), asked);
      return new Result.Listed(listing.version(), listing.selection());
    } catch (FailedException e) {
      return new Result.Failed(e.answer);
    }
  }

  private Listing<T> orElse(Listing<T> listing, Selection wider, Duration timeout)
      throws FailedException {
    try {
      return listing(wider, timeout);
    } catch (FailedException e) {
      if (e.answer instanceof ApiAnswer.Status status && status.isRejection()) {
        return listing;
      }
      throw e;
    }
  }

  private static final class FailedException extends Exception {
    private final transient ApiAnswer answer;

    FailedException(ApiAnswer answer) {
      super(answer.failure());
      this.answer = answer;
    }
  }

  private Listing<T> listing(Selection selected, Duration timeout) throws FailedException {
    ApiCall call = selected.list(resource);
    if (!selected.isNamed()) {
      call = call.with("limit", PART);
    }
    List<ResourceCache.Versioned<T>> objects = new ArrayList<>();
    String next = "";
    for (int part = 0; part < MOST_PARTS; part++) {
      ApiAnswer answer = api.send(next.isEmpty() ? call : call.with("continue", next), timeout);
      if (!(answer instanceof ApiAnswer.Ok ok)) {
        throw new FailedException(answer);
      }
      try {
        JsonObject list = KubeJson.object(ok.body());
        JsonObject metadata =
            list.get("metadata") instanceof JsonObject object ? object : new JsonObject();
        String version = KubeJson.field(metadata, "resourceVersion");
        if (version.isEmpty()) {
          throw new KubeJson.MalformedException("the list has no resourceVersion");
        }
        if (list.get("items") instanceof JsonArray items) {
          for (JsonElement item : items) {
            objects.add(versioned(KubeJson.model(item, resource.type())));
          }
        }
        next = KubeJson.field(metadata, "continue");
        if (next.isEmpty()) {
          return new Listing<>(selected, version, objects);
        }
      } catch (KubeJson.MalformedException e) {
        throw new FailedException(api.unreadable(ok.server(), KubeJson.orEmpty(e.getMessage())));
      }
    }
    throw new FailedException(new ApiAnswer.None("a list of more than " + MOST_PARTS + " parts"));
  }

  /**
   * Creates one of the objects.
   *
   * @return the failure; empty when there was none
   */
  public Optional<ApiAnswer> create(T object, Duration timeout) {
    String path = resource.collection(selection.namespace());
    return write(ApiCall.post(path, KubeJson.text(object)), timeout);
  }

  /**
   * Changes one of the objects, if it is still the one of this version.
   *
   * @param change returns what to write, and leaves the object of the cache as it is
   * @return the failure; empty when there was none
   */
  public Optional<ApiAnswer> update(
      String name, String version, UnaryOperator<T> change, Duration timeout) {
    ResourceCache.Versioned<T> current = cache.get(name).orElse(null);
    if (current == null || !current.version().equals(version)) {
      return Optional.of(
          new ApiAnswer.Status(409, "Conflict", "it has changed since", Optional.empty()));
    }
    T next = change.apply(current.object());
    String path = resource.object(selection.namespace(), name);
    return write(ApiCall.put(path, KubeJson.text(next)), timeout);
  }

  /** Takes what the server has made of the object into the cache. */
  private Optional<ApiAnswer> write(ApiCall call, Duration timeout) {
    ApiAnswer answer = api.send(call, timeout);
    if (!(answer instanceof ApiAnswer.Ok ok)) {
      return Optional.of(answer);
    }
    try {
      cache.put(versioned(KubeJson.model(ok.body(), resource.type())));
      return Optional.empty();
    } catch (KubeJson.MalformedException e) {
      return Optional.of(api.unreadable(ok.server(), KubeJson.orEmpty(e.getMessage())));
    }
  }

  /** The failure in words; empty when there was none. */
  public Optional<String> failure(Duration timeout) {
    return read(timeout) instanceof Result.Failed failed
        ? Optional.of(failed.answer().failure())
        : Optional.empty();
  }

  /**
   * An object with its name and version.
   *
   * @throws KubeJson.MalformedException when it has not both
   */
  public static <T extends KubernetesObject> ResourceCache.Versioned<T> versioned(T object)
      throws KubeJson.MalformedException {
    V1ObjectMeta metadata = object.getMetadata();
    String name = metadata == null ? "" : KubeJson.orEmpty(metadata.getName());
    String version = metadata == null ? "" : KubeJson.orEmpty(metadata.getResourceVersion());
    if (name.isEmpty() || version.isEmpty()) {
      throw new KubeJson.MalformedException("an object without name or resourceVersion");
    }
    return new ResourceCache.Versioned<>(name, version, object);
  }
}
