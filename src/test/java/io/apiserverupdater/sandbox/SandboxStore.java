package io.apiserverupdater.sandbox;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The etcd of the sandbox, with the generic registry in front of it: objects, one counter of
 * resourceVersions, and a bounded history from which watches read.
 *
 * <p>Thread-safe: one lock guards everything. Objects are copied on their way in and out.
 */
public final class SandboxStore {
  private static final int RETRIES_OF_A_CHANGE = 100;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition written = lock.newCondition();
  private final TreeMap<ObjectKey, JsonObject> objects = new TreeMap<>();
  // Revisions follow each other without a gap: history.get(i) has revision forgotten + 1 + i.
  private final List<StoreEvent> history = new ArrayList<>();
  private final int historyLimit;
  private final Runnable afterWrite;
  private long revision = 1;
  private long forgotten = 1;
  private long wakes;
  private int nextClusterIp = 1;

  /**
   * @param historyLimit how many writes watches can look back on
   * @param afterWrite called after each write, without the lock
   */
  SandboxStore(int historyLimit, Runnable afterWrite) {
    this.historyLimit = historyLimit;
    this.afterWrite = afterWrite;
  }

  /** What a list answers. */
  record Listing(long revision, List<JsonObject> items) {}

  /** What a PUT answers. */
  record Written(JsonObject object, boolean created) {}

  /** What a DELETE insists on; "" for what it does not. */
  record Preconditions(String uid, String resourceVersion) {
    static final Preconditions NONE = new Preconditions("", "");
  }

  /** The resourceVersion of the last write. */
  public long revision() {
    return locked(() -> revision);
  }

  public Optional<JsonObject> get(ApiResource resource, String namespace, String name) {
    return locked(
        () ->
            Optional.ofNullable(objects.get(resource.key(namespace, name))).map(o -> o.deepCopy()));
  }

  /** The same of an object that must be there. */
  public JsonObject require(ApiResource resource, String namespace, String name) {
    return get(resource, namespace, name).orElseThrow(() -> ApiError.notFound(resource, name));
  }

  /** All objects of a resource, of one namespace or, with "", of all. */
  public List<JsonObject> list(ApiResource resource, String namespace) {
    return listing(resource, namespace).items();
  }

  Listing listing(ApiResource resource, String namespace) {
    String wanted = resource.qualifiedResource();
    return locked(
        () -> {
          List<JsonObject> items = new ArrayList<>();
          objects.tailMap(new ObjectKey(wanted, namespace, ""), true).entrySet().stream()
              .takeWhile(e -> e.getKey().qualifiedResource().equals(wanted))
              .filter(e -> namespace.isEmpty() || e.getKey().namespace().equals(namespace))
              .forEach(e -> items.add(e.getValue().deepCopy()));
          return new Listing(revision, items);
        });
  }

  /** As POST; an ApiError is what the real server answers. */
  public JsonObject create(ApiResource resource, String namespace, JsonObject object) {
    return create(resource, namespace, object, false);
  }

  /** The same of an object written as JSON. */
  public JsonObject create(ApiResource resource, String namespace, String json) {
    return create(resource, namespace, Json.parse(json));
  }

  JsonObject create(ApiResource resource, String namespace, JsonObject sent, boolean dryRun) {
    JsonObject object = ObjectRules.admit(resource, namespace, sent);
    JsonObject metadata = Json.metadata(object);
    if (!Json.stringAt(metadata, "resourceVersion").isEmpty()) {
      throw ApiError.of(500, "", "resourceVersion should not be set on objects to be created");
    }
    String prefix = Json.stringAt(metadata, "generateName");
    if (Json.name(object).isEmpty() && !prefix.isEmpty()) {
      metadata.addProperty("name", prefix + UUID.randomUUID().toString().substring(0, 5));
    }
    String name = Json.name(object);
    if (name.isEmpty()) {
      throw ApiError.invalid(
          resource,
          resource.kind(),
          "",
          "metadata.name",
          "FieldValueRequired",
          "Required value: name or generateName is required");
    }
    return change(
        () -> {
          ObjectKey key = resource.key(namespace, name);
          if (objects.containsKey(key)) {
            throw ApiError.alreadyExists(resource, name);
          }
          return insert(resource, key, object, dryRun);
        });
  }

  /** As PUT; creates where the real server does, and throws what it answers. */
  public JsonObject update(ApiResource resource, String namespace, String name, JsonObject object) {
    return update(resource, namespace, name, object, false).object();
  }

  Written update(
      ApiResource resource, String namespace, String name, JsonObject sent, boolean dryRun) {
    String inBody = Json.name(sent);
    if (inBody.isEmpty()) {
      throw ApiError.badRequest("name must be provided");
    }
    if (!inBody.equals(name)) {
      throw ApiError.badRequest(
          "the name of the object (%s) does not match the name on the URL (%s)"
              .formatted(inBody, name));
    }
    JsonObject object = ObjectRules.admit(resource, namespace, sent);
    return change(() -> replace(resource, resource.key(namespace, name), object, dryRun));
  }

