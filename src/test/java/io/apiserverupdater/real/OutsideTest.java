package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.apiserverupdater.failover.ExternalAddresses;
import io.apiserverupdater.failover.FailoverCluster;
import io.apiserverupdater.failover.FaultTrial;
import io.apiserverupdater.failover.MatrixRow;
import io.apiserverupdater.failover.Observation;
import io.apiserverupdater.failover.Observation.Pace;
import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.failover.Observation.Stream;
import io.apiserverupdater.failover.Round;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.NodeSettings;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.Worker;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A host that is no node reaches the API by the external address that MetalLB announces, set up as
 * {@code docs/load-balancer.md} says, through the first five faults of the matrix and the death of
 * the node that announces it. Beside it is a Service with a copy of the {@code kubernetes}
 * Service's endpoints; what it does is printed and not asserted. How fast both are, {@code ./bench
 * outside} measures.
 */
@Tag("real")
@Timeout(180)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OutsideTest {
  /**
   * One that hangs fails before the shortest fault is healed, in 5 s: else what was healed would
   * answer it.
   */
  private static final Pace PACE = new Pace(Duration.ofMillis(50), Duration.ofSeconds(3));

  /** Longer than an outage may last, so that a client that fails again is seen. */
  private static final Duration WINDOW = Duration.ofSeconds(12);

  private static final Duration TAKEN_OVER = Duration.ofSeconds(15);

  /** In a row: any of a handful of servers, drawn at random, has been met then. */
  private static final int MANY = 40;

  /** The control planes take turns. */
  private static int turn;

  private static Optional<FailoverCluster> running = Optional.empty();
  private static Optional<ExternalAddresses> announced = Optional.empty();

  @BeforeAll
  static void start() {
    FailoverCluster cluster =
        FailoverCluster.start(
            Lab.builder("outside"), UpdaterCluster::command, NodeSettings.RECOMMENDED);
    running = Optional.of(cluster);
    announced = Optional.of(ExternalAddresses.announce(cluster));
  }

  @AfterAll
  static void stop() {
    running.ifPresent(FailoverCluster::close);
  }

  private static ExternalAddresses outside() {
    return announced.orElseThrow();
  }

  /** No member is on a node, so with that policy no node has one to send a connection to. */
  @Test
  @Order(1)
  void trafficPolicyLocalCutsEverybodyOff() {
    try (Observation observation = outside().requests("/version", PACE)) {
      observation.awaitGood(outside().controlPlanes(), FailoverCluster.SOON);
      setTrafficPolicy("Local");
      for (Stream stream : observation.through(Service.APISERVER)) {
        stream
            .traffic()
            .await(
                "no answer any more",
                all -> last(all).stream().noneMatch(Traffic.Sample::ok),
                FailoverCluster.SOON);
      }
      setTrafficPolicy("Cluster");
      observation.awaitGood(outside().controlPlanes(), FailoverCluster.SOON);
    }
  }

  private static void setTrafficPolicy(String policy) {
    JsonObject unusedService =
        running
            .orElseThrow()
            .lab()
            .admin()
            .patch(
                UpdaterCluster.SERVICES + "/" + UpdaterCluster.SERVICE,
                "{\"spec\": {\"externalTrafficPolicy\": \"" + policy + "\"}}");
  }

  private static List<Traffic.Sample> last(List<Traffic.Sample> all) {
    return all.subList(Math.max(0, all.size() - MANY), all.size());
  }

  @ParameterizedTest
  @Order(2)
  @EnumSource(names = {"SIGKILL", "SIGTERM_DELAYED", "SIGTERM", "SIGSTOP", "BLACK_HOLE"})
  void clientGoesOnThrough(MatrixRow row) {
    FailoverCluster cluster = running.orElseThrow();
    Round round;
    try (Observation observation = outside().requests(row.setting().path(), PACE)) {
      turn++;
      round = new FaultTrial(cluster, row, observation, new Random(0), WINDOW).run(turn).round();
    }
    System.out.println("real: outside: " + row.label() + ": " + round);
    double outage = round.outages(Service.APISERVER).max().orElseThrow();
    System.out.printf(
        "figure: outside, %s: outage %.0f ms; with copied endpoints %.0f ms, of %.0f ms%n",
        row.label(),
        outage,
        round.outages(Service.KUBERNETES).max().orElseThrow(),
        round.lastedMillis());
    if (row == MatrixRow.SIGTERM_DELAYED) {
      assertEquals(
          0, round.failures(Service.APISERVER) + round.failuresOnReturn(), "failed requests");
    }
    assertTrue(outage < FaultMatrixTest.DETECTED_MILLIS, () -> "outage in ms: " + outage);
  }

  @Test
  @Order(3)
  void anotherNodeAnnouncesWhenTheAnnouncingOneDies() {
    running.orElseThrow().awaitWhole();
    try (Observation observation = outside().requests("/version", PACE)) {
      observation.awaitGood(outside().controlPlanes(), FailoverCluster.SOON);
      Worker dead = outside().announcer(Service.APISERVER).orElseThrow();
      Deadline deadline = Deadline.in(TAKEN_OVER);
      long death = System.nanoTime();
      dead.host().linkDown();
      try {
        deadline.await(
            "another node announces",
            () -> outside().announcer(Service.APISERVER).filter(it -> it != dead).isPresent());
        long takenOver = System.nanoTime();
        for (Stream stream : observation.through(Service.APISERVER)) {
          stream
              .traffic()
              .await(
                  "answers through the other node",
                  all ->
                      all.stream().filter(it -> it.startNanos() > takenOver).count() >= MANY
                          && last(all).stream().allMatch(Traffic.Sample::ok),
                  deadline.left());
        }
        observation
            .streams()
            .forEach(
                stream ->
                    System.out.printf(
                        "figure: outside, announcing node dead: outage %d ms%s%n",
                        stream.traffic().outageSince(death).toMillis(),
                        stream.service() == Service.APISERVER ? "" : " with copied endpoints"));
      } finally {
        dead.host().linkUp();
      }
    }
  }
}
