package io.apiserverupdater.updater;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.kubeconfig.InvalidKubeconfigException;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.apiserver.printing.PrintableStream;
import io.apiserverupdater.updater.commands.DrainCommand;
import io.apiserverupdater.updater.commands.DryRunCommand;
import io.apiserverupdater.updater.commands.ExportCommand;
import io.apiserverupdater.updater.commands.OnceCommand;
import io.apiserverupdater.updater.commands.StatusCommand;
import io.apiserverupdater.updater.configuration.DrainConfig;
import io.apiserverupdater.updater.configuration.ExportConfig;
import io.apiserverupdater.updater.configuration.StatusConfig;
import io.apiserverupdater.updater.configuration.UpdaterConfig;
import io.apiserverupdater.updater.configuration.UpdaterFlags;
import io.apiserverupdater.updater.controller.EndpointsReconciler;
import io.apiserverupdater.updater.controller.MemberHealths;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import io.apiserverupdater.updater.events.EventHistory;
import io.apiserverupdater.updater.events.EventPublisher;
import io.apiserverupdater.updater.events.EventReason;
import io.apiserverupdater.updater.events.EventRecorder;
import io.apiserverupdater.updater.export.Export;
import io.apiserverupdater.updater.export.Exporter;
import io.apiserverupdater.updater.kube.KubeCluster;
import io.apiserverupdater.updater.kube.KubeServerSource;
import io.apiserverupdater.updater.kube.ReadyzProbes;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.kube.access.ClusterAccesses;
import io.apiserverupdater.updater.leaderelection.LeaderElector;
import io.apiserverupdater.updater.leaderelection.Leadership;
import io.apiserverupdater.updater.metrics.UpdaterMetrics;
import io.apiserverupdater.updater.metrics.UpdaterState;
import io.apiserverupdater.updater.readiness.MemberProbe;
import io.apiserverupdater.updater.readiness.MemberProbing;
import io.apiserverupdater.updater.readiness.TcpMemberProbe;
import io.apiserverupdater.updater.server.Document;
import io.apiserverupdater.updater.server.HealthCheck;
import io.apiserverupdater.updater.server.MetricsPage;
import io.apiserverupdater.updater.server.StatusServer;
import io.apiserverupdater.updater.status.HtmlStatus;
import io.apiserverupdater.updater.status.JsonStatus;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts the updater: reads what is asked for, builds the parts in the order of the data flow. */
public final class Main {
  /** A leader that cannot read what it needs for longer than this releases the Lease. */
  private static final Duration LONGEST_UNREADABLE = Duration.ofSeconds(30);

  private static final int OK = 0;
  private static final int ERROR = 2;

  private Main() {}

  /** See {@code --help}. */
  public static void main(String[] arguments) {
    System.setErr(new PrintableStream(System.err));
    int code;
    try {
      code = run(arguments);
    } catch (InvalidKubeconfigException e) {
      e.faults().forEach(fault -> System.err.println("error: " + fault));
      code = ERROR;
    } catch (Throwable e) {
      // The Java runtime's own exit code, 1, would mean that there are changes.
      System.err.println("error: " + unexpected(e));
      code = ERROR;
    }
    System.out.flush();
    System.exit(code);
  }

  private static String unexpected(Throwable thrown) {
    if (thrown instanceof OutOfMemoryError) {
      return "out of memory; give the Java runtime more: UPDATER_OPTS=-Xmx128m";
    }
    StackTraceElement[] trace = thrown.getStackTrace();
    return Printable.line(
        "unexpected %s%s; please report it"
            .formatted(thrown, trace.length == 0 ? "" : " at " + trace[0]));
  }

  private static int run(String[] arguments)
      throws InvalidKubeconfigException, InterruptedException {
    UpdaterConfig.Parsed parsed =
        UpdaterFlags.parse(
            Arrays.asList(arguments), System.getenv(), Main::hostName, Main::randomPart);
    if (parsed instanceof UpdaterConfig.Parsed.Run run) {
      return run(run.config(), System.getenv());
    }
    if (parsed instanceof UpdaterConfig.Parsed.Export export) {
      return export(export.config(), System.getenv());
    }
    if (parsed instanceof UpdaterConfig.Parsed.Status status) {
      return status(status.config(), System.getenv());
    }
    if (parsed instanceof UpdaterConfig.Parsed.Invalid invalid) {
      invalid.errors().forEach(error -> System.err.println("error: " + error));
      System.err.println("See " + invalid.program() + " --help.");
      return ERROR;
    }
    if (parsed instanceof UpdaterConfig.Parsed.Drain drain) {
      return drain(drain.config(), System.getenv());
    }
    if (parsed instanceof UpdaterConfig.Parsed.Completion completion) {
      System.out.print(completion.script());
      return OK;
    }
    System.out.print(
        parsed instanceof UpdaterConfig.Parsed.Help help
            ? help.text()
            : "updater " + version() + "\n");
    return OK;
  }

