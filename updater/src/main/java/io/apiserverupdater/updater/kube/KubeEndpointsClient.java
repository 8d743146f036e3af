package io.apiserverupdater.updater.kube;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.apiserverupdater.updater.controller.EndpointsClient;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.DesiredObject;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Endpoints;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.endpoints.TargetSettings;
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
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.openapi.models.V1Preconditions;
import io.kubernetes.client.openapi.models.V1Service;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** The source and the target, kept warm by watches, written with the version that was compared. */
final class KubeEndpointsClient implements EndpointsClient {
  private static final Duration READ_TIMEOUT = Duration.ofSeconds(5);

  private final ApiClient api;
  private final boolean failover;
  private final TargetSettings settings;
  private final TargetName target;

  private final ObjectList<V1EndpointSlice, EndpointSlice> source;
  private final ObjectList<V1Service, Service> services;
  private final Map<AddressFamily, ObjectList<V1EndpointSlice, EndpointSlice>> slices =
      new EnumMap<>(AddressFamily.class);
  private final ObjectList<V1Endpoints, Endpoints> endpoints;

  /** What is written. */
  private final List<ObjectList<?, ?>> written = new ArrayList<>();

  private final ResourceWatch<?> sourceWatch;
  private final List<ResourceWatch<?>> needed = new ArrayList<>();
  private final List<ResourceWatch<?>> watches = new ArrayList<>();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  /**
   * @param failover whether the source's members may be asked as apiservers themselves
   */
  KubeEndpointsClient(
      ApiClient api, TargetSettings settings, boolean failover, Duration longestWatch) {
    this.api = api;
    this.failover = failover && settings.isApiservers();
    this.settings = settings;
    this.target = settings.target();
    this.source = SourceSlices.list(api, settings.from());
    this.services = named(Resource.SERVICES, target.service(), Models::service);
    this.endpoints = named(Resource.ENDPOINTS, target.service(), Models::endpoints);
    for (AddressFamily family : AddressFamily.values()) {
      slices.put(
          family, named(Resource.ENDPOINT_SLICES, target.slice(family), Models::targetSlice));
    }
    written.addAll(slices.values());
    if (settings.writeEndpoints()) {
      written.add(endpoints);
    }
    sourceWatch = new ResourceWatch<>(source, longestWatch, this::sourceChanged);
    needed.add(sourceWatch);
    slices
        .values()
        .forEach(list -> needed.add(new ResourceWatch<>(list, longestWatch, this::changed)));
    needed.add(new ResourceWatch<>(services, longestWatch, this::changed));
    watches.addAll(needed);
    if (settings.writeEndpoints()) {
      watches.add(new ResourceWatch<>(endpoints, longestWatch, this::changed));
    }
  }

  private <T extends KubernetesObject, V> ObjectList<T, V> named(
      Resource<T> resource, String name, Function<T, V> conversion) {
    return new ObjectList<>(api, resource, Selection.named(target.namespace(), name), conversion);
  }

  /** What keeps it warm; for its owner to start and to close. */
  List<ResourceWatch<?>> watches() {
    return watches;
  }

  /** The watches without which nothing can be decided. */
  List<ResourceWatch<?>> neededToLead() {
    return needed;
  }