  /** As PATCH with a JSON merge patch; an ApiError is what the real server answers. */
  public JsonObject patch(ApiResource resource, String namespace, String name, String mergePatch) {
    return patch(resource, namespace, name, Json.parse(mergePatch), false);
  }

  JsonObject patch(
      ApiResource resource, String namespace, String name, JsonObject mergePatch, boolean dryRun) {
    return change(
        () -> {
          ObjectKey key = resource.key(namespace, name);
          JsonObject current = objects.get(key);
          if (current == null) {
            throw ApiError.notFound(resource, name);
          }
          JsonElement merged = ObjectRules.merge(current, mergePatch);
          JsonObject object = ObjectRules.admit(resource, namespace, merged.getAsJsonObject());
          return replace(resource, key, object, dryRun).object();
        });
  }

  /**
   * As DELETE.
   *
   * @return the object as it was last
   * @throws ApiError as the real server answers
   */
  public JsonObject delete(ApiResource resource, String namespace, String name) {
    return delete(resource, namespace, name, Preconditions.NONE, false);
  }

  JsonObject delete(
      ApiResource resource,
      String namespace,
      String name,
      Preconditions preconditions,
      boolean dryRun) {
    return change(
        () -> {
          ObjectKey key = resource.key(namespace, name);
          JsonObject current = objects.get(key);
          if (current == null) {
            throw ApiError.notFound(resource, name);
          }
          requireSame(resource, key, "UID", preconditions.uid(), current, "uid");
          requireSame(
              resource,
              key,
              "ResourceVersion",
              preconditions.resourceVersion(),
              current,
              "resourceVersion");
          if (dryRun) {
            return current.deepCopy();
          }
          objects.remove(key);
          JsonObject last = current.deepCopy();
          Json.metadata(last).addProperty("resourceVersion", Long.toString(++revision));
          remember(new StoreEvent(revision, key, Optional.of(current), Optional.empty(), last));
          return last.deepCopy();
        });
  }

  /** Reads an object (404 when absent), changes it and writes it back, as somebody else would. */
  public JsonObject edit(
      ApiResource resource, String namespace, String name, UnaryOperator<JsonObject> edit) {
    for (int i = 0; ; i++) {
      JsonObject current = require(resource, namespace, name);
      try {
        return update(resource, namespace, name, edit.apply(current));
      } catch (ApiError e) {
        if (e.code() != 409 || i >= RETRIES_OF_A_CHANGE) {
          throw e;
        }
      }
    }
  }

  /** Forgets the history: a watch from before now is answered 410 Expired. */
  public void compact() {
    locked(
        () -> {
          history.clear();
          forgotten = revision;
          return revision;
        });
  }

  /** What {@link #restore} goes back to. */
  public record Backup(long revision, Map<ObjectKey, JsonObject> objects) {}

  /** As {@code etcdctl snapshot save}. */
  public Backup backup() {
    return locked(() -> new Backup(revision, Map.copyOf(objects)));
  }

  /**
   * As {@code etcdctl snapshot restore} without {@code --bump-revision}: the revisions go back too,
   * and are given out once more. A watch from one that has not come again is silent until then.
   */
  public void restore(Backup backup) {
    change(
        () -> {
          objects.clear();
          objects.putAll(backup.objects());
          revision = backup.revision();
          history.clear();
          forgotten = revision;
          return revision;
        });
  }

  /**
   * The writes after a revision; waits for one when there is none.
   *
   * @return empty when the time is up, or when somebody called {@link #wakeWatches}
   * @throws ApiError 410 when the history does not reach back so far
   */
  List<StoreEvent> eventsAfter(long since, Duration limit) throws InterruptedException {
    lock.lock();
    try {
      long wakesBefore = wakes;
      long left = limit.toNanos();
      while (since >= revision && wakes == wakesBefore && left > 0) {
        left = written.awaitNanos(left);
      }
      if (since < forgotten) {
        throw ApiError.expired(since, forgotten);
      }
      return since >= revision
          ? List.of()
          : List.copyOf(history.subList((int) (since - forgotten), history.size()));
    } finally {
      lock.unlock();
    }
  }

  /** Lets all who wait for writes look up once. */
  void wakeWatches() {
    locked(
        () -> {
          wakes++;
          written.signalAll();
          return revision;
        });
  }

  // The following run under the lock.