  /** Keeps a load balancer's file in step; in its running mode until a signal ends the process. */
  private static int export(ExportConfig config, Map<String, String> environment)
      throws InvalidKubeconfigException, InterruptedException {
    Logging.configure(config.mode(), config.verbose(), config.logFormat());
    ClusterAccess access = access(config.kubeconfig(), config.context(), environment);
    KubeServerSource source = serverSource(config, access);
    Export export = new Export(config.rule(), config.output(), config.check(), config.onChange());
    if (config.mode() == UpdaterConfig.Mode.DRY_RUN) {
      return ExportCommand.dryRun(config, export, source);
    }
    if (config.mode() == UpdaterConfig.Mode.ONCE) {
      return ExportCommand.once(export, source);
    }
    Logger log = LoggerFactory.getLogger(Main.class);
    log.info(
        "started=true version={} source=\"{}\" output={} access=\"{}\" server={}",
        version(),
        config.rule().source(),
        config.output(),
        access.origin(),
        access.server());
    ShutdownSequence shutdown = new ShutdownSequence();
    shutdown.endWithSignal();
    ShutdownSequence.endWithError();
    Exporter exporter = new Exporter(export, source);
    source.start(exporter::trigger);
    shutdown.add("source", source);
    exporter.start();
    shutdown.add("exporter", exporter);
    shutdown.await();
    return OK;
  }

  private static KubeServerSource serverSource(ExportConfig config, ClusterAccess access) {
    return config.source() instanceof ExportConfig.Source.Nodes nodes
        ? KubeServerSource.ofNodes(
            access, nodes.selector(), nodes.port(), userAgent(), System::nanoTime)
        : KubeServerSource.ofService(
            access,
            ((ExportConfig.Source.Service) config.source()).name(),
            config.failover(),
            userAgent(),
            System::nanoTime);
  }

  private static int status(StatusConfig config, Map<String, String> environment)
      throws InvalidKubeconfigException {
    Logging.configure(UpdaterConfig.Mode.DRY_RUN, config.verbose(), UpdaterConfig.LogFormat.TEXT);
    ClusterAccess access = access(config.kubeconfig(), config.context(), environment);
    return StatusCommand.run(
        config,
        KubeCluster.of(
            access,
            config.target(),
            false,
            false,
            Optional.of(config.lease()),
            userAgent(),
            System::nanoTime),
        Clock.systemUTC());
  }

  private static int run(UpdaterConfig config, Map<String, String> environment)
      throws InvalidKubeconfigException, InterruptedException {
    Logging.configure(config.mode(), config.verbose(), config.logFormat());
    MirrorRule rule =
        new MirrorRule(
            config.target().source(), config.target().target(), config.target().writeEndpoints());
    if (config.mode() == UpdaterConfig.Mode.DRY_RUN) {
      Optional<ClusterAccess> access =
          ClusterAccesses.find(config.kubeconfig(), config.context(), environment);
      return DryRunCommand.run(
          config,
          rule,
          access.map(found -> oneShot(config, found)),
          access.flatMap(found -> probing(config, found)));
    }
    ClusterAccess access = access(config.kubeconfig(), config.context(), environment);
    return config.mode() == UpdaterConfig.Mode.ONCE
        ? OnceCommand.run(rule, oneShot(config, access), probing(config, access))
        : control(config, rule, access);
  }

  private static int drain(DrainConfig config, Map<String, String> environment)
      throws InvalidKubeconfigException, InterruptedException {
    Logging.configure(UpdaterConfig.Mode.DRY_RUN, config.verbose(), UpdaterConfig.LogFormat.TEXT);
    ClusterAccess access = access(config.kubeconfig(), config.context(), environment);
    return DrainCommand.run(config, oneShot(config.target(), false, access), Clock.systemUTC());
  }

  /** The cluster, for what cannot do without one. */
  private static ClusterAccess access(
      Optional<Path> kubeconfig, Optional<String> context, Map<String, String> environment)
      throws InvalidKubeconfigException {
    return ClusterAccesses.find(kubeconfig, context, environment)
        .orElseThrow(() -> new InvalidKubeconfigException(ClusterAccesses.NONE_FOUND));
  }