  /** How long ago the source was known to be as it is cached. */
  Duration sourceAge() {
    return sourceWatch.age();
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
      SourceSlices.use(api, sourceSlices());
    }
    changed();
    // To close connections takes time, and nobody waits for it.
    api.forgetOthers();
  }

  @Override
  public Optional<ObservedState> observed() {
    boolean known =
        source.cache().isKnown()
            && services.cache().isKnown()
            && slices.values().stream().allMatch(list -> list.cache().isKnown());
    return known ? Optional.of(state(sourceSlices())) : Optional.empty();
  }

  /** The uid of the target Service, "" if there is none; empty while that has not been read. */
  Optional<String> serviceUid() {
    return Optional.of(services.cache())
        .filter(ResourceCache::isKnown)
        .map(
            cache ->
                cache
                    .get(target.service())
                    .map(ResourceCache.Versioned::object)
                    .map(V1Service::getMetadata)
                    .map(V1ObjectMeta::getUid)
                    .orElse(""));
  }

  private List<EndpointSlice> sourceSlices() {
    return settings.ofSource(source.cache().values());
  }

  private ObservedState state(List<EndpointSlice> sourceSlices) {
    Map<AddressFamily, EndpointSlice> current = new EnumMap<>(AddressFamily.class);
    slices.forEach(
        (family, list) ->
            list.cache().value(target.slice(family)).ifPresent(it -> current.put(family, it)));
    return new ObservedState(
        sourceSlices,
        services.cache().value(target.service()),
        current,
        endpoints.cache().value(target.service()));
  }

  @Override
  public WriteResult apply(Change change, Duration timeout) {
    if (change instanceof Change.DeleteSlice delete) {
      return delete(delete, timeout);
    }
    DesiredObject desired = change.desired().orElseThrow();
    if (desired instanceof DesiredObject.Slice slice) {
      return write(
          change,
          timeout,
          Objects.requireNonNull(slices.get(slice.family())),
          () -> Models.slice(slice, target.namespace()),
          current -> Models.update(current, slice));
    }
    if (!endpoints.cache().isKnown()) {
      return new WriteResult.Conflict();
    }
    DesiredObject.LegacyEndpoints legacy = (DesiredObject.LegacyEndpoints) desired;
    return write(
        change,
        timeout,
        endpoints,
        () -> Models.endpoints(legacy, target.namespace()),
        current -> Models.update(current, legacy));
  }

  private <T extends KubernetesObject> WriteResult write(
      Change change,
      Duration timeout,
      ObjectList<T, ?> list,
      Supplier<T> created,
      UnaryOperator<T> updated) {
    Optional<ApiAnswer> failure =
        change instanceof Change.Update update
            ? list.update(update.object().name(), update.resourceVersion(), updated, timeout)
            : list.create(created.get(), timeout);
    return failure.map(KubeEndpointsClient::failure).orElseGet(WriteResult.Written::new);
  }

  private WriteResult delete(Change.DeleteSlice change, Duration timeout) {
    V1DeleteOptions options =
        new V1DeleteOptions()
            .apiVersion("v1")
            .kind("DeleteOptions")
            .dryRun(null)
            .preconditions(new V1Preconditions().resourceVersion(change.resourceVersion()));
    ApiAnswer answer =
        api.send(
            ApiCall.delete(
                Resource.ENDPOINT_SLICES.object(target.namespace(), change.name()),
                KubeJson.text(options)),
            timeout);
    if (answer instanceof ApiAnswer.Ok
        || (answer instanceof ApiAnswer.Status status && status.code() == 404)) {
      slices.values().forEach(list -> list.cache().remove(change.name(), change.resourceVersion()));
      return new WriteResult.Written();
    }
    return failure(answer);
  }

  /** As {@link KubeCluster#annotateService}. */
  WriteResult annotateService(String key, Optional<String> value) {
    JsonObject annotations = new JsonObject();
    annotations.add(key, value.<JsonElement>map(JsonPrimitive::new).orElse(JsonNull.INSTANCE));
    JsonObject metadata = new JsonObject();
    metadata.add("annotations", annotations);
    services
        .cache()
        .get(target.service())
        .ifPresent(read -> metadata.addProperty("resourceVersion", read.version()));
    JsonObject patch = new JsonObject();
    patch.add("metadata", metadata);
    ApiAnswer answer =
        api.send(
            ApiCall.patch(
                Resource.SERVICES.object(target.namespace(), target.service()), patch.toString()),
            LONGEST_WRITE);
    return answer instanceof ApiAnswer.Ok ? new WriteResult.Written() : failure(answer);
  }

  private static WriteResult failure(ApiAnswer answer) {
    if (!(answer instanceof ApiAnswer.Status status)) {
      return new WriteResult.Failed(answer.failure(), Optional.empty());
    }
    if (status.isRejection()) {
      return new WriteResult.Rejected(status.describe());
    }
    return status.code() == 409
        ? new WriteResult.Conflict()
        : new WriteResult.Failed(status.describe(), status.retryAfter());
  }

  @Override
  public void reread() {
    written.forEach(list -> list.read(READ_TIMEOUT));
  }

  /** As {@link KubeCluster#otherSlices}. */
  Optional<List<EndpointSlice>> otherSlices() {
    ObjectList<V1EndpointSlice, EndpointSlice> all =
        new ObjectList<>(
            api,
            Resource.ENDPOINT_SLICES,
            Selection.labelled(
                target.namespace(), EndpointSlice.SERVICE_NAME_LABEL, target.service()),
            Models::slice);
    if (!(all.read(READ_TIMEOUT) instanceof ObjectList.Result.Listed)) {
      return Optional.empty();
    }
    return Optional.of(
        all.cache().values().stream()
            .filter(
                slice ->
                    slices.keySet().stream()
                        .noneMatch(family -> target.slice(family).equals(slice.name())))
            .sorted(Comparator.comparing(EndpointSlice::name))
            .toList());
  }

  /**
   * Reads everything once, without a watch.
   *
   * @param given the slices of the source, where they come from elsewhere
   */
  ClusterReading readOnce(Optional<List<EndpointSlice>> given) {
    if (given.isEmpty()) {
      Optional<String> failure = source.failure(READ_TIMEOUT);
      if (failure.isPresent()) {
        return new ClusterReading.Unreadable(failure.get());
      }
      if (failover) {
        SourceSlices.use(api, sourceSlices());
      }
    }
    Optional<String> failure =
        Stream.concat(Stream.of(services), written.stream())
            .flatMap(list -> list.failure(READ_TIMEOUT).stream())
            .findFirst();
    return failure.isPresent()
        ? new ClusterReading.Unreadable(failure.get())
        : new ClusterReading.Read(state(given.orElseGet(this::sourceSlices)));
  }
}
