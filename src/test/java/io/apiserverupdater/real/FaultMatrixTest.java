package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.failover.FailoverCluster;
import io.apiserverupdater.failover.FaultTrial;
import io.apiserverupdater.failover.MatrixRow;
import io.apiserverupdater.failover.Observation;
import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.failover.Round;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.NodeSettings;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every row of the fault matrix once, for what must hold on the slowest machine. How fast it is,
 * {@code ./bench failover} measures.
 */
@Tag("real")
@Timeout(180)
class FaultMatrixTest {
  /** The apiservers' own lease on their address lasts this long: who needs it has not detected. */
  static final double DETECTED_MILLIS = 8_000;

  /** Besides, the Lease must run out, and it lasts 4 s. */
  private static final double TAKEN_OVER_MILLIS = 12_000;

  /** Besides, kube-proxy must find that its connection is dead. */
  private static final double ALL_AT_ONCE_MILLIS = 20_000;

  /** The control planes take turns. */
  private static int turn;

  private static Optional<FailoverCluster> running = Optional.empty();

  @BeforeAll
  static void start() {
    running =
        Optional.of(
            FailoverCluster.start(
                Lab.builder("fault-matrix"), UpdaterCluster::command, NodeSettings.RECOMMENDED));
  }

  @AfterAll
  static void stop() {
    running.ifPresent(FailoverCluster::close);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = ".*_ATTACHED")
  void survives(MatrixRow row) {
    FailoverCluster cluster = running.orElseThrow();
    Round round;
    try (Observation observation =
        Observation.start(
            cluster, row.setting().path(), Observation.Pace.LENIENT, List.of(Service.APISERVER))) {
      turn++;
      round = new FaultTrial(cluster, row, observation, new Random(0)).run(turn).round();
    }
    cluster.awaitWhole();
    System.out.println("real: " + row.label() + ": " + round);
    assertEquals(0, round.restarts(), "updaters that ended");
    assertTrue(round.leastReady() > 0, "the slice was without a ready endpoint");
    double outage = round.outages(Service.APISERVER).max().orElse(0);
    int failures = round.failures(Service.APISERVER) + round.failuresOnReturn();
    switch (row) {
      case SIGTERM_DELAYED, LEADER_KILL, ALL_UNREADY, ETCD_STOP, UPDATER_CUT_OFF, REPLACEMENT ->
          assertEquals(0, failures, "failed requests");
      case SIGKILL, SIGTERM, SIGSTOP, BLACK_HOLE, READYZ_500, LINK_DOWN -> {
        assertTrue(outage < DETECTED_MILLIS, () -> "outage in ms: " + outage);
        assertTrue(round.writtenMillis().orElse(Double.MAX_VALUE) < DETECTED_MILLIS);
      }
      case LEADER_AND_APISERVER_KILL -> assertTrue(outage < TAKEN_OVER_MILLIS, () -> "" + outage);
      case LEADER_NODE_BLACK_HOLE -> assertTrue(outage < ALL_AT_ONCE_MILLIS, () -> "" + outage);
      case RESTART_LOOP ->
          assertTrue(round.writes() <= 10, () -> "writes in 30 s: " + round.writes());
      case SIGKILL_ATTACHED, BLACK_HOLE_ATTACHED -> throw new IllegalStateException("excluded");
    }
  }
}
