package io.apiserverupdater.failover;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.lab.Worker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Requests from both clients through both Services, side by side: each a new connection whose
 * certificate is verified, one every 25 ms on each of the four ways. Used by one thread at a time.
 */
public final class Observation implements AutoCloseable {
  /** In a row: any of a handful of servers, drawn at random, has been met then. */
  private static final int MANY = 60;

  /** Which of the two Services a request went through. */
  public enum Service {
    APISERVER("apiserver"),
    KUBERNETES("kubernetes");

    private final String label;

    Service(String label) {
      this.label = label;
    }

    TrafficTarget target(String path) {
      return this == APISERVER
          ? FailoverCluster.apiserverService(path)
          : FailoverCluster.kubernetesService(path);
    }

    public String label() {
      return label;
    }
  }

  /**
   * A host that makes requests.
   *
   * @param kind what tells it from others: the mode of its kube-proxy, or that it is no node
   */
  public record Client(LabHost host, String kind) {
    static Client of(Worker worker) {
      return new Client(worker.host(), worker.mode().name().toLowerCase(Locale.ROOT));
    }
  }

  /** The requests of one client through one Service. */
  public record Stream(Service service, Client client, Traffic traffic) {

    /** When the last failed request began, since {@code nanos}; none when none has failed. */
    boolean quietSince(long nanos) {
      return traffic.failuresSince(nanos).isEmpty();
    }

    private Round.Way way(long fromNanos, long toNanos) {
      List<Traffic.Sample> samples =
          traffic.samplesSince(fromNanos).stream()
              .filter(sample -> sample.startNanos() < toNanos)
              .toList();
      List<Traffic.Sample> failed = samples.stream().filter(sample -> !sample.ok()).toList();
      Optional<Traffic.Sample> last =
          failed.stream().max(Comparator.comparingLong(Traffic.Sample::startNanos));
      return new Round.Way(
          service,
          client.host().name(),
          last.map(sample -> (sample.startNanos() - fromNanos) / 1e6).orElse(0.0),
          failed.size(),
          samples.size(),
          samples.stream()
              .filter(Traffic.Sample::ok)
              .mapToDouble(sample -> sample.took().toNanos() / 1e6)
              .max()
              .orElse(0),
          last.map(sample -> sample.outcome() + " " + sample.detail()).orElse(""));
    }
  }

  /** The requests of one client to one control plane's own address. */
  private record Direct(String controlPlane, Traffic traffic) {
    /** Those that no server answered. */
    long unanswered(long fromNanos, long toNanos) {
      return traffic.failuresSince(fromNanos).stream()
          .filter(sample -> sample.startNanos() < toNanos)
          .filter(sample -> !sample.outcome().startsWith("status-"))
          .count();
    }
  }

  /**
   * How requests follow each other.
   *
   * @param interval from the start of one to the start of the next, on each way
   * @param patience after which one that was not answered has failed
   */
  public record Pace(Duration interval, Duration patience) {
    /** As measured: every 25 ms, within 2 s. */
    public static final Pace MEASURED = new Pace(Duration.ofMillis(25), Duration.ofSeconds(2));

    /** What a busy machine can bear and still is a proof: every 50 ms, within 5 s. */
    public static final Pace LENIENT = new Pace(Duration.ofMillis(50), Duration.ofSeconds(5));

    /** Ten within the patience of a measured request: enough to see a stall that makes it fail. */
    private static final Pace DIRECT = new Pace(Duration.ofMillis(200), MEASURED.patience());

    private TrafficTarget of(TrafficTarget target) {
      return target.every(interval).within(patience);
    }
  }

  private final List<Stream> streams = new ArrayList<>();
  private final List<Direct> directs = new ArrayList<>();

  private Observation() {}

  /**
   * Starts requests of both workers through both Services at the measured pace, as below.
   *
   * @param path what they ask for
   */
  public static Observation start(FailoverCluster cluster, String path) {
    return start(
        cluster.lab(), clients(cluster), path, Pace.MEASURED, service -> service.target(path));
  }

  /**
   * Starts requests through both Services, and a few to each control plane itself, which tell a
   * stall of the machine from what a Service does.
   *
   * @param targets how each Service is reached from these clients
   */
  static Observation start(
      Lab lab,
      List<Client> clients,
      String path,
      Pace pace,
      Function<Service, TrafficTarget> targets) {
    Observation observation = new Observation();
    try {
      observation.add(lab, clients, Arrays.asList(Service.values()), targets, pace);
      for (ControlPlaneHost controlPlane : lab.controlPlanes()) {
        TrafficTarget target =
            Pace.DIRECT.of(
                TrafficTarget.of(controlPlane.address(), Lab.APISERVER_PORT, Lab.APISERVER_NAME)
                    .path(path));
        for (Client client : clients) {
          observation.directs.add(
              new Direct(controlPlane.name(), lab.traffic(client.host(), target)));
        }
      }
      return observation;
    } catch (RuntimeException e) {
      observation.close();
      throw e;
    }
  }

  /** Starts requests of both workers for that path, through these Services alone. */
  public static Observation start(
      FailoverCluster cluster, String path, Pace pace, List<Service> services) {
    Observation observation = new Observation();
    try {
      observation.add(
          cluster.lab(), clients(cluster), services, service -> service.target(path), pace);
      return observation;
    } catch (RuntimeException e) {
      observation.close();
      throw e;
    }
  }

  private static List<Client> clients(FailoverCluster cluster) {
    return cluster.clients().stream().map(Client::of).toList();
  }

  private void add(
      Lab lab,
      List<Client> clients,
      List<Service> services,
      Function<Service, TrafficTarget> targets,
      Pace pace) {
    for (Service service : services) {
      for (Client client : clients) {
        streams.add(
            new Stream(
                service, client, lab.traffic(client.host(), pace.of(targets.apply(service)))));
      }
    }
  }

  public List<Stream> streams() {
    return List.copyOf(streams);
  }

  public List<Stream> through(Service service) {
    return streams.stream().filter(stream -> stream.service() == service).toList();
  }

  /** Waits until nothing fails on any way and each reaches exactly these control planes. */
  public void awaitGood(Set<String> servers, Duration limit) {
    Deadline deadline = Deadline.in(limit);
    for (Stream stream : streams) {
      stream.traffic().awaitOnly(servers, MANY, deadline.left());
    }
  }

  /** How many requests to these control planes themselves went unanswered. */
  int unanswered(Set<String> controlPlanes, long fromNanos, long toNanos) {
    return Math.toIntExact(
        directs.stream()
            .filter(direct -> controlPlanes.contains(direct.controlPlane()))
            .mapToLong(direct -> direct.unanswered(fromNanos, toNanos))
            .sum());
  }

  /** Waits until nothing has failed on any way for a while, or time is up. */
  void awaitQuiet(Duration quiet, Duration limit) {
    Deadline deadline = Deadline.in(limit);
    while (!deadline.passed()
        && !streams.stream()
            .allMatch(stream -> stream.quietSince(System.nanoTime() - quiet.toNanos()))) {
      Pause.of(Duration.ofMillis(100));
    }
  }

  /** What each client saw through each Service, of the requests that began in between. */
  List<Round.Way> ways(long fromNanos, long toNanos) {
    return streams.stream().map(stream -> stream.way(fromNanos, toNanos)).toList();
  }

  @Override
  public void close() {
    streams.forEach(stream -> stream.traffic().close());
    directs.forEach(direct -> direct.traffic().close());
  }
}
