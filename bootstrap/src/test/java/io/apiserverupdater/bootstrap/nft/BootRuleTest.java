package io.apiserverupdater.bootstrap.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.program.Program;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BootRuleTest {
  private static final ApiserverAddress SERVICE = address("10.96.0.64:6443");

  static ApiserverAddress address(String text) {
    return ApiserverAddress.parse(text, 6443).orElseThrow();
  }

  static List<ApiserverAddress> addresses(String... texts) {
    return Stream.of(texts).map(BootRuleTest::address).toList();
  }

  @Test
  void turnsConnectionsToTheServiceToEachCandidateAlike() {
    BootRule rule = new BootRule(SERVICE, addresses("172.30.1.1", "172.30.1.2:7443"));
    assertEquals(
        """
        add table ip apiserver_bootstrap
        delete table ip apiserver_bootstrap
        table ip apiserver_bootstrap {
        counter connections { }
        chain candidate_0 { meta l4proto tcp dnat to 172.30.1.1:6443; }
        chain candidate_1 { meta l4proto tcp dnat to 172.30.1.2:7443; }
        chain output {
        type nat hook output priority -99;
        ip daddr 10.96.0.64 tcp dport 6443 counter name connections numgen random mod 2 vmap { 0 : goto candidate_0, 1 : goto candidate_1 }
        }
        chain postrouting {
        type nat hook postrouting priority 101;
        fib saddr type local meta l4proto tcp ct original ip daddr 10.96.0.64 masquerade
        }
        }
        """,
        rule.ruleset());
  }

  @Test
  void worksInTheFamilyOfTheService() {
    BootRule rule = new BootRule(address("[fd00::64]:6443"), addresses("fd00::1"));
    assertEquals(
        """
        add table ip6 apiserver_bootstrap
        delete table ip6 apiserver_bootstrap
        table ip6 apiserver_bootstrap {
        counter connections { }
        chain candidate_0 { meta l4proto tcp dnat to [fd00:0:0:0:0:0:0:1]:6443; }
        chain output {
        type nat hook output priority -99;
        ip6 daddr fd00:0:0:0:0:0:0:64 tcp dport 6443 counter name connections numgen random mod 1 vmap { 0 : goto candidate_0 }
        }
        chain postrouting {
        type nat hook postrouting priority 101;
        fib saddr type local meta l4proto tcp ct original ip6 daddr fd00:0:0:0:0:0:0:64 masquerade
        }
        }
        """,
        rule.ruleset());
  }

  @Test
  void takesCandidatesOfTheServicesFamilyOnce() {
    assertEquals(
        Optional.of(new BootRule(SERVICE, addresses("172.30.1.2", "172.30.1.1"))),
        BootRule.of(SERVICE, addresses("172.30.1.2", "fd00::1", "172.30.1.1", "172.30.1.2:6443")));
    assertEquals(
        Optional.of(new BootRule(address("[fd00::64]:6443"), addresses("fd00::1"))),
        BootRule.of(address("[fd00::64]:6443"), addresses("172.30.1.2", "fd00::1")));
  }

  @Test
  void isNoRuleWithoutCandidateOfTheServicesFamily() {
    assertEquals(Optional.empty(), BootRule.of(SERVICE, addresses("fd00::1")));
    assertEquals(Optional.empty(), BootRule.of(SERVICE, List.of()));
    assertThrows(IllegalArgumentException.class, () -> new BootRule(SERVICE, addresses("fd00::1")));
    assertThrows(IllegalArgumentException.class, () -> new BootRule(SERVICE, List.of()));
  }

  @Test
  void longestRulesetFitsIntoThePipeToNft() {
    List<ApiserverAddress> many = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      many.add(address("[fd00:aaaa:bbbb:cccc:dddd:eeee:ffff:a" + (100 + i) + "]:65535"));
    }
    BootRule rule =
        BootRule.of(address("[fd00:aaaa:bbbb:cccc:dddd:eeee:ffff:1111]:65535"), many).orElseThrow();
    assertEquals(many.subList(0, BootRule.MAX_CANDIDATES), rule.candidates());
    int bytes = rule.ruleset().getBytes(StandardCharsets.UTF_8).length;
    assertTrue(bytes <= Program.MAX_INPUT, bytes + " bytes");
  }
}
