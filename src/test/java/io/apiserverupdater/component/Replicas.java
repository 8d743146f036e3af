package io.apiserverupdater.component;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.TemporaryFolder;
import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.AuditLog;
import io.apiserverupdater.sandbox.Json;
import io.apiserverupdater.sandbox.Kubeconfig;
import io.apiserverupdater.sandbox.RequestInfo;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Updaters at a sandbox cluster, and the namespaces that they write to. Each is a user of its own,
 * so that the audit log tells them apart. Thread-safe; closing it kills them all, and the cluster.
 */
final class Replicas implements AutoCloseable {
  /** Long enough for a loaded machine; nothing waits for its end when all is well. */
  static final Duration SOON = Duration.ofSeconds(20);

  /** The control plane's own promise to repair, with room for a loaded machine. */
  static final Duration QUIET = Duration.ofMillis(700);

  /** So long that only a release or a deletion lets another one lead, however busy the machine. */
  static final String[] LONG_LEASE = {
    "--lease-duration=30s", "--renew-deadline=20s", "--retry-period=300ms"
  };

  /** For tests in which it runs out. */
  static final String[] SHORT_LEASE = {
    "--lease-duration=2s", "--renew-deadline=1s", "--retry-period=300ms"
  };

  private static final AtomicInteger NUMBER = new AtomicInteger();

  private final SandboxCluster cluster;
  private final TemporaryFolder folder = TemporaryFolder.create("updater-component");
  private final List<UpdaterProcess> started = new CopyOnWriteArrayList<>();
  private final Map<UpdaterProcess, String> targets = new ConcurrentHashMap<>();

  Replicas(SandboxCluster cluster) {
    this.cluster = cluster;
  }

  SandboxCluster cluster() {
    return cluster;
  }

  /** A folder for files; it is the home folder of every process. */
  Path folder() {
    return folder.path();
  }

  /** A name that nobody has used: for a namespace, a user or a file. */
  static String fresh(String prefix) {
    return prefix + "-" + NUMBER.incrementAndGet();
  }

  /** A new namespace without a Service. */
  String emptyNamespace() {
    String namespace = fresh("target");
    cluster
        .store()
        .create(ApiResource.NAMESPACES, "", "{\"metadata\":{\"name\":\"" + namespace + "\"}}");
    return namespace;
  }

  /** A new namespace with the Service {@code apiserver}. */
  String namespace() {
    String namespace = emptyNamespace();
    cluster.createApiserverService(namespace, "apiserver", "10.96.0.64");
    return namespace;
  }

  /** A kubeconfig with a token of a user. */
  Path kubeconfig(String user) {
    return kubeconfig(new Kubeconfig.Identity.Token(user, cluster.access().issueToken(user)));
  }

  /** The same, with other lines in place of those that name the server, indented by four. */
  Path kubeconfig(String user, UnaryOperator<String> serverLines) throws IOException {
    Path file = kubeconfig(user);
    String yaml =
        Pattern.compile("(?m)^ +server: .*$")
            .matcher(Files.readString(file))
            .replaceAll(line -> Matcher.quoteReplacement(serverLines.apply(line.group())));
    return Files.writeString(file, yaml);
  }

  Path kubeconfig(Kubeconfig.Identity identity) {
    Path file = folder().resolve(fresh("kubeconfig"));
    cluster.kubeconfig(identity).write(file);
    return file;
  }

  /** Starts a single replica, which takes part in no election. */
  UpdaterProcess single(String user, String namespace, String... flags) {
    return with(user, namespace, kubeconfig(user), append(flags, "--leader-elect=false"));
  }

  /** Starts one of several replicas; it is known to the Lease by its user's name. */
  UpdaterProcess replica(String user, String namespace, String... flags) {
    return with(user, namespace, kubeconfig(user), flags);
  }

  UpdaterProcess with(String user, String namespace, Path kubeconfig, String... flags) {
    List<String> all = new ArrayList<>();
    all.add("--kubeconfig=" + kubeconfig);
    all.add("--namespace=" + namespace);
    all.add("--identity=" + user);
    if (List.of(flags).stream().noneMatch(flag -> flag.startsWith("--listen"))) {
      all.add("--listen=0");
    }
    if (List.of(flags).stream().noneMatch(flag -> flag.startsWith("--health-check"))) {
      // The members of most tests are addresses at which nobody is.
      all.add("--health-check=off");
    }
    if (List.of(flags).stream().noneMatch(flag -> flag.startsWith("--events"))) {
      // A fault that is meant for the next write is to meet what the test is about.
      all.add("--events=false");
    }
    all.addAll(List.of(flags));
    UpdaterProcess replica = run(UpdaterProcess.jar(all), Map.of(), "");
    targets.put(replica, namespace);
    return replica;
  }

  /** Runs the jar to its end. */
  UpdaterProcess.Result oneShot(String... flags) throws InterruptedException {
    return run(UpdaterProcess.jar(List.of(flags)), Map.of(), "").result(SOON);
  }

