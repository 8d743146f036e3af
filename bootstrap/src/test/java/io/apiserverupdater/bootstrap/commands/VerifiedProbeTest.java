package io.apiserverupdater.bootstrap.commands;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.bootstrap.boot.BootSequence;
import org.junit.jupiter.api.Test;

class VerifiedProbeTest {
  /** A question that has used its time up must not find the patience at its end. */
  @Test
  void patienceOutlastsAQuestion() {
    assertTrue(VerifiedProbe.PATIENCE.compareTo(BootSequence.PROBE_DEADLINE) > 0);
  }
}