  private JsonObject insert(
      ApiResource resource, ObjectKey key, JsonObject object, boolean dryRun) {
    if (resource.namespaced()
        && !objects.containsKey(ApiResource.NAMESPACES.key("", key.namespace()))) {
      throw ApiError.notFound(ApiResource.NAMESPACES, key.namespace());
    }
    JsonObject metadata = Json.metadata(object);
    metadata.addProperty("uid", UUID.randomUUID().toString());
    metadata.addProperty("creationTimestamp", ObjectRules.timestamp(Instant.now()));
    if (resource.equals(ApiResource.ENDPOINT_SLICES)) {
      metadata.addProperty("generation", 1);
    }
    if (resource.equals(ApiResource.SERVICES)) {
      allocateClusterIp(object);
    }
    if (dryRun) {
      metadata.remove("resourceVersion");
      return object;
    }
    metadata.addProperty("resourceVersion", Long.toString(++revision));
    objects.put(key, object);
    remember(new StoreEvent(revision, key, Optional.empty(), Optional.of(object), object));
    return object.deepCopy();
  }

  private Written replace(ApiResource resource, ObjectKey key, JsonObject object, boolean dryRun) {
    String name = key.name();
    JsonObject metadata = Json.metadata(object);
    String version = Json.stringAt(metadata, "resourceVersion");
    JsonObject current = objects.get(key);
    if (current == null) {
      if (!resource.createOnUpdate()) {
        throw ApiError.notFound(resource, name);
      }
      // An object that was read and then deleted is not revived: its uid does not fit.
      requireSame(resource, key, "UID", Json.stringAt(metadata, "uid"), new JsonObject(), "uid");
      return new Written(insert(resource, key, object, dryRun), true);
    }
    requireSame(resource, key, "UID", Json.stringAt(metadata, "uid"), current, "uid");
    JsonObject currentMetadata = Json.metadata(current);
    if (version.isEmpty() || version.equals("0")) {
      if (!resource.unconditionalUpdate()) {
        throw ApiError.invalid(
            resource,
            resource.resource(),
            name,
            "metadata.resourceVersion",
            "FieldValueInvalid",
            "Invalid value: 0: must be specified for an update");
      }
    } else if (!version.equals(Json.stringAt(currentMetadata, "resourceVersion"))) {
      throw ApiError.staleWrite(resource, name);
    }
    for (String kept : List.of("uid", "creationTimestamp", "generation", "generateName")) {
      JsonElement value = currentMetadata.get(kept);
      if (value == null) {
        metadata.remove(kept);
      } else {
        metadata.add(kept, value);
      }
    }
    if (resource.equals(ApiResource.SERVICES)) {
      keepClusterIp(current, object);
    }
    ObjectRules.admitChange(resource, current, object);
    if (ObjectRules.sameContent(current, object)) {
      return new Written(current.deepCopy(), false);
    }
    if (resource.equals(ApiResource.ENDPOINT_SLICES)
        && ObjectRules.raisesGeneration(current, object)) {
      metadata.addProperty("generation", currentMetadata.get("generation").getAsLong() + 1);
    }
    if (dryRun) {
      metadata.add("resourceVersion", currentMetadata.get("resourceVersion"));
      return new Written(object, false);
    }
    metadata.addProperty("resourceVersion", Long.toString(++revision));
    objects.put(key, object);
    remember(new StoreEvent(revision, key, Optional.of(current), Optional.of(object), object));
    return new Written(object.deepCopy(), false);
  }

  private void allocateClusterIp(JsonObject service) {
    JsonObject spec = Json.child(service, "spec");
    if (Json.stringAt(spec, "clusterIP").isEmpty()
        && !Json.stringAt(spec, "type").equals("ExternalName")) {
      String address = "10.96.200." + nextClusterIp++;
      spec.addProperty("clusterIP", address);
      spec.add("clusterIPs", Json.array(address));
      spec.add("ipFamilies", Json.array("IPv4"));
    }
  }

  private static void keepClusterIp(JsonObject before, JsonObject after) {
    JsonObject spec = Json.child(after, "spec");
    JsonObject old = Json.objectAt(before, "spec");
    if (Json.stringAt(spec, "clusterIP").isEmpty()) {
      for (String field : List.of("clusterIP", "clusterIPs", "ipFamilies")) {
        if (old.has(field)) {
          spec.add(field, old.get(field));
        }
      }
    }
  }

  private static void requireSame(
      ApiResource resource,
      ObjectKey key,
      String what,
      String wanted,
      JsonObject object,
      String field) {
    String found = Json.stringAt(Json.metadata(object), field);
    if (!wanted.isEmpty() && !wanted.equals(found)) {
      throw ApiError.preconditionFailed(resource, key, what, wanted, found);
    }
  }

  private void remember(StoreEvent event) {
    history.add(event);
    // Trimmed in bulk, so that a write does not move the whole list each time.
    if (history.size() > 2 * historyLimit) {
      int dropped = history.size() - historyLimit;
      history.subList(0, dropped).clear();
      forgotten += dropped;
    }
    written.signalAll();
  }

  private <T> T change(Supplier<T> body) {
    long before = revision();
    T result = locked(body);
    if (revision() != before) {
      afterWrite.run();
    }
    return result;
  }

  private <T> T locked(Supplier<T> body) {
    lock.lock();
    try {
      return body.get();
    } finally {
      lock.unlock();
    }
  }
}
