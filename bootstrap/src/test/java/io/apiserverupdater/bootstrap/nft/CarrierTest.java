package io.apiserverupdater.bootstrap.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CarrierTest {
  private static final RuleReading ABSENT = new RuleReading.Absent();
  private static final RuleReading UNREADABLE = new RuleReading.Unreadable("why");

  private static RuleReading present(long connections, String... candidates) {
    return new RuleReading.Present(
        new BootRule(BootRuleTest.address("10.96.0.64:6443"), BootRuleTest.addresses(candidates)),
        connections);
  }

  static List<Arguments> readings() {
    RuleReading four = present(4, "172.30.1.1");
    RuleReading five = present(5, "172.30.1.1");
    return List.of(
        Arguments.of("the counter stood", four, four, Carrier.KUBE_PROXY),
        Arguments.of("the counter moved", four, five, Carrier.BOOT_RULE),
        Arguments.of("no rule at all", ABSENT, ABSENT, Carrier.KUBE_PROXY),
        Arguments.of("replaced by the same rule", five, four, Carrier.UNKNOWN),
        Arguments.of("replaced by another", four, present(4, "172.30.1.2"), Carrier.UNKNOWN),
        Arguments.of("taken out meanwhile", four, ABSENT, Carrier.UNKNOWN),
        Arguments.of("put in meanwhile", ABSENT, four, Carrier.UNKNOWN),
        Arguments.of("unreadable before", UNREADABLE, four, Carrier.UNKNOWN),
        Arguments.of("unreadable after", four, UNREADABLE, Carrier.UNKNOWN),
        Arguments.of("never readable", UNREADABLE, UNREADABLE, Carrier.UNKNOWN));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void readings(String what, RuleReading before, RuleReading after, Carrier expected) {
    assertEquals(expected, Carrier.between(before, after));
  }
}
