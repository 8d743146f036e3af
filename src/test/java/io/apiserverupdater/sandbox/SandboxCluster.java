package io.apiserverupdater.sandbox;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;

/**
 * A Kubernetes control plane in this process: a store, a certificate authority, and apiservers on
 * 127.x.y.1, 127.x.y.2 and so on, all on one port.
 *
 * <p>Thread-safe. Close it: that ends every apiserver, connection and thread.
 */
public final class SandboxCluster implements AutoCloseable {
  private static final int ATTEMPTS = 50;
  private static final Duration SOON = Duration.ofSeconds(20);

  /** The last byte of the cluster IP: far from those of the apiservers. */
  private static final int SERVICE_HOST = 200;

  private final Builder settings;
  private final Pulse pulse = new Pulse();
  private final SandboxStore store;
  private final AccessControl access = new AccessControl();
  private final AuditLog audit = new AuditLog(pulse::beat);
  private final FaultPlan faults = new FaultPlan(pulse::beat);
  private final SandboxPki clientPki = SandboxPki.create("sandbox-ca");
  private final SourceEndpoints source;
  private final List<SandboxApiserver> apiservers = new CopyOnWriteArrayList<>();
  private final int subnet;
  private final String adminToken;
  private volatile SandboxPki pki = clientPki;

  /** How the cluster is to be. */
  public static final class Builder {
    private int apiservers = 3;
    private int port = 6443;
    private Duration reconcileTtl = Duration.ofSeconds(15);
    private Duration drain = Duration.ofMillis(200);
    private Duration bookmarkInterval = Duration.ofMinutes(1);
    private int historyLimit = 10_000;

    private Builder() {}

    /** How many to start with; 3 by default. */
    public Builder apiservers(int count) {
      apiservers = count;
      return this;
    }

    /** The port of all apiservers; 6443 by default. */
    public Builder port(int value) {
      port = value;
      return this;
    }

    /** How long a dead apiserver stays in the source; 15 s by default, as in the real one. */
    public Builder reconcileTtl(Duration value) {
      reconcileTtl = value;
      return this;
    }

    /** How long a stopping apiserver goes on serving, not ready; 200 ms by default. */
    public Builder drain(Duration value) {
      drain = value;
      return this;
    }

    /** How often watches that want bookmarks get one; 1 min by default. */
    public Builder bookmarkInterval(Duration value) {
      bookmarkInterval = value;
      return this;
    }

    /** How many writes a watch can at least look back on; 10,000 by default. */
    public Builder historyLimit(int writes) {
      historyLimit = writes;
      return this;
    }

    public SandboxCluster start() {
      SandboxCluster cluster = new SandboxCluster(this);
      try {
        for (int i = 0; i < apiservers; i++) {
          cluster.addApiserver();
        }
        return cluster;
      } catch (RuntimeException e) {
        cluster.close();
        throw e;
      }
    }
  }

