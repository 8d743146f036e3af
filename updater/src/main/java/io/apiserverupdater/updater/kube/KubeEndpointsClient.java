package io.apiserverupdater.updater.kube;

import io.apiserverupdater.updater.controller.EndpointsClient;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.DesiredObject;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import io.apiserverupdater.updater.kube.api.ApiAnswer;
import io.apiserverupdater.updater.kube.api.ApiCall;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.api.KubeJson;
import io.apiserverupdater.updater.kube.watch.ObjectList;
import io.apiserverupdater.updater.kube.watch.Resource;
import io.apiserverupdater.updater.kube.watch.ResourceCache;
import io.apiserverupdater.updater.kube.watch.ResourceWatch;
import io.apiserverupdater.updater.kube.watch.Selection;
import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.openapi.models.V1DeleteOptions;
import io.kubernetes.client.openapi.models.V1EndpointSlice;
import io.kubernetes.client.openapi.models.V1Endpoints;
import io.kubernetes.client.openapi.models.V1Preconditions;
import io.kubernetes.client.openapi.models.V1Service;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/** The source and the target, kept warm by watches, written with the version that was compared. */
final class KubeEndpointsClient implements EndpointsClient, AutoCloseable {
  private static final Duration WRITE_TIMEOUT = Duration.ofSeconds(3);
  private static final Duration READ_TIMEOUT = Duration.ofSeconds(5);

  private final ApiClient api;
  private final TargetSettings settings;
  private final boolean failover;
  private final String namespace;
  private final String service;

  private final ResourceCache<V1EndpointSlice> source = new ResourceCache<>();
  private final ResourceCache<V1Service> services = new ResourceCache<>();
  private final Map<AddressFamily, ResourceCache<V1EndpointSlice>> slices =
      new EnumMap<>(AddressFamily.class);
  private final ResourceCache<V1Endpoints> endpoints = new ResourceCache<>();

  private final List<ResourceWatch<?>> watches = new ArrayList<>();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  /**
   * @param failover whether the source's members may be asked as apiservers themselves
   */
  KubeEndpointsClient(ApiClient api, TargetSettings settings, boolean failover) {
    this.api = api;
    this.settings = settings;
    this.failover = failover && settings.isApiservers();
    this.namespace = settings.target().namespace();
    this.service = settings.target().service();
    watch(Resource.ENDPOINT_SLICES, sourceSlices(settings), source, this::sourceChanged);
    watch(Resource.SERVICES, Selection.named(namespace, service), services, this::changed);
    for (AddressFamily family : AddressFamily.values()) {
      ResourceCache<V1EndpointSlice> cache = new ResourceCache<>();
      slices.put(family, cache);
      watch(
          Resource.ENDPOINT_SLICES,
          Selection.named(namespace, family.sliceName(service)),
          cache,
          this::changed);
    }
    if (settings.writeEndpoints()) {
      watch(Resource.ENDPOINTS, Selection.named(namespace, service), endpoints, this::changed);
    }
  }

  /**
   * The slices of the source. The apiservers write one slice under their Service's own name, so
   * that RBAC can grant it by name; the slices of any other Service have generated names.
   */
  private static Selection sourceSlices(TargetSettings settings) {
    String namespace = settings.sourceNamespace();
    return settings.isApiservers()
        ? Selection.named(namespace, settings.sourceName())
        : Selection.labelled(namespace, EndpointSlice.SERVICE_NAME_LABEL, settings.sourceName());
  }

  private <T extends KubernetesObject> void watch(
      Resource<T> resource, Selection selection, ResourceCache<T> cache, Runnable changed) {
    watches.add(new ResourceWatch<>(api, resource, selection, cache, changed));
  }

  void start() {
    watches.forEach(ResourceWatch::start);
  }

  /** Whether all watching threads run. */
  boolean isAlive() {
    return watches.stream().allMatch(ResourceWatch::isAlive);
  }

  /** Whether some watch is open at this moment. */
  boolean isReachable() {
    return watches.stream().anyMatch(ResourceWatch::isOpen);
  }

  /** Has the watches that are at one of these go on elsewhere. */
  void leave(Set<ServerAddress> servers) {
    watches.forEach(watch -> watch.leave(servers));
  }

  @Override
  public void close() {
    watches.forEach(ResourceWatch::close);
  }

