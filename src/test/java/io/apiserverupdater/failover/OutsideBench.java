package io.apiserverupdater.failover;

import com.google.gson.JsonObject;
import io.apiserverupdater.bench.DocsTable;
import io.apiserverupdater.bench.Measurements;
import io.apiserverupdater.failover.MatrixRow.Claim;
import io.apiserverupdater.failover.Observation.Client;
import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.lab.NodeSettings;
import io.apiserverupdater.lab.Traffic.Sample;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.lab.Worker;
import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Measures what a host that is no node sees through external addresses that MetalLB announces in
 * layer 2: the {@code apiserver} Service as {@code docs/load-balancer.md} sets it up and, side by
 * side, a Service with a copy of the {@code kubernetes} Service's endpoints. The first faults of
 * the matrix, and the death of the node that announces both. Started by {@code ./bench outside}.
 */
public final class OutsideBench {
  /** The one that endpoint-copier-operator maintains has this name. */
  private static final String COPY = "kubernetes-vip";

  /** MetalLB gives both to the same worker, w1: it decides by a hash of both names. */
  private static final String ADDRESSES = "172.30.5.11-172.30.5.12";

  private static final List<Row> ROWS =
      List.of(
          new Row(MatrixRow.SIGKILL, Claim.medianOutage(200), Claim.longestOutage(700)),
          new Row(MatrixRow.SIGTERM_DELAYED),
          new Row(MatrixRow.SIGTERM),
          new Row(MatrixRow.SIGSTOP),
          new Row(MatrixRow.BLACK_HOLE, Claim.medianOutage(1000), Claim.longestOutage(1500)),
          new Row(Optional.empty(), List.of()));

  /** MetalLB's speakers take a while to find that one of them is back. */
  private static final Duration REJOINED = Duration.ofMinutes(3);

  private static final int MANY = 40;

  /**
   * What is done, and what is claimed of it.
   *
   * @param fault of the matrix; empty for the death of the node that announces the addresses
   */
  private record Row(Optional<MatrixRow> fault, List<Claim> claims) {
    Row(MatrixRow fault, Claim... claims) {
      this(Optional.of(fault), List.of(claims));
    }

    String label() {
      return fault.map(MatrixRow::label).orElse("announcer-down");
    }

    String title() {
      return fault.map(MatrixRow::title).orElse("link of the announcing node down");
    }

    String description() {
      return fault.map(row -> row.fault().description()).orElse(title());
    }
  }

  private final FailoverCluster cluster;
  private final LabHost client;
  private final MetalLb metalLb;
  private final String address;
  private final String copyAddress;

  private OutsideBench(FailoverCluster cluster, MetalLb metalLb) {
    this.cluster = cluster;
    this.metalLb = metalLb;
    this.client = cluster.lab().addHost("outside", "172.30.4.9");
    this.address = metalLb.addressOf("apiserver");
    this.copyAddress = metalLb.addressOf(COPY);
  }

