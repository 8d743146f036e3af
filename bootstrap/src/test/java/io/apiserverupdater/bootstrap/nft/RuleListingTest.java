package io.apiserverupdater.bootstrap.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RuleListingTest {
  /** As nft 1.0.6 prints it with -nnn. */
  private static final String LISTING =
      """
      table ip apiserver_bootstrap {
      \tcounter connections {
      \t\tpackets 17 bytes 1020
      \t}

      \tchain candidate_0 {
      \t\tmeta l4proto 6 dnat to 172.30.1.1:6443
      \t}

      \tchain candidate_1 {
      \t\tmeta l4proto 6 dnat to 172.30.1.2:7443
      \t}

      \tchain output {
      \t\ttype nat hook output priority -99; policy accept;
      \t\tip daddr 10.96.0.64 tcp dport 6443 counter name "connections" numgen random mod 2 vmap { 0 : goto candidate_0, 1 : goto candidate_1 }
      \t}

      \tchain postrouting {
      \t\ttype nat hook postrouting priority 101; policy accept;
      \t\tfib saddr type 2 meta l4proto 6 ct original ip daddr 10.96.0.64 masquerade
      \t}
      }
      """;

  private static final String LISTING_V6 =
      """
      table ip6 apiserver_bootstrap {
      \tcounter connections {
      \t\tpackets 0 bytes 0
      \t}

      \tchain candidate_0 {
      \t\tmeta l4proto tcp dnat to [fd00::1]:6443
      \t}

      \tchain output {
      \t\ttype nat hook output priority -99; policy accept;
      \t\tip6 daddr fd00::64 tcp dport 6443 counter name "connections" numgen random mod 1 vmap { 0 : goto candidate_0 }
      \t}

      \tchain postrouting {
      \t\ttype nat hook postrouting priority srcnat + 1; policy accept;
      \t\tfib saddr type local meta l4proto tcp ct original ip6 daddr fd00::64 masquerade
      \t}
      }
      """;

  @Test
  void readsCandidatesAndCounter() {
    assertEquals(
        new RuleReading.Present(
            new BootRule(
                BootRuleTest.address("10.96.0.64:6443"),
                BootRuleTest.addresses("172.30.1.1:6443", "172.30.1.2:7443")),
            17),
        RuleListing.parse(LISTING));
    assertEquals(
        new RuleReading.Present(
            new BootRule(
                BootRuleTest.address("[fd00::64]:6443"), BootRuleTest.addresses("fd00::1")),
            0),
        RuleListing.parse(LISTING_V6));
  }

  static List<Arguments> saysWhenItIsSomethingElse() {
    return List.of(
        Arguments.of("nothing", ""),
        Arguments.of("an empty table", "table ip apiserver_bootstrap {\n}\n"),
        Arguments.of("no counter", LISTING.replace("packets 17 bytes 1020", "")),
        Arguments.of("no number", LISTING.replace("packets 17", "packets many")),
        Arguments.of("a number too large", LISTING.replace("17", "99999999999999999999")),
        Arguments.of("no service", LISTING.replace("ip daddr 10.96.0.64 tcp", "tcp")),
        Arguments.of("a service of names", LISTING.replace("dport 6443", "dport https")),
        Arguments.of("no port", LISTING.replace("tcp dport 6443", "")),
        Arguments.of("no candidates", LISTING.replace("dnat to", "jump to")),
        Arguments.of("candidates in disorder", LISTING.replace("candidate_0 {", "candidate_2 {")),
        Arguments.of("a candidate twice", LISTING.replace("172.30.1.2:7443", "172.30.1.1:6443")),
        Arguments.of("another family", LISTING.replace("172.30.1.2:7443", "[fd00::1]:6443")),
        Arguments.of("a target without a port", LISTING.replace("172.30.1.2:7443", "172.30.1.2")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void saysWhenItIsSomethingElse(String what, String listing) {
    assertInstanceOf(RuleReading.Unreadable.class, RuleListing.parse(listing));
  }
}
