package io.apiserverupdater.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Service, Endpoints and EndpointSlice {@code default/kubernetes}, and the apiservers' lease
 * reconciler that keeps them: who starts or stops is seen at once, who dies or hangs only when its
 * lease has run out. As in the real one, it does not ask about /readyz, and it does not write an
 * empty list.
 *
 * <p>Thread-safe. A test that writes by hand holds the reconciler still by doing so.
 */
public final class SourceEndpoints implements AutoCloseable {
  /** Namespace and name of the source. */
  public static final String NAMESPACE = "default";

  public static final String NAME = "kubernetes";

  /** The slice of the second address family, which only a test by hand writes. */
  public static final String SECOND_SLICE = "kubernetes-ipv6";

  private static final Comparator<String> ORDER =
      Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());

  private final SandboxStore store;
  private final int port;
  private final Duration leaseTime;
  private final ScheduledExecutorService expiries;
  private final Map<String, Future<?>> expiring = new HashMap<>();
  private final TreeSet<String> members = new TreeSet<>(ORDER);
  private boolean heldStill;
  private boolean closed;

  SourceEndpoints(SandboxStore store, int port, Duration leaseTime) {
    this.store = store;
    this.port = port;
    this.leaseTime = leaseTime;
    this.expiries =
        Executors.newSingleThreadScheduledExecutor(
            body -> {
              Thread thread = new Thread(body, "sandbox-source-" + port);
              thread.setDaemon(true);
              return thread;
            });
    JsonObject service = object(NAME, "component", "apiserver");
    Json.child(Json.child(service, "metadata"), "labels").addProperty("provider", "kubernetes");
    JsonObject servicePort =
        Json.of("name", "https", "port", 443, "protocol", "TCP", "targetPort", port);
    service.add("spec", Json.of("clusterIP", "10.96.0.1", "ports", Json.array(servicePort)));
    store.create(ApiResource.SERVICES, NAMESPACE, service);
  }

  /** The addresses that the reconciler would publish now. */
  public synchronized List<String> members() {
    return List.copyOf(members);
  }

  /** Publishes these addresses by hand; the reconciler keeps still until {@link #letReconcile}. */
  public void set(String... ipv4) {
    set(List.of(ipv4), List.of());
  }

  /**
   * As {@link #set(String...)}, for both families. With IPv6 alone the slice itself is of that
   * family. With none, the slice stays and has no endpoints.
   */
  public synchronized void set(List<String> ipv4, List<String> ipv6) {
    heldStill = true;
    if (ipv4.isEmpty() && !ipv6.isEmpty()) {
      publish(NAME, "IPv6", ipv6);
      remove(ApiResource.ENDPOINT_SLICES, SECOND_SLICE);
      publishEndpoints(ipv6);
      return;
    }
    publish(NAME, "IPv4", ipv4);
    if (ipv6.isEmpty()) {
      remove(ApiResource.ENDPOINT_SLICES, SECOND_SLICE);
    } else {
      publish(SECOND_SLICE, "IPv6", ipv6);
    }
    publishEndpoints(ipv4);
  }

  /** The slice and the Endpoints stay, without an address. */
  public void setEmpty() {
    set(List.of(), List.of());
  }

  /** Slices and Endpoints are deleted. */
  public synchronized void deleteAll() {
    heldStill = true;
    remove(ApiResource.ENDPOINT_SLICES, NAME);
    remove(ApiResource.ENDPOINT_SLICES, SECOND_SLICE);
    remove(ApiResource.ENDPOINTS, NAME);
  }

  /** The reconciler writes what it knows, and goes on. */
  public synchronized void letReconcile() {
    heldStill = false;
    remove(ApiResource.ENDPOINT_SLICES, SECOND_SLICE);
    reconcile();
  }

  synchronized void joined(SandboxApiserver server) {
    cancelExpiry(server.ip());
    members.add(server.ip());
    reconcile();
  }

  synchronized void left(SandboxApiserver server) {
    cancelExpiry(server.ip());
    members.remove(server.ip());
    reconcile();
  }

  /** It no longer renews its lease. */
  synchronized void silent(SandboxApiserver server) {
    String ip = server.ip();
    if (closed || !members.contains(ip)) {
      return;
    }
    cancelExpiry(ip);
    expiring.put(
        ip, expiries.schedule(() -> expire(ip), leaseTime.toNanos(), TimeUnit.NANOSECONDS));
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    expiries.shutdownNow();
    try {
      expiries.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void expire(String ip) {
    // Cancelled in the moment in which it came due: the member is back.
    if (expiring.remove(ip) != null) {
      members.remove(ip);
      reconcile();
    }
  }

  private void cancelExpiry(String ip) {
    Future<?> expiry = expiring.remove(ip);
    if (expiry != null) {
      expiry.cancel(false);
    }
  }

  private void reconcile() {
    // Somebody must be there to write, and nobody writes that there is nobody.
    boolean writer = members.stream().anyMatch(ip -> !expiring.containsKey(ip));
    if (heldStill || closed || !writer) {
      return;
    }
    publish(NAME, "IPv4", List.copyOf(members));
    publishEndpoints(List.copyOf(members));
  }

  private void publish(String name, String family, List<String> addresses) {
    JsonObject slice = object(name, "kubernetes.io/service-name", NAME);
    slice.addProperty("addressType", family);
    JsonArray endpoints = new JsonArray();
    for (String address : addresses) {
      endpoints.add(Json.of("addresses", List.of(address), "conditions", Json.of("ready", true)));
    }
    slice.add("endpoints", endpoints);
    slice.add("ports", ports());
    boolean otherFamily =
        store
            .get(ApiResource.ENDPOINT_SLICES, NAMESPACE, name)
            .filter(s -> !Json.stringAt(s, "addressType").equals(family))
            .isPresent();
    if (otherFamily) {
      // A slice cannot change its family.
      remove(ApiResource.ENDPOINT_SLICES, name);
    }
    write(ApiResource.ENDPOINT_SLICES, name, slice);
  }

  private void publishEndpoints(List<String> addresses) {
    JsonObject endpoints = object(NAME, "endpointslice.kubernetes.io/skip-mirror", "true");
    if (!addresses.isEmpty()) {
      List<JsonObject> ips = addresses.stream().map(address -> Json.of("ip", address)).toList();
      endpoints.add("subsets", Json.array(Json.of("addresses", ips, "ports", ports())));
    }
    write(ApiResource.ENDPOINTS, NAME, endpoints);
  }

  private JsonArray ports() {
    return Json.array(Json.of("name", "https", "port", port, "protocol", "TCP"));
  }

  private void write(ApiResource resource, String name, JsonObject object) {
    if (store.get(resource, NAMESPACE, name).isPresent()) {
      store.update(resource, NAMESPACE, name, object);
    } else {
      store.create(resource, NAMESPACE, object);
    }
  }

  private void remove(ApiResource resource, String name) {
    if (store.get(resource, NAMESPACE, name).isPresent()) {
      store.delete(resource, NAMESPACE, name);
    }
  }

  private static JsonObject object(String name, String label, String value) {
    return Json.of("metadata", Json.of("name", name, "labels", Json.of(label, value)));
  }
}
