package io.apiserverupdater.bootstrap.boot;

import static io.apiserverupdater.bootstrap.boot.BootSequenceTest.address;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CandidateOrderTest {
  private static final int NODES = 6_000;
  private static final List<ApiserverAddress> THREE =
      List.of(address("10.0.0.1"), address("10.0.0.2"), address("10.0.0.3"));

  private static String node(int number) {
    return Integer.toHexString(number * 0x9e3779b9) + "d2b5c8";
  }

  @Test
  void everyNodeHasAnOrderAndKeepsIt() {
    List<ApiserverAddress> shuffled = new ArrayList<>(THREE);
    Collections.reverse(shuffled);
    for (int i = 0; i < 100; i++) {
      assertEquals(CandidateOrder.of(THREE, node(i)), CandidateOrder.of(shuffled, node(i)));
    }
  }

  @Test
  void nodesAreSpreadEvenlyOverAllOrders() {
    Map<List<ApiserverAddress>, Integer> nodes = new HashMap<>();
    for (int i = 0; i < NODES; i++) {
      nodes.merge(CandidateOrder.of(THREE, node(i)), 1, Integer::sum);
    }
    assertEquals(6, nodes.size());
    nodes.forEach(
        (order, count) -> assertTrue(Math.abs(count - NODES / 6) < NODES / 6 / 5, nodes::toString));
  }

  @Test
  void lostCandidateMovesOnlyItsOwnNodes() {
    List<ApiserverAddress> two = THREE.subList(0, 2);
    for (int i = 0; i < 1_000; i++) {
      List<ApiserverAddress> before = new ArrayList<>(CandidateOrder.of(THREE, node(i)));
      before.remove(THREE.get(2));
      assertEquals(before, CandidateOrder.of(two, node(i)));
    }
  }
}
