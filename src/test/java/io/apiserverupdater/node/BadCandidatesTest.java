package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node boots although most of what it has for control planes is none, or is not well. */
@Tag("real")
@Timeout(180)
class BadCandidatesTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  // Five of them at 200 ms from each other, and much for a slow machine.
  private static final Duration IN_TIME = Duration.ofSeconds(10);

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "bad-candidates",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"));

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void tellsThemApartAndTakesTheOneThatIsReadyInTime(int number) {
    BootedNode node = cluster.settled(number);
    ControlPlaneHost good = cluster.lab().controlPlane(1);
    List<String> all = new ArrayList<>(List.of(good.address()));
    for (FaultyApiserver.Fault fault : FaultyApiserver.Fault.values()) {
      all.add(fault.address());
    }
    makeItsLastChoice(node, good.address(), all);
    node.powerOff();
    List<FaultyApiserver> faulty = new ArrayList<>();
    try {
      for (FaultyApiserver.Fault fault : FaultyApiserver.Fault.values()) {
        faulty.add(FaultyApiserver.start(fault, cluster.lab().pki().ca()));
      }
      NodePackage.configure(
          node.disk(), cluster.plan(number).strategy(), all, Lab.APISERVER_SERVICE_ADDRESS);
      Execution unusedResult = node.disk().chroot("rm", "-rf", "/var/lib/apiserver-bootstrap");
      node.powerOn();
      node.awaitUnit("apiserver-bootstrap.service", "active", SOON);
      String said =
          node.journal().of("apiserver-bootstrap.service").stream()
              .map(JournalEntry::message)
              .collect(Collectors.joining("\n"));
      assertTrue(said.contains("target=" + good.address() + ":6443 evidence=ready"), said);
      assertToldApart(said);
      Duration took = BootTimes.pinUnit(node);
      System.out.println("figure: with five bad candidates, pinned in " + took.toMillis() + " ms");
      assertTrue(took.compareTo(IN_TIME) < 0, said);
      long unusedReady = node.awaitSettled(SOON);
      assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    } finally {
      faulty.forEach(FaultyApiserver::close);
    }
    node.powerOff();
  }

  /**
   * Gives the node a machine-id with which it asks this candidate last. It says so itself: its host
   * name, and the product_uuid of the machine that this test runs on, have a say in it too.
   */
  private static void makeItsLastChoice(BootedNode node, String last, List<String> all) {
    for (int i = 1; i <= 100; i++) {
      node.disk().write("/etc/machine-id", "6e6f6465%024x%n".formatted(i << 8));
      if (NodePackage.order(node, all).endsWith("," + last + ":6443")) {
        return;
      }
    }
    fail("with none of 100 machine-ids is " + last + " the last of " + all);
  }

  /** The race ends with the first that is ready, so not all that are bad need be found out. */
  private static void assertToldApart(String said) {
    int found = 0;
    for (FaultyApiserver.Fault fault : FaultyApiserver.Fault.values()) {
      String about = "apiserver=" + fault.address() + ":6443 found=";
      if (said.contains(about)) {
        assertTrue(said.contains(about + fault.finding()), said);
        found++;
      }
    }
    assertTrue(found > 0, said);
  }
}
