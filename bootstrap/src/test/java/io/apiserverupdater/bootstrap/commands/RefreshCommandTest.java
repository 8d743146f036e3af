package io.apiserverupdater.bootstrap.commands;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRule;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.RuleOutcome;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import io.apiserverupdater.bootstrap.nft.RuleUpkeep;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** What becomes of the rule on a node where IPVS has the service. */
class RefreshCommandTest {
  private static final BootRule RULE =
      new BootRule(address("10.96.0.64"), List.of(address("10.0.0.1")));
  private static final RuleUpkeep REMOVE = new RuleUpkeep.Remove(RULE);
  private static final RuleUpkeep CHECK = new RuleUpkeep.InstallUnlessIpvsLeads(RULE);

  private final ByteArrayOutputStream log = new ByteArrayOutputStream();
  private boolean there;
  private int failingInstalls;

  /** Whether nft is killed, and whether the kernel has done it by then. */
  private boolean removalFails;

  private boolean removes = true;

  private static ApiserverAddress address(String ip) {
    return ApiserverAddress.parse(ip, 6443).orElseThrow();
  }

  private final class Table implements BootRuleTable {
    @Override
    public RuleOutcome install(BootRule rule, Duration deadline) {
      if (failingInstalls > 0) {
        failingInstalls--;
        return new RuleOutcome.Failed("busy");
      }
      there = true;
      return new RuleOutcome.Done();
    }

    @Override
    public RuleReading read(Duration deadline) {
      return there ? new RuleReading.Present(RULE, 0) : new RuleReading.Absent();
    }

    @Override
    public RuleOutcome remove(Duration deadline) {
      there &= !removes;
      return removalFails ? new RuleOutcome.Failed("killed") : new RuleOutcome.Done();
    }

    @Override
    public boolean ipvsCarries() {
      return true;
    }
  }

  private String carriedOut(RuleUpkeep upkeep, boolean wasThere, boolean ipvsLeads) {
    there = wasThere;
    BooleanSupplier asksWithoutTheRule =
        () -> {
          assertFalse(there, "IPVS is asked while the rule is before it");
          return ipvsLeads;
        };
    RefreshCommand.carryOut(
        upkeep,
        new Table(),
        asksWithoutTheRule,
        new Log(new PrintStream(log, true, StandardCharsets.UTF_8), false));
    return log.toString(StandardCharsets.UTF_8);
  }

  private static void assertTold(String words, String logged) {
    assertTrue(logged.contains(words), logged);
  }

  @Test
  void ruleIsOutWhereIpvsLeadsToAnApiserver() {
    assertTold("rule=removed", carriedOut(REMOVE, true, true));
    assertFalse(there);
  }

  @Test
  void ruleIsBackWhereIpvsDoesNot() {
    assertTold("rule=kept", carriedOut(REMOVE, true, false));
    assertTrue(there);
  }

  @Test
  void ruleThatCouldNotBePutBackIsTriedTwice() {
    failingInstalls = 1;
    assertTold("rule=kept", carriedOut(REMOVE, true, false));
    assertTrue(there);
  }

  /** It is not unchanged. */
  @Test
  void ruleThatIsGoneIsToldAsMissing() {
    failingInstalls = 2;
    assertTold("rule=missing reason=\"busy\"", carriedOut(REMOVE, true, false));
  }

  @Test
  void ruleThatIsGoneAlthoughItsRemovalFailedIsPutBack() {
    removalFails = true;
    assertTold("rule=kept", carriedOut(REMOVE, true, false));
    assertTrue(there);
  }

  @Test
  void ruleThatCannotBeRemovedIsUnchanged() {
    removalFails = true;
    removes = false;
    assertTold("rule=unchanged reason=\"killed\"", carriedOut(REMOVE, true, false));
    assertTrue(there);
  }

  /** As a refresh that was killed between the removal and the answer leaves it. */
  @Test
  void missingRuleIsInstalledWhereIpvsDoesNotLeadToAnApiserver() {
    assertTold("rule=installed", carriedOut(CHECK, false, false));
    assertTrue(there);
  }

  @Test
  void missingRuleIsLeftOutWithoutAWordWhereIpvsLeadsToAnApiserver() {
    assertEquals("", carriedOut(CHECK, false, true));
    assertFalse(there);
  }
}
