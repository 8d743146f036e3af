package io.apiserverupdater.failover;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.lab.Worker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

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

  /** The requests of one worker through one Service. */
  public record Stream(Service service, String worker, ProxyMode mode, Traffic traffic) {

    /** When the last failed request began, since {@code nanos}; none when none has failed. */
    boolean quietSince(long nanos) {
      return traffic.failuresSince(nanos).isEmpty();
    }
  }

  /** The requests of one worker to one control plane's own address. */
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
  }

  private final List<Stream> streams = new ArrayList<>();
  private final List<Direct> directs = new ArrayList<>();

  private Observation() {}

  /**
   * Starts requests through both Services at the measured pace, and a few to each control plane
   * itself, which tell a stall of the machine from what a Service does.
   */
  public static Observation start(FailoverCluster cluster, String path) {
    Observation observation = start(cluster, path, Pace.MEASURED, Arrays.asList(Service.values()));
    try {
      for (ControlPlaneHost controlPlane : cluster.lab().controlPlanes()) {
        TrafficTarget target =
            TrafficTarget.of(controlPlane.address(), Lab.APISERVER_PORT, Lab.APISERVER_NAME)
                .path(path)
                .every(Pace.DIRECT.interval())
                .within(Pace.DIRECT.patience());
        for (Worker worker : cluster.clients()) {
          observation.directs.add(new Direct(controlPlane.name(), worker.traffic(target)));
        }
      }
      return observation;
    } catch (RuntimeException e) {
      observation.close();
      throw e;
    }
  }

  /** Starts requests for that path. */
  public static Observation start(
      FailoverCluster cluster, String path, Pace pace, List<Service> services) {
    Observation observation = new Observation();
    try {
      for (Service service : services) {
        for (Worker worker : cluster.clients()) {
          observation.streams.add(
              new Stream(
                  service,
                  worker.name(),
                  worker.mode(),
                  worker.traffic(
                      service.target(path).every(pace.interval()).within(pace.patience()))));
        }
      }
      return observation;
    } catch (RuntimeException e) {
      observation.close();
      throw e;
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

  @Override
  public void close() {
    streams.forEach(stream -> stream.traffic().close());
    directs.forEach(direct -> direct.traffic().close());
  }
}
