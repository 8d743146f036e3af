package io.apiserverupdater.component;

import io.apiserverupdater.sandbox.SandboxCluster;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** Tests of one class that share a sandbox cluster and leave it whole, without a replica. */
abstract class OnOneCluster {
  static Replicas replicas;
  static SandboxCluster cluster;

  @BeforeAll
  static void start() {
    cluster = SandboxCluster.start();
    replicas = new Replicas(cluster);
  }

  @AfterAll
  static void end() {
    replicas.close();
  }

  @AfterEach
  void reset() {
    replicas.reset();
  }
}
