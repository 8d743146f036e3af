package io.apiserverupdater.bootstrap.boot;

import static io.apiserverupdater.bootstrap.boot.BootSequenceTest.address;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BootDecisionTest {
  private static final ApiserverAddress CP1 = address("10.0.0.1");
  private static final ApiserverAddress CP2 = address("10.0.0.2");
  private static final List<ApiserverAddress> ORDERED = List.of(CP1, CP2);
  private static final RaceStep READY = new RaceStep.Ready(CP2);
  private static final RaceStep VERIFIED = new RaceStep.Over(Optional.of(CP2));
  private static final RaceStep NOBODY = new RaceStep.Over(Optional.empty());
  private static final Optional<ApiserverAddress> WORKER = Optional.empty();
  private static final Optional<ApiserverAddress> CONTROL_PLANE = Optional.of(CP1);

  static List<Arguments> situations() {
    BootDecision ready = new BootDecision.Point(CP2, Evidence.READY);
    BootDecision local = new BootDecision.Point(CP1, Evidence.LOCAL);
    return List.of(
        Arguments.of("ready, first boot", READY, false, WORKER, ready),
        Arguments.of("ready, old entry", READY, true, WORKER, ready),
        Arguments.of("peer ready", READY, true, CONTROL_PLANE, ready),
        Arguments.of(
            "only TLS", VERIFIED, true, WORKER, new BootDecision.Point(CP2, Evidence.VERIFIED)),
        Arguments.of("nobody, old entry", NOBODY, true, WORKER, new BootDecision.Keep()),
        Arguments.of(
            "nobody, first boot",
            NOBODY,
            false,
            WORKER,
            new BootDecision.Point(CP1, Evidence.NONE)),
        Arguments.of("no peer ready", VERIFIED, true, CONTROL_PLANE, local),
        Arguments.of("no peer at all", NOBODY, false, CONTROL_PLANE, local));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void situations(
      String name,
      RaceStep end,
      boolean pointsSomewhere,
      Optional<ApiserverAddress> local,
      BootDecision expected) {
    assertEquals(expected, BootDecision.afterRace(end, pointsSomewhere, local, ORDERED));
  }
}
