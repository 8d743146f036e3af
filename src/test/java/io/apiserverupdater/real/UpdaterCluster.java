package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.lab.AdminClient;
import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.PodProcess;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.lab.Worker;
import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A lab for the tests of one class, with {@code deploy/kustomize/base} applied by kubectl. Each
 * test starts its own replicas of the updater and finds the cluster whole, without a Lease and
 * without a target. Used by one test thread at a time.
 *
 * <p>There is no scheduler, so the pods of the Deployment stay pending; the replicas are processes
 * that have what such a pod would have, the token of its ServiceAccount above all.
 */
final class UpdaterCluster
    implements BeforeAllCallback, AfterTestExecutionCallback, AfterEachCallback, AfterAllCallback {
  static final String USER = "system:serviceaccount:kube-system:apiserver-updater";
  static final String SERVICES = "/api/v1/namespaces/kube-system/services";
  static final String ENDPOINTS = "/api/v1/namespaces/kube-system/endpoints";
  static final String SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
  static final String EVENTS = "/api/v1/namespaces/kube-system/events";
  static final String SLICE = "apiserver-ipv4";
  static final String SERVICE = "apiserver";
  static final String LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
  static final String LEASE = "apiserver-updater";

  /** Far more than anything here should take: a slow machine must not fail a test. */
  static final Duration SOON = Duration.ofSeconds(15);

  private static final Duration SOURCE = Duration.ofSeconds(45);
  static final int POD_USER = 65532;

  private final Lab.Builder plan;
  private final List<Replica> replicas = new ArrayList<>();
  private Optional<Lab> running = Optional.empty();
  private List<String> command = List.of();
  private int started;

  UpdaterCluster(Lab.Builder plan) {
    this.plan = plan;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    Lab lab = plan.start();
    running = Optional.of(lab);
    command = command(lab);
    applyManifests();
    awaitSource();
  }

  /** What a person runs to install the updater. */
  void applyManifests() {
    lab().kubectl().run("apply", "-k", "deploy/kustomize/base").orThrow();
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    if (context.getExecutionException().isEmpty()) {
      return;
    }
    System.out.println("The logs of " + context.getDisplayName() + " are in " + lab().logs());
    replicas.forEach(replica -> System.out.println(replica.pod().process().logTail()));
    lab()
        .controlPlanes()
        .forEach(controlPlane -> System.out.println(controlPlane.process().logTail()));
  }

  @Override
  public void afterEach(ExtensionContext context) {
    replicas.forEach(replica -> replica.pod().close());
    replicas.clear();
    for (ControlPlaneHost controlPlane : lab().controlPlanes()) {
      if (controlPlane.host().unplugged()) {
        controlPlane.plug();
      }
      if (controlPlane.process().alive()) {
        controlPlane.resume();
      } else {
        controlPlane.restart();
      }
    }
    // A kube-proxy that knew the control plane by the Service alone could not come back to a
    // Service
    // without endpoints.
    for (int i = 0; i < lab().workers().size(); i++) {
      ControlPlaneHost own = lab().controlPlanes().get(i % lab().controlPlanes().size());
      lab().workers().get(i).pointApiserverNameAt(own.address());
    }
    if (lab().controllerManager().map(process -> !process.alive()).orElse(false)) {
      lab().startControllerManager();
    }
    if (admin().find(SERVICES + "/" + SERVICE).isEmpty()) {
      applyManifests();
    }
    drain("null");
    admin().delete(EVENTS);
    admin().delete(LEASES + "/" + LEASE);
    admin().delete(SLICES + "/" + SLICE);
    admin().delete(ENDPOINTS + "/" + SERVICE);
    awaitSource();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    running.ifPresent(Lab::close);
  }

  Lab lab() {
    return running.orElseThrow(() -> new IllegalStateException("the lab does not run"));
  }

  AdminClient admin() {
    return lab().admin();
  }

  /**
   * The command line of the updater in a lab, without flags, with the JVM's as they are in its
   * image.
   */
  static List<String> command(Lab lab) {
    Path jar = lab.work().resolve("updater.jar");
    try {
      // The user of a pod may be shut out of the folder of the checkout.
      Files.copy(Path.of(System.getProperty("updater.jar")), jar);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "-Xmx48m",
        "-jar",
        jar.toString());
  }

  private String[] updater(String... flags) {
    List<String> line = new ArrayList<>(command);
    line.addAll(Arrays.asList(flags));
    return line.toArray(String[]::new);
  }

  private PodProcess.Builder pod(Worker worker, String name) {
    return lab()
        .pod(worker, name)
        .namespace("kube-system")
        .serviceAccount("apiserver-updater")
        .runAsUser(POD_USER);
  }

  /** Starts a replica on the worker of that number, from 1; one per worker at a time. */
  Replica start(int worker) {
    started++;
    Worker on = lab().worker(worker);
    Replica replica =
        new Replica(on, pod(on, "updater-" + worker + "-" + started).start(updater()));
    replicas.add(replica);
    return replica;
  }

  /** Two replicas, as the Deployment has them, once both are ready and one leads. */
  List<Replica> startBoth() {
    List<Replica> both = List.of(start(1), start(2));
    both.forEach(replica -> replica.awaitReadyz(200, SOON));
    Replica unusedLeader = leader();
    return both;
  }

  void startBothAndAwaitTarget() {
    List<Replica> unusedBoth = startBoth();
    awaitTarget();
  }

  /** Runs the updater in a pod to its end. */
  Execution runInPod(String... flags) {
    started++;
    return pod(lab().worker(1), "updater-run-" + started).run(SOON, updater(flags));
  }

  /** Runs the updater as a person with the admin's kubeconfig does. */
  Execution runAsAdmin(String... flags) {
    Path kubeconfig =
        lab()
            .kubeconfig(
                "person",
                "https://" + lab().controlPlane(1).address() + ":" + Lab.APISERVER_PORT,
                lab().adminToken());
    // A command comes first.
    List<String> all = new ArrayList<>(Arrays.asList(flags));
    all.addAll(List.of("--kubeconfig", kubeconfig.toString()));
    return Execution.run(SOON, updater(all.toArray(String[]::new)));
  }

  /** Writes the Service's annotation, a JSON text or null, by hand. */
  void drain(String json) {
    admin()
        .patch(
            SERVICES + "/" + SERVICE,
            "{\"metadata\": {\"annotations\": {\"apiserver-updater.io/drain\": %s}}}"
                .formatted(json));
  }

  /** Waits for an Event that has been counted so far. */
  void awaitEvent(String reason, int count) {
    Deadline.in(SOON)
        .await(
            reason + ", " + count + " times",
            () ->
                admin().list(EVENTS).stream()
                    .filter(event -> Json.text(event, "reason").equals(reason))
                    .anyMatch(event -> Json.text(event, "count").equals(Integer.toString(count))),
            () -> admin().list(EVENTS).toString());
  }

  /** Who is named in the Lease; empty when nobody is. */
  String holder() {
    return admin().find(LEASES + "/" + LEASE).map(UpdaterCluster::holderIn).orElse("");
  }

  static String holderIn(JsonObject lease) {
    return Json.text(lease, "spec/holderIdentity");
  }

  /** How often the Lease has changed hands. */
  int transitions() {
    String count = Json.text(admin().get(LEASES + "/" + LEASE), "spec/leaseTransitions");
    return count.isEmpty() ? 0 : Integer.parseInt(count);
  }

  /** The replica that holds the Lease, once one does. */
  Replica leader() {
    return awaitLeader(any -> true);
  }

  /** Waits until a running replica that satisfies the predicate holds the Lease. */
  Replica awaitLeader(Predicate<Replica> wanted) {
    JsonObject lease =
        admin()
            .await(
                LEASES,
                LEASE,
                found -> found.flatMap(this::holderAmongReplicas).filter(wanted).isPresent(),
                SOON)
            .orElseThrow();
    return holderAmongReplicas(lease).orElseThrow();
  }

  private Optional<Replica> holderAmongReplicas(JsonObject lease) {
    String holder = holderIn(lease);
    return replicas.stream()
        .filter(replica -> replica.pod().alive() && replica.isNamed(holder))
        .findFirst();
  }

  /** The apiserver through which a replica has renewed the Lease the last time. */
  ControlPlaneHost usedBy(Replica leader) {
    return lab().controlPlanes().stream()
        .max(Comparator.comparing(controlPlane -> lastRenewal(controlPlane, leader)))
        .orElseThrow();
  }

  private static Instant lastRenewal(ControlPlaneHost controlPlane, Replica leader) {
    Optional<Instant> last =
        controlPlane.audit().stream()
            .filter(leader::sent)
            .filter(entry -> entry.verb().equals("update") && entry.resource().equals("leases"))
            .map(AuditEntry::received)
            .max(Comparator.naturalOrder());
    return last.orElse(Instant.EPOCH);
  }

  /** Waits for that many further renewals, or other changes, of the Lease. */
  void awaitRenewals(int count) {
    for (int i = 0; i < count; i++) {
      String version = version(admin().find(LEASES + "/" + LEASE));
      Optional<JsonObject> unusedLease =
          admin()
              .await(
                  LEASES,
                  LEASE,
                  lease -> lease.isPresent() && !version(lease).equals(version),
                  SOON);
    }
  }

  /** The Lease goes on being renewed until then. */
  void awaitRenewalsUntil(Deadline end) {
    while (!end.passed()) {
      awaitRenewals(1);
    }
  }

  private static String version(Optional<JsonObject> object) {
    return object.map(found -> Json.text(found, "metadata/resourceVersion")).orElse("");
  }

  /** The addresses of all control planes of the lab. */
  Set<String> addresses() {
    return lab().controlPlanes().stream()
        .map(ControlPlaneHost::address)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The addresses of all control planes but one. */
  Set<String> addressesWithout(ControlPlaneHost one) {
    Set<String> others = addresses();
    others.remove(one.address());
    return others;
  }

  /** Waits until the apiservers name all of them in {@code default/kubernetes}. */
  void awaitSource() {
    awaitSource(addresses());
  }

  /** Waits until the source holds exactly these: a dead apiserver stays for 15 to 25 s. */
  void awaitSource(Set<String> wanted) {
    lab().awaitAddresses("default", "kubernetes", wanted, SOURCE);
  }

  /** Waits until the target is what it must be for all control planes of the lab. */
  void awaitTarget() {
    awaitTarget(addresses());
  }

  /**
   * Waits until the slice and the Endpoints are, in everything that the updater is to write, what
   * these ready members ask for, and no further slice belongs to the Service. Members that are not
   * ready may be listed beside them.
   */
  void awaitTarget(Set<String> members) {
    Optional<JsonObject> unusedSlice =
        admin()
            .await(SLICES, SLICE, slice -> slice.map(s -> isFor(members, s)).orElse(false), SOON);
    Optional<JsonObject> unusedEndpoints =
        admin()
            .await(
                ENDPOINTS,
                SERVICE,
                endpoints -> endpoints.map(e -> isSameFor(members, e)).orElse(false),
                SOON);
    Deadline.in(SOON)
        .await(
            "one slice of the Service and no other",
            () -> slicesOfService().size() == 1,
            () -> slicesOfService().toString());
  }

  /** The names of the slices that kube-proxy reads for the Service. */
  Set<String> slicesOfService() {
    return admin()
        .list(SLICES + "?labelSelector=kubernetes.io%2Fservice-name%3D" + SERVICE)
        .stream()
        .map(slice -> slice.getAsJsonObject("metadata").get("name").getAsString())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static boolean isFor(Set<String> members, JsonObject slice) {
    return label(slice, "kubernetes.io/service-name").equals(SERVICE)
        && label(slice, "endpointslice.kubernetes.io/managed-by").equals("apiserver-updater")
        && slice.get("addressType").getAsString().equals("IPv4")
        && slice.get("ports").equals(PORTS)
        && readyAddresses(slice).equals(List.copyOf(new TreeSet<>(members)));
  }

  private static final JsonElement PORTS =
      JsonParser.parseString("[{\"name\": \"https\", \"port\": 6443, \"protocol\": \"TCP\"}]");

  /** Sorted; an address that is there twice counts twice. */
  private static List<String> readyAddresses(JsonObject slice) {
    List<String> addresses = new ArrayList<>();
    for (JsonElement endpoint : Json.arrayAt(slice, "endpoints")) {
      JsonObject one = endpoint.getAsJsonObject();
      if (Json.text(one, "conditions/ready").equals("true")) {
        Json.arrayAt(one, "addresses").forEach(address -> addresses.add(address.getAsString()));
      }
    }
    addresses.sort(String::compareTo);
    return addresses;
  }

  private static boolean isSameFor(Set<String> members, JsonObject endpoints) {
    JsonArray subsets = Json.arrayAt(endpoints, "subsets");
    if (subsets.size() != 1
        || !label(endpoints, "endpointslice.kubernetes.io/skip-mirror").equals("true")) {
      return false;
    }
    JsonObject subset = subsets.get(0).getAsJsonObject();
    List<String> addresses = new ArrayList<>();
    Json.arrayAt(subset, "addresses")
        .forEach(address -> addresses.add(address.getAsJsonObject().get("ip").getAsString()));
    addresses.sort(String::compareTo);
    return Json.arrayAt(subset, "ports").equals(PORTS)
        && addresses.equals(List.copyOf(new TreeSet<>(members)));
  }

  private static String label(JsonObject object, String key) {
    return Json.stringAt(Json.objectAt(object, "metadata", "labels"), key);
  }

  /** Proves that somebody leads and works: the slice is deleted and must come back. */
  void assertRepairs() {
    assertRepairs(addresses());
  }

  /** As {@link #assertRepairs()}, while only these members are ready. */
  void assertRepairs(Set<String> ready) {
    admin().delete(SLICES + "/" + SLICE);
    awaitTarget(ready);
  }

  /** What the updaters asked for since then, by time. */
  List<AuditEntry> auditOfUpdaters(Instant since) {
    return lab().auditSince(since).stream().filter(entry -> entry.user().equals(USER)).toList();
  }

  /** The requests with which the updaters could have changed the target. */
  List<AuditEntry> writesOfTarget(Instant since) {
    return auditOfUpdaters(since).stream()
        .filter(AuditEntry::isWrite)
        .filter(entry -> !List.of("leases", "events").contains(entry.resource()))
        .toList();
  }

  /**
   * Requests from a worker through the Service, each over a new verified connection. One is lost
   * when it is refused, cut, or not answered within 5 s. They ask for {@code /version}: {@code
   * /readyz} of an apiserver that is about to stop says 500, and it is right, although no request
   * is lost.
   */
  Traffic traffic(Worker worker) {
    return worker.traffic(
        TrafficTarget.of(Lab.APISERVER_SERVICE_ADDRESS, Lab.APISERVER_PORT, Lab.APISERVER_NAME)
            .path("/version")
            .every(Duration.ofMillis(50))
            .within(Duration.ofSeconds(5)));
  }

  /** Every replica that was started still runs, as the same process. */
  void assertNobodyDied() {
    for (Replica replica : replicas) {
      assertTrue(replica.pod().alive(), () -> replica.pod().process().logTail());
    }
  }
}