  private SandboxCluster(Builder settings) {
    this.settings = settings;
    this.subnet = freeSubnet(settings.port);
    this.store = new SandboxStore(settings.historyLimit, pulse::beat);
    this.adminToken = access.issueToken("admin");
    for (String namespace : List.of("default", "kube-system", "kube-public")) {
      store.create(ApiResource.NAMESPACES, "", named(namespace));
    }
    this.source = new SourceEndpoints(store, settings.port, settings.reconcileTtl);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Three apiservers, and everything as by default. */
  public static SandboxCluster start() {
    return builder().start();
  }

  public SandboxStore store() {
    return store;
  }

  public AccessControl access() {
    return access;
  }

  public AuditLog audit() {
    return audit;
  }

  public FaultPlan faults() {
    return faults;
  }

  /** What {@code default/kubernetes} says. */
  public SourceEndpoints source() {
    return source;
  }

  /** All apiservers that ever joined, in that order, from cp1. */
  public List<SandboxApiserver> apiservers() {
    return List.copyOf(apiservers);
  }

  /** The apiserver by its place, from 0. */
  public SandboxApiserver apiserver(int index) {
    return apiservers.get(index);
  }

  /** The addresses of the apiservers that run, in their order. */
  public List<String> runningAddresses() {
    return apiservers.stream()
        .filter(s -> s.state() == SandboxApiserver.State.RUNNING)
        .map(SandboxApiserver::ip)
        .toList();
  }

  /** One more apiserver joins, under the next address. */
  public synchronized SandboxApiserver addApiserver() {
    int number = apiservers.size() + 1;
    SandboxApiserver server =
        new SandboxApiserver("cp" + number, address(subnet, number), settings.port, this);
    server.start();
    apiservers.add(server);
    return server;
  }

  /** The authority that signs serving certificates now. */
  public SandboxPki pki() {
    return pki;
  }

  /** The authority that clients' certificates must be signed by; it does not rotate. */
  public SandboxPki clientPki() {
    return clientPki;
  }

  /** Every running apiserver restarts with a certificate of a new authority. */
  public synchronized SandboxPki rotateServingAuthority() {
    pki = SandboxPki.create("sandbox-ca-2");
    for (SandboxApiserver server : apiservers) {
      if (server.state() != SandboxApiserver.State.STOPPED) {
        server.restart();
      }
    }
    return pki;
  }

  /** The token of the user "admin". */
  public String adminToken() {
    return adminToken;
  }

  /** A kubeconfig for the admin, with one context per running apiserver. */
  public Kubeconfig kubeconfig() {
    return Kubeconfig.of(this, new Kubeconfig.Identity.Token("admin", adminToken));
  }

  /** A kubeconfig for anybody. */
  public Kubeconfig kubeconfig(Kubeconfig.Identity identity) {
    return Kubeconfig.of(this, identity);
  }

  /** A user known by a client certificate. */
  public Kubeconfig.Identity clientCertificate(String user) {
    return new Kubeconfig.Identity.Certificate(user, clientPki.client(user));
  }

  /** A Service without a selector, with one port 6443 named https. */
  public JsonObject createApiserverService(String namespace, String name, String clusterIp) {
    JsonObject service = named(name);
    JsonObject port = Json.of("name", "https", "port", 6443, "protocol", "TCP");
    service.add("spec", Json.of("clusterIP", clusterIp, "ports", Json.array(port)));
    return store.create(ApiResource.SERVICES, namespace, service);
  }

  /** A cluster IP of these apiservers, on a loopback address that leads nowhere yet. */
  public ServiceAddress serviceAddress() {
    return new ServiceAddress(address(subnet, SERVICE_HOST), settings.port, this::runningAddresses);
  }

  /** The addresses in a slice, sorted; empty when it is absent. */
  public List<String> sliceAddresses(String namespace, String name) {
    return store.get(ApiResource.ENDPOINT_SLICES, namespace, name).stream()
        .flatMap(slice -> Json.arrayAt(slice, "endpoints").asList().stream())
        .flatMap(e -> Json.arrayAt(e.getAsJsonObject(), "addresses").asList().stream())
        .map(a -> a.getAsString())
        .sorted()
        .toList();
  }

  /** The ready addresses in an Endpoints, sorted; empty when it is absent. */
  public List<String> endpointsAddresses(String namespace, String name) {
    return store.get(ApiResource.ENDPOINTS, namespace, name).stream()
        .flatMap(e -> Json.arrayAt(e, "subsets").asList().stream())
        .flatMap(s -> Json.arrayAt(s.getAsJsonObject(), "addresses").asList().stream())
        .map(a -> Json.stringAt(a.getAsJsonObject(), "ip"))
        .sorted()
        .toList();
  }

  /** Who holds a lease; "" when nobody does, or when there is no such lease. */
  public String leaseHolder(String namespace, String name) {
    return store
        .get(ApiResource.LEASES, namespace, name)
        .map(l -> Json.stringAt(Json.objectAt(l, "spec"), "holderIdentity"))
        .orElse("");
  }

  /** Makes somebody else the holder of a lease, or nobody with "". */
  public void setLeaseHolder(String namespace, String name, String holder) {
    store.edit(
        ApiResource.LEASES,
        namespace,
        name,
        lease -> {
          Json.child(lease, "spec").add("holderIdentity", new JsonPrimitive(holder));
          return lease;
        });
  }

  /** Waits as long as a loaded machine needs. */
  public void awaitTrue(String what, BooleanSupplier condition) {
    awaitTrue(what, SOON, condition);
  }

  /**
   * Waits until something holds, asking after each write, request and change of an apiserver.
   *
   * @param what for the message, such as "the slice has three addresses"
   * @throws AssertionError when it does not hold in time
   */
  public void awaitTrue(String what, Duration limit, BooleanSupplier condition) {
    try {
      if (pulse.await(condition, limit)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting until " + what, e);
    }
    List<AuditLog.Entry> entries = audit.entries();
    StringBuilder message = new StringBuilder("not within " + limit + ": " + what);
    entries
        .subList(Math.max(0, entries.size() - 20), entries.size())
        .forEach(e -> message.append("\n  ").append(e));
    throw new AssertionError(message.toString());
  }

  /** Waits a time in which something must not happen. */
  public void awaitNever(String what, Duration time, BooleanSupplier condition) {
    try {
      if (pulse.await(condition, time)) {
        throw new AssertionError("happened, though it should not: " + what);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while watching for: " + what, e);
    }
  }

  /** Ends everything; an AssertionError says that threads did not end within 5 s. */
  @Override
  public void close() {
    source.close();
    AssertionError stuck = new AssertionError("apiservers did not end");
    for (SandboxApiserver server : apiservers) {
      try {
        server.end();
      } catch (AssertionError e) {
        stuck.addSuppressed(e);
      }
    }
    if (stuck.getSuppressed().length > 0) {
      throw stuck;
    }
  }

  Pulse pulse() {
    return pulse;
  }

  Duration drain() {
    return settings.drain;
  }

  Duration bookmarkInterval() {
    return settings.bookmarkInterval;
  }

  private static JsonObject named(String name) {
    return Json.of("metadata", Json.of("name", name));
  }

  /** Two clusters at the same time must not meet, so each takes a random 127.x.y.0/24. */
  private static int freeSubnet(int port) {
    for (int i = 0; i < ATTEMPTS; i++) {
      int candidate = ThreadLocalRandom.current().nextInt(1 << 8, 1 << 16);
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(address(candidate, 1), port));
        return candidate;
      } catch (IOException e) {
        // Taken: try another.
      }
    }
    throw new UncheckedIOException(
        new IOException("no free loopback address for port " + port + " found"));
  }

  private static InetAddress address(int subnet, int host) {
    try {
      return InetAddress.getByAddress(
          new byte[] {127, (byte) (subnet >> 8), (byte) subnet, (byte) host});
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