  @Override
  public void onChange(Runnable listener) {
    listeners.add(listener);
  }

  private void changed() {
    listeners.forEach(Runnable::run);
  }

  private void sourceChanged() {
    if (failover) {
      useMembers();
    }
    changed();
    // To close connections takes time, and nobody waits for it.
    api.forgetOthers();
  }

  /** An empty source says nothing of where the apiservers are: the last ones known stay. */
  private void useMembers() {
    List<ServerAddress> members = members();
    if (!members.isEmpty()) {
      api.setMembers(members);
    }
  }

  /** The control planes in an order of this process' own, so that replicas spread their load. */
  private List<ServerAddress> members() {
    List<ServerAddress> members = new ArrayList<>();
    for (ResourceCache.Versioned<V1EndpointSlice> slice : source.all()) {
      EndpointSlice value = Models.slice(slice.object());
      value.servingPorts().stream()
          .findFirst()
          .ifPresent(
              port ->
                  value
                      .endpoints()
                      .forEach(
                          endpoint ->
                              members.add(ServerAddress.member(endpoint.address(), port.port()))));
    }
    Collections.shuffle(members, new java.util.Random(System.identityHashCode(this)));
    return members;
  }

  @Override
  public Optional<ObservedState> observed() {
    boolean known =
        source.isKnown()
            && services.isKnown()
            && slices.values().stream().allMatch(ResourceCache::isKnown)
            && (endpoints.isKnown() || !settings.writeEndpoints());
    if (!known) {
      return Optional.empty();
    }
    Map<AddressFamily, EndpointSlice> current = new EnumMap<>(AddressFamily.class);
    slices.forEach(
        (family, cache) ->
            cache
                .get(family.sliceName(service))
                .ifPresent(slice -> current.put(family, Models.slice(slice.object()))));
    return Optional.of(
        new ObservedState(
            source.all().stream().map(slice -> Models.slice(slice.object())).toList(),
            services.get(service).map(found -> Models.service(found.object())),
            current,
            endpoints.get(service).map(found -> Models.endpoints(found.object()))));
  }

  @Override
  public WriteResult apply(Change change) {
    if (change instanceof Change.DeleteSlice delete) {
      return delete(delete);
    }
    DesiredObject desired = change.desired().orElseThrow();
    if (desired instanceof DesiredObject.Slice slice) {
      ResourceCache<V1EndpointSlice> cache = cache(slice.family());
      if (change instanceof Change.Create) {
        return create(Resource.ENDPOINT_SLICES, Models.slice(slice, namespace), cache);
      }
      return compared(cache, (Change.Update) change)
          .map(current -> Models.update(Models.copy(current), slice))
          .map(next -> replace(Resource.ENDPOINT_SLICES, slice.name(), next, cache))
          .orElseGet(WriteResult.Conflict::new);
    }
    DesiredObject.LegacyEndpoints legacy = (DesiredObject.LegacyEndpoints) desired;
    if (change instanceof Change.Create) {
      return create(Resource.ENDPOINTS, Models.endpoints(legacy, namespace), endpoints);
    }
    return compared(endpoints, (Change.Update) change)
        .map(current -> Models.update(Models.copy(current), legacy))
        .map(next -> replace(Resource.ENDPOINTS, legacy.name(), next, endpoints))
        .orElseGet(WriteResult.Conflict::new);
  }

  private ResourceCache<V1EndpointSlice> cache(AddressFamily family) {
    ResourceCache<V1EndpointSlice> cache = slices.get(family);
    if (cache == null) {
      throw new IllegalStateException("no cache for " + family);
    }
    return cache;
  }

  /** The object in the version that was compared; none when it has changed since. */
  private static <T> Optional<T> compared(ResourceCache<T> cache, Change.Update change) {
    return cache
        .get(change.object().name())
        .filter(current -> current.version().equals(change.resourceVersion()))
        .map(ResourceCache.Versioned::object);
  }

  private <T extends KubernetesObject> WriteResult create(
      Resource<T> resource, T object, ResourceCache<T> cache) {
    ApiAnswer answer =
        api.send(
            ApiCall.post(resource.collection(namespace), KubeJson.text(object)), WRITE_TIMEOUT);
    return result(resource, answer, cache);
  }