  /**
   * Measures, writes the JSON and the page's table, and exits with 1 when a target was missed.
   *
   * @param arguments {@code --launcher=FILE}, {@code --metallb=FOLDER}: what {@code
   *     src/test/metallb/build} prints, {@code --output=FILE}, {@code --page=FILE}: where the table
   *     is, and the manifests that are applied, {@code --rounds=N}, {@code --rows=A,B,…}
   */
  public static void main(String[] arguments) throws IOException {
    Map<String, String> flags = FailoverBench.flags(arguments);
    int rounds = Integer.parseInt(flags.getOrDefault("rounds", "3"));
    Path output = Path.of(flags.getOrDefault("output", "docs/measurements/outside.json"));
    Path page = Path.of(flags.getOrDefault("page", "docs/load-balancer.md"));
    List<String> updater = List.of(flags.getOrDefault("launcher", "bin/updater"));
    List<String> wanted = List.of(flags.getOrDefault("rows", "").split(",", -1));
    boolean met = true;
    try (FailoverCluster cluster =
        FailoverCluster.start(
            Lab.builder("outside-bench"), lab -> updater, NodeSettings.RECOMMENDED)) {
      expose(cluster.lab());
      startCopier(cluster.lab(), updater);
      MetalLb metalLb =
          MetalLb.start(
              cluster.lab(),
              Path.of(flags.getOrDefault("metallb", "")),
              manifests(Files.readString(page)));
      OutsideBench bench = new OutsideBench(cluster, metalLb);
      bench.awaitAnswers();
      for (Row row : ROWS) {
        if (wanted.contains(row.label()) || wanted.equals(List.of(""))) {
          JsonObject entry =
              FailoverReport.entry(
                  row.title(), row.description(), row.claims(), bench.measure(row, rounds));
          publish(row.label(), entry, output, page);
          System.out.println(FailoverTable.text(row.label(), entry));
          met &= FailoverReport.met(entry);
        }
      }
    }
    System.exit(met ? 0 : 1);
  }

  /** Adds the row, or puts it in the place of its old figures. */
  private static void publish(String label, JsonObject entry, Path output, Path page)
      throws IOException {
    JsonObject rows = new JsonObject();
    if (Files.exists(output)) {
      rows = Json.parse(Files.readString(output)).getAsJsonObject("rows");
    }
    rows.add(label, entry);
    JsonObject root =
        Json.of("machine", Measurements.machine(), "rows", FailoverReport.inOrder(rows));
    Files.writeString(output, FailoverReport.compact(root));
    Files.writeString(page, page(Files.readString(page), root));
  }

  /** The page with the table of what was measured. */
  static String page(String page, JsonObject root) {
    return DocsTable.into(page, "measured", FailoverTable.outside(root));
  }

  /** What the page tells to apply, with addresses of the lab. */
  private static String manifests(String page) {
    int from = page.indexOf("   apiVersion: metallb.io");
    return page.substring(from, page.indexOf("   ```", from))
        .stripTrailing()
        .stripIndent()
        .replaceAll("(addresses:) .*", "$1 [" + ADDRESSES + "]");
  }