  /** Runs as a controller until a signal ends the process; returns only when it cannot start. */
  private static int control(UpdaterConfig config, MirrorRule rule, ClusterAccess access)
      throws InterruptedException {
    Logger log = LoggerFactory.getLogger(Main.class);
    log.info(
        "started=true version={} source={} target={} access=\"{}\" server={}",
        version(),
        rule.source(),
        rule.target(),
        access.origin(),
        access.server());
    KubeCluster cluster =
        KubeCluster.of(
            access,
            config.target(),
            config.failover().orElse(access.isInCluster()),
            config
                .probing()
                .map(UpdaterConfig.Probing::question)
                .equals(Optional.of(UpdaterConfig.Probing.Question.READYZ)),
            config.election().map(UpdaterConfig.Election::lease),
            userAgent(),
            System::nanoTime);
    Optional<LeaderElector> elector =
        cluster
            .lease()
            .map(
                lease ->
                    new LeaderElector(
                        config.election().orElseThrow().settings(),
                        lease,
                        () -> cluster.unreadable().compareTo(LONGEST_UNREADABLE) < 0,
                        System::nanoTime,
                        Clock.systemUTC()));
    UpdaterMetrics metrics = new UpdaterMetrics(version(), System::nanoTime, Clock.systemUTC());
    cluster.observe(metrics.calls());
    EventHistory events = new EventHistory(Clock.systemUTC());
    events.onRecord(metrics::record);
    Optional<MemberProbing> probing = probing(config, access, events, metrics::measured);
    Leadership leadership = elector.<Leadership>map(elected -> elected).orElse(Leadership.always());
    Optional<EventPublisher> publisher =
        config.events()
            ? Optional.of(
                new EventPublisher(
                    cluster.events(
                        config.election().map(it -> it.settings().identity()).orElse("")),
                    leadership::isCertain,
                    System::nanoTime))
            : Optional.empty();
    publisher.ifPresent(publishing -> events.onRecord(publishing::offer));
    probing.ifPresent(probes -> probes.onChange(() -> cluster.setUnready(probes::unready)));
    EndpointsReconciler reconciler =
        new EndpointsReconciler(
            rule,
            metrics.measured(cluster.endpoints()),
            probing.<MemberHealths>map(probes -> probes).orElse(MemberHealths.NOT_PROBED),
            leadership,
            events,
            System::nanoTime,
            Clock.systemUTC(),
            () -> ThreadLocalRandom.current().nextDouble());
    reconciler.observe(metrics.syncs());
    MetricsPage page = metrics.show(UpdaterState.of(elector, probing, reconciler, cluster));
    Status status =
        new Status(
            rule,
            config
                .election()
                .map(election -> election.settings().identity())
                .orElseGet(Main::hostName),
            version(),
            Instant.now(),
            cluster,
            elector,
            probing,
            reconciler,
            events,
            Clock.systemUTC(),
            System::nanoTime);
    Optional<StatusServer> server;
    try {
      server =
          statusServer(
              config.listen(),
              cluster,
              elector,
              probing,
              reconciler,
              page,
              config.statusPage() ? documents(status) : List.of());
    } catch (IOException e) {
      System.err.println(
          "error: --listen: cannot listen on %s: %s"
              .formatted(config.listen().map(Main::describe).orElse(""), e.getMessage()));
      return ERROR;
    }

    ShutdownSequence shutdown = new ShutdownSequence();
    shutdown.endWithSignal();
    ShutdownSequence.endWithError();
    server.ifPresent(
        started -> {
          started.start();
          shutdown.add("status-server", started);
        });
    cluster.start();
    shutdown.add("cluster", cluster);
    publisher.ifPresent(
        publishing -> {
          publishing.start();
          shutdown.add("event-publisher", publishing);
        });
    probing.ifPresent(probes -> shutdown.add("probes", probes));
    elector.ifPresent(
        elected -> {
          // A new leader decides at once; an old one notices that it has nothing to do any more.
          elected.start(
              turn -> {
                reconciler.trigger();
                events.record(
                    elected.isCertain() ? EventReason.LEADER_ELECTED : EventReason.LEADER_LOST,
                    "",
                    "leading: %s (%s)"
                        .formatted(turn, config.election().orElseThrow().settings().identity()));
              });
          shutdown.add("leader-elector", elected);
        });
    reconciler.start();
    shutdown.add("reconciler", reconciler);
    reconciler.trigger();
    shutdown.await();
    return OK;
  }

  /** The probing for a command that looks once. */
  private static Optional<MemberProbing> probing(UpdaterConfig config, ClusterAccess access) {
    return probing(config, access, EventRecorder.NONE, (address, probe) -> probe);
  }