  /** Starts any command; it ends with this at the latest. */
  UpdaterProcess run(List<String> command, Map<String, String> variables, String stdin) {
    UpdaterProcess process = UpdaterProcess.start(command, folder(), variables, stdin);
    started.add(process);
    return process;
  }

  private static String[] append(String[] flags, String flag) {
    List<String> all = new ArrayList<>(List.of(flags));
    all.add(flag);
    return all.toArray(new String[0]);
  }

  /** Waits until the target is what the source is: IPv4, in slice and Endpoints. */
  void awaitMirrored(String namespace, String... addresses) {
    awaitMirrored(namespace, List.of(addresses));
  }

  void awaitMirrored(String namespace, List<String> addresses) {
    await(namespace, namespace + " has " + addresses, () -> isMirrored(namespace, addresses));
  }

  /**
   * Waits until something holds of a target; the error has what its updaters have asked and logged
   * last.
   */
  void await(String namespace, String what, BooleanSupplier condition) {
    try {
      cluster.awaitTrue(what, condition);
    } catch (AssertionError e) {
      StringBuilder message = new StringBuilder(String.valueOf(e.getMessage()));
      message.append("\nslice ").append(cluster.sliceAddresses(namespace, "apiserver-ipv4"));
      message.append(", Endpoints ").append(cluster.endpointsAddresses(namespace, "apiserver"));
      last(requestsFor(namespace), message);
      targets.forEach(
          (replica, target) -> {
            if (target.equals(namespace)) {
              last(replica.log(), message);
            }
          });
      throw new AssertionError(message.toString(), e);
    }
  }

  private static void last(List<?> lines, StringBuilder message) {
    lines
        .subList(Math.max(0, lines.size() - 50), lines.size())
        .forEach(line -> message.append("\n  ").append(line));
  }

  /** What the updaters of a target have asked, but for probes. */
  private List<AuditLog.Entry> requestsFor(String namespace) {
    Set<String> users =
        cluster.audit().entries(e -> e.request().namespace().equals(namespace)).stream()
            .map(e -> e.request().user())
            .collect(Collectors.toSet());
    return cluster
        .audit()
        .entries(e -> users.contains(e.request().user()) && !e.request().path().equals("/readyz"));
  }

  boolean isMirrored(String namespace, List<String> addresses) {
    List<String> sorted = addresses.stream().sorted().toList();
    return cluster.sliceAddresses(namespace, "apiserver-ipv4").equals(sorted)
        && cluster.endpointsAddresses(namespace, "apiserver").equals(sorted);
  }

  /** Waits until the target's ready members are these, in slice and Endpoints. */
  void awaitReady(String namespace, List<String> addresses) {
    await(
        namespace,
        namespace + " has ready " + addresses,
        () ->
            ready(namespace).equals(addresses.stream().sorted().toList())
                && cluster.endpointsAddresses(namespace, "apiserver").equals(ready(namespace)));
  }

  /** The ready addresses of the IPv4 slice, sorted. */
  List<String> ready(String namespace) {
    List<String> ready = new ArrayList<>();
    cluster
        .store()
        .get(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv4")
        .ifPresent(
            slice -> {
              for (int i = 0; !Json.text(slice, "endpoints/" + i).isEmpty(); i++) {
                String at = "endpoints/" + i;
                if (Json.text(slice, at + "/conditions/ready").equals("true")) {
                  ready.add(Json.text(slice, at + "/addresses/0"));
                }
              }
            });
    return ready.stream().sorted().toList();
  }

  JsonObject slice(String namespace) {
    return cluster
        .store()
        .get(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv4")
        .orElseThrow(() -> new AssertionError("no slice apiserver-ipv4 in " + namespace));
  }

  /** Successful writes of a user, its Lease apart, after a moment of {@link System#nanoTime}. */
  List<AuditLog.Entry> writes(String user, long since) {
    return cluster.audit().writesSince(since).stream()
        .filter(entry -> entry.request().user().equals(user))
        .filter(entry -> !entry.request().resource().equals("leases"))
        .toList();
  }

  /** All requests of a user after a moment. */
  List<AuditLog.Entry> requests(String user, long since) {
    return cluster
        .audit()
        .entries(e -> e.nanoTime() - since > 0 && e.request().user().equals(user));
  }

  /** Where a user's watches of such objects were opened, one after the other. */
  List<String> watches(String user, String resource) {
    return cluster
        .audit()
        .entries(
            entry ->
                entry.request().user().equals(user)
                    && entry.request().isWatch()
                    && entry.request().resource().equals(resource))
        .stream()
        .map(entry -> entry.request().apiserver())
        .toList();
  }

  /** Requests of a user: what faults are made for. */
  static Predicate<RequestInfo> of(String user) {
    return request -> request.user().equals(user);
  }

  /** Kills every updater; the cluster and the source are as they were at the start. */
  void reset() {
    started.forEach(UpdaterProcess::close);
    started.clear();
    cluster.faults().clearAll();
    cluster.source().letReconcile();
  }

  @Override
  public void close() {
    started.forEach(UpdaterProcess::close);
    cluster.close();
    folder.close();
  }
}