  /** The component on the base, and a Service for the copy. */
  private static void expose(Lab lab) throws IOException {
    Path folder = Files.createDirectory(lab.work().resolve("load-balancer"));
    // Kustomize takes relative paths only.
    Path deploy =
        folder.toRealPath().relativize(lab.projectRoot().toRealPath()).resolve("deploy/kustomize");
    Files.writeString(
        folder.resolve("kustomization.yaml"),
        """
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        resources: [%1$s/base]
        components: [%1$s/components/load-balancer]
        """
            .formatted(deploy));
    lab.kubectl().run("apply", "-k", folder.toString()).orThrow();
    lab.kubectl()
        .apply(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: %s, namespace: kube-system}
            spec:
              type: LoadBalancer
              ports: [{name: https, port: 6443}]
            """
                .formatted(COPY));
  }

  /** Writes what the {@code kubernetes} Service has, without a question to any apiserver. */
  private static void startCopier(Lab lab, List<String> updater) {
    Path kubeconfig =
        lab.kubeconfig(
            "copier",
            "https://" + Lab.APISERVER_SERVICE_ADDRESS + ":" + Lab.APISERVER_PORT,
            lab.adminToken());
    LabProcess unusedCopier =
        lab.worker(2)
            .host()
            .start(
                "copier",
                List.of(
                    updater.get(0),
                    "--health-check=off",
                    "--service=" + COPY,
                    "--leader-elect=false",
                    "--apiserver-failover",
                    "--listen=0",
                    "--kubeconfig=" + kubeconfig),
                Map.of("JAVA_HOME", System.getProperty("java.home", "")));
  }

  private Observation requests(String path) {
    Function<Service, TrafficTarget> targets =
        service ->
            TrafficTarget.of(
                    service == Service.APISERVER ? address : copyAddress,
                    Lab.APISERVER_PORT,
                    Lab.APISERVER_NAME)
                .path(path);
    return Observation.start(cluster.lab(), List.of(new Client(client, "no node")), path, targets);
  }

  private Set<String> controlPlanes() {
    return cluster.lab().controlPlanes().stream()
        .map(ControlPlaneHost::name)
        .collect(Collectors.toSet());
  }

  /** All is as the page says; with the policy of which it warns, nobody answers. */
  private void awaitAnswers() {
    try (Observation observation = requests("/version")) {
      observation.awaitGood(controlPlanes(), FailoverCluster.SOON);
      System.err.printf(
          "bench: %s and %s are announced by %s and answer%n",
          address, copyAddress, announcer().name());
      setTrafficPolicy("Local");
      for (Observation.Stream stream : observation.through(Service.APISERVER)) {
        stream
            .traffic()
            .await(
                "no answer any more",
                all -> all.subList(all.size() - MANY, all.size()).stream().noneMatch(Sample::ok),
                FailoverCluster.SOON);
      }
      setTrafficPolicy("Cluster");
      observation.awaitGood(controlPlanes(), FailoverCluster.SOON);
    }
  }

  private void setTrafficPolicy(String policy) {
    JsonObject unusedService =
        cluster
            .lab()
            .admin()
            .patch(
                "/api/v1/namespaces/kube-system/services/apiserver",
                "{\"spec\": {\"externalTrafficPolicy\": \"" + policy + "\"}}");
  }

  private FailoverBench.Measured measure(Row row, int rounds) {
    String path = row.fault().map(it -> it.setting().path()).orElse("/version");
    try (Observation observation = requests(path)) {
      Random random = new Random(row.label().hashCode());
      Optional<FaultTrial> trial =
          row.fault().map(it -> new FaultTrial(cluster, it, observation, random));
      return FailoverBench.measure(
          row.label(),
          rounds,
          number ->
              trial.map(it -> it.run(number)).orElseGet(() -> loseAnnouncer(observation, random)));
    }
  }

  private FaultTrial.Outcome loseAnnouncer(Observation observation, Random random) {
    cluster.awaitWhole();
    observation.awaitGood(controlPlanes(), FailoverCluster.SOON);
    Worker announcer = announcer();
    Pause.of(Duration.ofMillis(200 + random.nextInt(1000)));
    double load = FaultTrial.load();
    Instant at = Instant.now();
    long fault = System.nanoTime();
    announcer.host().linkDown();
    Pause.of(Duration.ofSeconds(5));
    observation.awaitQuiet(Duration.ofSeconds(4), Duration.ofSeconds(60));
    long heal = System.nanoTime();
    announcer.host().linkUp();
    Deadline.in(REJOINED)
        .await(announcer.name() + " announces again", () -> announcers().equals(Set.of(announcer)));
    Pause.of(Duration.ofSeconds(5));
    Round round =
        new Round(
            announcer.name(),
            at,
            load,
            observation.ways(fault, heal),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            0,
            cluster.readyAddresses().size(),
            cluster.addresses().size(),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            observation.through(Service.APISERVER).stream()
                .mapToInt(stream -> stream.traffic().failuresSince(heal).size())
                .sum(),
            0,
            observation.unanswered(controlPlanes(), fault, heal),
            OptionalDouble.empty(),
            (heal - fault) / 1e6);
    return new FaultTrial.Outcome(round, fault, heal, Map.of());
  }

  /** The worker that announces both addresses, once one does. */
  private Worker announcer() {
    Deadline.in(FailoverCluster.SOON)
        .await("one node for both addresses", () -> announcers().size() == 1);
    return announcers().iterator().next();
  }

  private Set<Worker> announcers() {
    return Stream.of(address, copyAddress)
        .flatMap(external -> metalLb.announcer(client, external).stream())
        .collect(Collectors.toSet());
  }
}
