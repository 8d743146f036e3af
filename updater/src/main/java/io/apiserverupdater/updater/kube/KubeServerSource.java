package io.apiserverupdater.updater.kube;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.SourceName;
import io.apiserverupdater.updater.export.ServerSource;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.watch.ObjectList;
import io.apiserverupdater.updater.kube.watch.Resource;
import io.apiserverupdater.updater.kube.watch.ResourceWatch;
import io.apiserverupdater.updater.kube.watch.Selection;
import io.kubernetes.client.openapi.models.V1EndpointSlice;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The members of a Service, or nodes. Thread-safe. */
public final class KubeServerSource implements ServerSource, AutoCloseable {
  private static final Duration READ_TIMEOUT = Duration.ofSeconds(5);

  /** No probe tells of an apiserver that has lost its etcd; the list that follows a watch does. */
  private static final Duration LONGEST_WATCH = Duration.ofMinutes(1);

  private static final Resource<NodeModel> NODES =
      new Resource<>("v1", "Node", "nodes", NodeModel.class);

  private final ApiClient api;
  private final ObjectList<?, ?> list;
  private final Supplier<List<EndpointSlice>> slices;
  private final boolean failover;

  // Set once, before anything can end.
  private Optional<ResourceWatch<?>> watch = Optional.empty();

  private KubeServerSource(
      ApiClient api,
      ObjectList<?, ?> list,
      Supplier<List<EndpointSlice>> slices,
      boolean failover) {
    this.api = api;
    this.list = list;
    this.slices = slices;
    this.failover = failover;
  }

  /**
   * The members of a Service, ready or not; nothing is sent yet.
   *
   * @param failover whether they are apiservers that are asked by their own addresses
   * @param monotonic the monotonic clock, in nanoseconds
   */
  public static KubeServerSource ofService(
      ClusterAccess access,
      SourceName source,
      boolean failover,
      String userAgent,
      LongSupplier monotonic) {
    ApiClient api = new ApiClient(access, userAgent, monotonic);
    ObjectList<V1EndpointSlice, EndpointSlice> list = SourceSlices.list(api, source);
    return new KubeServerSource(
        api, list, () -> source.slicesAmong(list.cache().values()), failover);
  }

  /**
   * The nodes that a label selector finds; nothing is sent yet.
   *
   * @param port that all of them listen on
   * @param monotonic the monotonic clock, in nanoseconds
   */
  public static KubeServerSource ofNodes(
      ClusterAccess access, String selector, int port, String userAgent, LongSupplier monotonic) {
    ApiClient api = new ApiClient(access, userAgent, monotonic);
    ObjectList<NodeModel, List<EndpointSlice>> list =
        new ObjectList<>(
            api,
            NODES,
            new Selection("", "labelSelector", selector, Optional.empty()),
            node ->
                Stream.of(AddressFamily.values())
                    .map(family -> Models.node(node, family, port))
                    .toList());
    return new KubeServerSource(
        api, list, () -> list.cache().values().stream().flatMap(List::stream).toList(), false);
  }

  /**
   * Reads once, instead of watching.
   *
   * @return why it could not be read; empty when it was
   */
  public Optional<String> readOnce() {
    return list.failure(READ_TIMEOUT);
  }

  /**
   * Starts to watch.
   *
   * @param changed called after each change, on the watch's thread
   */
  public void start(Runnable changed) {
    ResourceWatch<?> started = new ResourceWatch<>(list, LONGEST_WATCH, () -> changed(changed));
    watch = Optional.of(started);
    started.start();
  }

  private void changed(Runnable listener) {
    if (failover) {
      SourceSlices.use(api, slices.get());
    }
    listener.run();
    // To close connections takes time, and nobody waits for it.
    api.forgetOthers();
  }

  @Override
  public Optional<List<EndpointSlice>> slices() {
    return list.cache().isKnown() ? Optional.of(slices.get()) : Optional.empty();
  }

  @Override
  public void close() {
    watch.ifPresent(ResourceWatch::close);
    api.close();
  }
}
