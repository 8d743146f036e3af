package io.apiserverupdater.updater.kube;

import io.apiserverupdater.updater.controller.EndpointsClient;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import io.apiserverupdater.updater.events.EventSink;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import io.apiserverupdater.updater.kube.api.ApiAnswer;
import io.apiserverupdater.updater.kube.api.ApiCall;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.api.ApiObserver;
import io.apiserverupdater.updater.kube.api.KubeJson;
import io.apiserverupdater.updater.kube.watch.ResourceWatch;
import io.apiserverupdater.updater.leaderelection.LeaseLock;
import io.apiserverupdater.updater.leaderelection.LeaseName;
import io.kubernetes.client.openapi.models.V1ServiceCIDRList;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The cluster as the updater sees it: the source and the target, the Lease, and the connections
 * that both share. Thread-safe.
 */
public final class KubeCluster implements AutoCloseable {
  private static final String SERVICE_RANGES = "/apis/networking.k8s.io/v1/servicecidrs";
  private static final Duration RANGES_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration LONGEST_WATCH = Duration.ofMinutes(8);

  /**
   * An apiserver that has lost its etcd keeps a watch open, and is silent. The list that begins the
   * next watch finds that out where no probe does.
   */
  private static final Duration LONGEST_UNPROVEN_WATCH = Duration.ofMinutes(1);

  private final ApiClient api;
  private final TargetName target;
  private final KubeEndpointsClient endpoints;
  private final Optional<KubeLeaseLock> lease;

  /** That of the Lease first: who leads decides how soon anything is written. */
  private final List<ResourceWatch<?>> watches = new ArrayList<>();

  private KubeCluster(
      ApiClient api,
      TargetName target,
      KubeEndpointsClient endpoints,
      Optional<KubeLeaseLock> lease) {
    this.api = api;
    this.target = target;
    this.endpoints = endpoints;
    this.lease = lease;
    lease.ifPresent(lock -> watches.add(lock.watch()));
    watches.addAll(endpoints.watches());
  }

  /**
   * Prepares the access; nothing is sent yet.
   *
   * @param failover whether the control planes are asked by their own addresses too
   * @param provenByProbes whether probes tell which members have their etcd
   * @param leaseName the Lease, where there is an election
   * @param monotonic the monotonic clock, in nanoseconds
   */
  public static KubeCluster of(
      ClusterAccess access,
      TargetSettings settings,
      boolean failover,
      boolean provenByProbes,
      Optional<LeaseName> leaseName,
      String userAgent,
      LongSupplier monotonic) {
    Duration longestWatch = provenByProbes ? LONGEST_WATCH : LONGEST_UNPROVEN_WATCH;
    ApiClient api = new ApiClient(access, userAgent, monotonic);
    return new KubeCluster(
        api,
        settings.target(),
        new KubeEndpointsClient(api, settings, failover, longestWatch),
        leaseName.map(name -> new KubeLeaseLock(api, name, longestWatch, monotonic)));
  }

  public EndpointsClient endpoints() {
    return endpoints;
  }

  public Optional<LeaseLock> lease() {
    return lease.map(lock -> lock);
  }

  /** From now on the observer is told of each call, and of each watch that ends. */
  public void observe(ApiObserver observer) {
    api.observe(observer);
  }

  /**
   * Where events about the target Service go.
   *
   * @param instance who this replica is
   */
  public EventSink events(String instance) {
    return new KubeEventSink(api, target, endpoints::serviceUid, instance);
  }

  /** The updater's own pods. */
  public ReplicaPods replicaPods() {
    return new ReplicaPods(api);
  }

  /** Starts to watch. */
  public void start() {
    watches.forEach(ResourceWatch::start);
  }

  /**
   * Reads the source and the target once, instead of watching them.
   *
   * @param source the slices of the source, where they come from elsewhere
   */
  public ClusterReading readOnce(Optional<List<EndpointSlice>> source) {
    return endpoints.readOnce(source);
  }

  /**
   * Sets an annotation of the target Service as it was read last, or removes it. The updater itself
   * never does this, and its Role does not permit it.
   */
  public EndpointsClient.WriteResult annotateService(String key, Optional<String> value) {
    return endpoints.annotateService(key, value);
  }

  /**
   * The slices that carry the target Service's label and not one of our names. RBAC cannot limit
   * that to a name, so the updater's own Role does not permit it.
   *
   * @return empty when the server does not let them be listed
   */
  public Optional<List<EndpointSlice>> otherSlices() {
    return endpoints.otherSlices();
  }

  /**
   * The ranges of cluster IPs, such as {@code 10.96.0.0/12}.
   *
   * @return empty where the server does not tell them: before Kubernetes 1.33, or for want of a
   *     permission
   */
  public List<String> serviceRanges() {
    try {
      return api.send(ApiCall.get(SERVICE_RANGES), RANGES_TIMEOUT) instanceof ApiAnswer.Ok ok
          ? Models.ranges(KubeJson.model(ok.body(), V1ServiceCIDRList.class))
          : List.of();
    } catch (KubeJson.MalformedException e) {
      return List.of();
    }
  }

  /**
   * The members that our probes call unready have changed: they are asked last, and watches leave
   * them.
   *
   * @param members which they are at the moment when it is asked
   */
  public void setUnready(Supplier<? extends Collection<Member>> members) {
    api.setUnready(
        () ->
            members.get().stream()
                .map(member -> ServerAddress.member(member.address(), member.port()))
                .collect(Collectors.toUnmodifiableSet()));
  }

  /** Whether all watching threads run: what a liveness check asks. */
  public boolean isAlive() {
    return watches.stream().allMatch(ResourceWatch::isAlive);
  }

  /** Whether a watch of source or target is open now: what a readiness check asks. */
  public boolean isReachable() {
    return endpoints.watches().stream().anyMatch(ResourceWatch::isOpen);
  }

  /** For how long a part of what a leader needs could not be read though servers answered. */
  public Duration unreadable() {
    return endpoints.neededToLead().stream()
        .map(ResourceWatch::unreadable)
        .max(Comparator.naturalOrder())
        .orElse(Duration.ZERO);
  }

  /** What cannot be read at this moment, each with its reason. */
  public List<String> unread() {
    return watches.stream()
        .filter(watch -> !watch.unreadable().isZero())
        .map(ResourceWatch::describe)
        .toList();
  }

  /** How long ago the source was known to be as it is cached; zero while it is watched. */
  public Duration sourceAge() {
    return endpoints.sourceAge();
  }

  /** Which apiservers are known, and whether their word is doubted: what a metric shows. */
  public Map<ServerAddress, Boolean> distrusted() {
    return api.distrusted();
  }

  /** How long ago an apiserver has answered anything. */
  public Duration sinceLastAnswer() {
    return api.sinceLastAnswer();
  }

  @Override
  public void close() {
    watches.forEach(ResourceWatch::close);
    api.close();
  }
}