  private static Optional<MemberProbing> probing(
      UpdaterConfig config,
      ClusterAccess access,
      EventRecorder events,
      BiFunction<ApiserverAddress, MemberProbe, MemberProbe> measured) {
    return config
        .probing()
        .map(
            asked -> {
              Function<ApiserverAddress, MemberProbe> probes = probes(asked.question(), access);
              return new MemberProbing(
                  address -> measured.apply(address, probes.apply(address)),
                  asked.policy(),
                  events,
                  Clock.systemUTC(),
                  System::nanoTime,
                  () -> ThreadLocalRandom.current().nextDouble());
            });
  }

  private static Function<ApiserverAddress, MemberProbe> probes(
      UpdaterConfig.Probing.Question question, ClusterAccess access) {
    return switch (question) {
      case READYZ -> new ReadyzProbes(access, System::nanoTime)::of;
      case TCP -> TcpMemberProbe::new;
    };
  }

  private static Optional<StatusServer> statusServer(
      Optional<InetSocketAddress> address,
      KubeCluster cluster,
      Optional<LeaderElector> elector,
      Optional<MemberProbing> probing,
      EndpointsReconciler reconciler,
      MetricsPage metrics,
      List<Document> documents)
      throws IOException {
    if (address.isEmpty()) {
      return Optional.empty();
    }
    List<HealthCheck> checks =
        List.of(
            HealthCheck.live("ping", () -> true, ""),
            HealthCheck.live("watches", cluster::isAlive, "a watching thread has ended"),
            HealthCheck.live(
                "leaderelection",
                () -> elector.map(LeaderElector::isAlive).orElse(true),
                "the elector's thread has ended"),
            HealthCheck.live(
                "reconciler", reconciler::isAlive, "the reconciler's thread has ended"),
            HealthCheck.live(
                "probes",
                () -> probing.map(MemberProbing::isAlive).orElse(true),
                "a probing thread has ended"),
            HealthCheck.ready("members", () -> unjudged(probing))
                .saying(() -> probing.map(Main::describe).orElse("")),
            HealthCheck.ready("apiserver", () -> unreachable(cluster)),
            HealthCheck.ready("caches", () -> unread(cluster)));
    return Optional.of(
        StatusServer.bind(address.get(), checks, metrics, documents, System::nanoTime));
  }

  /** Nobody keeps them, and nobody puts the page into a page of another. */
  private static List<Document> documents(Status status) {
    return List.of(
        new Document(
            "/",
            "text/html; charset=utf-8",
            Map.of(
                "Cache-Control",
                "no-store",
                "Content-Security-Policy",
                HtmlStatus.CONTENT_SECURITY_POLICY,
                "Referrer-Policy",
                "no-referrer"),
            parameters -> HtmlStatus.page(status.report(), !parameters.contains(HtmlStatus.PAUSE))),
        new Document(
            JsonStatus.PATH,
            "application/json",
            Map.of("Cache-Control", "no-store"),
            parameters -> JsonStatus.text(status.report())));
  }

  private static Optional<String> unjudged(Optional<MemberProbing> probing) {
    return probing
        .filter(probes -> !probes.isComplete())
        .map(probes -> "the first probes are still running: " + describe(probes));
  }

  /** As the flag has it. */
  private static String describe(InetSocketAddress address) {
    return address.getAddress() != null && address.getAddress().isAnyLocalAddress()
        ? ":" + address.getPort()
        : ApiserverAddress.text(address.getHostString(), address.getPort());
  }

  private static String describe(MemberProbing probing) {
    return probing.members().stream()
        .map(member -> Printable.line(member + " " + probing.of(member).evidence()))
        .sorted()
        .collect(Collectors.joining("; "));
  }

  static Optional<String> unreachable(KubeCluster cluster) {
    return cluster.isReachable()
        ? Optional.empty()
        : Optional.of(
            "no watch is open; an apiserver last answered %ds ago"
                .formatted(cluster.sinceLastAnswer().toSeconds()));
  }

  private static Optional<String> unread(KubeCluster cluster) {
    List<String> unread = cluster.unread();
    return unread.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", unread));
  }

  private static KubeCluster oneShot(UpdaterConfig config, ClusterAccess access) {
    return oneShot(config.target(), config.failover().orElse(false), access);
  }

  /** The cluster for a command that reads once, and talks to the configured address only. */
  private static KubeCluster oneShot(
      TargetSettings target, boolean failover, ClusterAccess access) {
    return KubeCluster.of(
        access, target, failover, false, Optional.empty(), userAgent(), System::nanoTime);
  }

  /** Of the kernel: the Java runtime's own way asks DNS, and waits when that does not answer. */
  private static String hostName() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      return "unknown-host";
    }
  }

  private static String randomPart() {
    return HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong(), 8);
  }

  private static String version() {
    return Optional.ofNullable(Main.class.getPackage().getImplementationVersion())
        .orElse("unpackaged");
  }

  private static String userAgent() {
    return "apiserver-updater/" + version();
  }
}