  private <T extends KubernetesObject> WriteResult replace(
      Resource<T> resource, String name, T object, ResourceCache<T> cache) {
    ApiAnswer answer =
        api.send(
            ApiCall.put(resource.object(namespace, name), KubeJson.text(object)), WRITE_TIMEOUT);
    return result(resource, answer, cache);
  }

  private WriteResult delete(Change.DeleteSlice change) {
    V1DeleteOptions options =
        new V1DeleteOptions()
            .apiVersion("v1")
            .kind("DeleteOptions")
            .dryRun(null)
            .preconditions(new V1Preconditions().resourceVersion(change.resourceVersion()));
    ApiAnswer answer =
        api.send(
            ApiCall.delete(
                Resource.ENDPOINT_SLICES.object(namespace, change.name()), KubeJson.text(options)),
            WRITE_TIMEOUT);
    if (answer instanceof ApiAnswer.Ok
        || (answer instanceof ApiAnswer.Status status && status.code() == 404)) {
      slices.values().forEach(cache -> cache.remove(change.name(), change.resourceVersion()));
      return new WriteResult.Written();
    }
    return failure(answer);
  }

  private static <T extends KubernetesObject> WriteResult result(
      Resource<T> resource, ApiAnswer answer, ResourceCache<T> cache) {
    if (!(answer instanceof ApiAnswer.Ok ok)) {
      return failure(answer);
    }
    try {
      cache.put(ObjectList.versioned(KubeJson.model(ok.body(), resource.type())));
      return new WriteResult.Written();
    } catch (KubeJson.MalformedException e) {
      return new WriteResult.Failed(KubeJson.orEmpty(e.getMessage()), Optional.empty());
    }
  }

  private static WriteResult failure(ApiAnswer answer) {
    if (answer instanceof ApiAnswer.Status status) {
      if (status.isRejection()) {
        return new WriteResult.Rejected(status.describe());
      }
      switch (status.code()) {
        case 404, 409 -> {
          // 404: gone since it was read, or its namespace is.
          return status.code() == 409
              ? new WriteResult.Conflict()
              : new WriteResult.Failed(status.describe(), Optional.empty());
        }
        default -> {
          return new WriteResult.Failed(status.describe(), status.retryAfter());
        }
      }
    }
    return new WriteResult.Failed(answer.failure(), Optional.empty());
  }

  @Override
  public boolean reread() {
    boolean all = true;
    for (AddressFamily family : AddressFamily.values()) {
      all &= read(Resource.ENDPOINT_SLICES, family.sliceName(service), cache(family)).isEmpty();
    }
    if (settings.writeEndpoints()) {
      all &= read(Resource.ENDPOINTS, service, endpoints).isEmpty();
    }
    return all;
  }

  /**
   * Reads everything once, without a watch.
   *
   * @param withSource whether the source is read too, or only the target
   * @return why it could not be read; empty when it could
   */
  Optional<String> readOnce(boolean withSource) {
    return (withSource ? readSource() : Optional.<String>empty())
        .or(() -> list(Resource.SERVICES, Selection.named(namespace, service), services))
        .or(
            () ->
                slices.entrySet().stream()
                    .map(
                        entry ->
                            list(
                                Resource.ENDPOINT_SLICES,
                                Selection.named(namespace, entry.getKey().sliceName(service)),
                                entry.getValue()))
                    .flatMap(Optional::stream)
                    .findFirst())
        .or(
            () ->
                settings.writeEndpoints()
                    ? list(Resource.ENDPOINTS, Selection.named(namespace, service), endpoints)
                    : Optional.empty());
  }

  private Optional<String> readSource() {
    Optional<String> failure = list(Resource.ENDPOINT_SLICES, sourceSlices(settings), source);
    if (failure.isEmpty() && failover) {
      useMembers();
    }
    return failure;
  }

  private <T extends KubernetesObject> Optional<String> list(
      Resource<T> resource, Selection selection, ResourceCache<T> cache) {
    return new ObjectList<>(api, resource, selection, cache).failure(READ_TIMEOUT);
  }

  private <T extends KubernetesObject> Optional<String> read(
      Resource<T> resource, String name, ResourceCache<T> cache) {
    return list(resource, Selection.named(namespace, name), cache);
  }
}
