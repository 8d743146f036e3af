package io.apiserverupdater.bootstrap.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RuleUpkeepTest {
  private static final BootRule ONE =
      new BootRule(BootRuleTest.address("10.96.0.64:6443"), BootRuleTest.addresses("172.30.1.1"));
  private static final BootRule TWO =
      new BootRule(
          BootRuleTest.address("10.96.0.64:6443"),
          BootRuleTest.addresses("172.30.1.1", "172.30.1.2"));
  private static final RuleReading ABSENT = new RuleReading.Absent();
  private static final RuleReading PRESENT = new RuleReading.Present(ONE, 7);
  private static final RuleReading UNREADABLE = new RuleReading.Unreadable("why");
  private static final RuleUpkeep LEAVE = new RuleUpkeep.Leave();
  private static final RuleUpkeep REMOVE = new RuleUpkeep.Remove(ONE);

  static List<Arguments> decides() {
    RuleUpkeep install = new RuleUpkeep.Install(TWO);
    RuleUpkeep check = new RuleUpkeep.InstallUnlessIpvsLeads(TWO);
    return List.of(
        Arguments.of("other candidates", PRESENT, Optional.of(TWO), false, false, install),
        Arguments.of("the same", PRESENT, Optional.of(ONE), false, false, LEAVE),
        Arguments.of("flushed", ABSENT, Optional.of(TWO), false, false, install),
        Arguments.of("nobody to lead to", PRESENT, Optional.empty(), false, false, LEAVE),
        Arguments.of("flushed, nobody", ABSENT, Optional.empty(), false, false, LEAVE),
        Arguments.of("unreadable", UNREADABLE, Optional.of(TWO), false, false, LEAVE),
        Arguments.of("taken out at hand-over", ABSENT, Optional.of(TWO), true, false, LEAVE),
        Arguments.of("not handed over yet", PRESENT, Optional.of(TWO), true, false, install),
        Arguments.of("in the way of IPVS", PRESENT, Optional.of(ONE), false, true, REMOVE),
        Arguments.of("in its way, nobody else", PRESENT, Optional.empty(), false, true, REMOVE),
        Arguments.of("perhaps in its way", UNREADABLE, Optional.of(ONE), false, true, REMOVE),
        Arguments.of("perhaps, nobody", UNREADABLE, Optional.empty(), false, true, LEAVE),
        Arguments.of("not in its way", ABSENT, Optional.of(TWO), false, true, check),
        Arguments.of("not there, nobody", ABSENT, Optional.empty(), false, true, LEAVE),
        Arguments.of("out by wish", ABSENT, Optional.of(TWO), true, true, LEAVE));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void decides(
      String what,
      RuleReading now,
      Optional<BootRule> wanted,
      boolean removedAfterHandover,
      boolean ipvsCarries,
      RuleUpkeep expected) {
    assertEquals(expected, RuleUpkeep.decide(now, wanted, removedAfterHandover, ipvsCarries));
  }
}
