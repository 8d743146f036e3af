package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRule;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.Carrier;
import io.apiserverupdater.bootstrap.nft.RuleOutcome;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The name points at the cluster IP from the start, and a rule in the kernel leads from there to
 * the control plane. Where there cannot be such a rule, the name points at the control plane after
 * all; that is told once.
 */
final class NftBridge extends Bridge {
  private static final Duration DEADLINE = Duration.ofSeconds(5);

  /** For one that answered: as long as it had when it was found. */
  private static final Duration WAY_DEADLINE = Duration.ofSeconds(5);

  /** For one that did not answer well: only whether there is a route, which is known at once. */
  private static final Duration ROUTE_DEADLINE = Duration.ofSeconds(1);

  private final ApiserverAddress service;
  private final NameEntry entry;
  private final BootRuleTable table;
  private final Probing probing;
  private final boolean removeAfterHandover;
  private final Log log;
  private boolean fallenBack;
  private Optional<BootRule> last = Optional.empty();
  private RuleReading before = new RuleReading.Absent();

  /** What was taken out on trial: only without it IPVS shows whether it leads to an apiserver. */
  private Optional<BootRule> aside = Optional.empty();

  private boolean failureTold;
  private boolean missingTold;

  NftBridge(
      ApiserverAddress service,
      NameEntry entry,
      BootRuleTable table,
      Probing probing,
      boolean removeAfterHandover,
      Log log) {
    super(entry, service.port());
    this.service = service;
    this.entry = entry;
    this.table = table;
    this.probing = probing;
    this.removeAfterHandover = removeAfterHandover;
    this.log = log;
  }

  @Override
  Optional<String> check() throws IOException {
    return entry.check(service.ip());
  }

  @Override
  boolean rests(InetAddress address) {
    return address.equals(service.ip());
  }

  @Override
  Optional<ApiserverAddress> current() throws IOException {
    if (!isEntryOfTheService()) {
      return super.current();
    }
    Optional<BootRule> rule =
        table.read(DEADLINE) instanceof RuleReading.Present present
            ? Optional.of(present.rule())
            : aside;
    return rule.map(it -> it.candidates().get(0));
  }

  @Override
  boolean leadTo(ApiserverAddress controlPlane, Evidence evidence) throws IOException {
    Optional<BootRule> rule = BootRule.of(service, List.of(controlPlane));
    if (rule.isEmpty()) {
      fallBack(controlPlane + " is not of the address family of " + service);
    } else if (!fallenBack) {
      RuleOutcome outcome = table.install(rule.get(), DEADLINE);
      aside = Optional.empty();
      if (!(outcome instanceof RuleOutcome.Done)) {
        fallBack(outcome.reason());
      } else {
        tryTheWay(evidence);
      }
    }
    if (fallenBack && reaches(controlPlane)) {
      return super.leadTo(controlPlane, evidence);
    }
    if (fallenBack) {
      log.warn(
          """
          name-unreachable target=%s reason="%s listens on another port, and a hosts file has no \
          ports: only kube-proxy's rules can reach it\""""
              .formatted(service, controlPlane));
    }
    last = rule;
    boolean unusedChange = entry.pointAt(service.ip());
    return true;
  }

  @Override
  boolean reaches(ApiserverAddress controlPlane) {
    return !fallenBack || controlPlane.port() == service.port();
  }

  /**
   * That the control plane answers says nothing of the way that the kubelet will take: without a
   * route to the cluster IP, a connection ends before it comes to the rule.
   */
  private void tryTheWay(Evidence evidence) {
    boolean answers = evidence == Evidence.READY || evidence == Evidence.ALIVE;
    ProbeResult result = probing.askNow(service, answers ? WAY_DEADLINE : ROUTE_DEADLINE);
    if (result instanceof Unreachable unreachable
        && (answers || unreachable.reason() == Reason.NO_ROUTE)) {
      fallBack(
          "%s does not reach the control plane: %s; give the node a route to the cluster IP"
              .formatted(service, unreachable.detail().replace('"', '\'')));
      // What is left of it must not count as a way when the cluster IP is asked.
      removeRule();
    }
  }

  private void fallBack(String reason) {
    if (!fallenBack) {
      log.warn("strategy=nft fallback=hosts reason=\"" + reason + "\"");
    }
    fallenBack = true;
  }

  @Override
  void putBack() throws IOException {
    RuleReading now = reading();
    if (now instanceof RuleReading.Present present) {
      last = Optional.of(present.rule());
    } else if (now instanceof RuleReading.Absent
        && !fallenBack
        && aside.isEmpty()
        && last.isPresent()
        && isEntryOfTheService()) {
      if (installAgain(last.get())) {
        log.warn("strategy=nft rule=installed reason=\"another program removed it\"");
      }
    }
  }

  /** Returns whether it is there; that it is not is told once. */
  private boolean installAgain(BootRule rule) {
    RuleOutcome outcome = table.install(rule, DEADLINE);
    boolean done = outcome instanceof RuleOutcome.Done;
    if (!done && !missingTold) {
      log.warn("strategy=nft rule=missing reason=\"" + outcome.reason() + "\"");
    }
    missingTold = !done;
    return done;
  }

  @Override
  void beforeAsking() throws IOException {
    before = reading();
  }

  /**
   * A rule that cannot be read is none where the name leads to a control plane: then the program
   * that pinned it, most likely another one, has fallen back.
   */
  private RuleReading reading() throws IOException {
    if (fallenBack) {
      return new RuleReading.Absent();
    }
    RuleReading reading = table.read(DEADLINE);
    return reading instanceof RuleReading.Unreadable && !isEntryOfTheService()
        ? new RuleReading.Absent()
        : reading;
  }

  private boolean isEntryOfTheService() throws IOException {
    return entry.address().equals(Optional.of(service.ip()));
  }

  @Override
  boolean mayHaveCarried() throws IOException {
    return Carrier.between(before, reading()) != Carrier.KUBE_PROXY;
  }

  /** For IPVS: the rule comes before it. kube-proxy's other modes come before the rule. */
  @Override
  boolean stepAside() throws IOException {
    if (!(reading() instanceof RuleReading.Present present)) {
      return false;
    }
    // Should it have stepped aside: another process has installed the rule since then.
    aside = Optional.empty();
    if (!table.ipvsCarries()) {
      return false;
    }
    aside = Optional.of(present.rule());
    if (table.remove(DEADLINE) instanceof RuleOutcome.Done) {
      return true;
    }
    // The kernel may have taken it out all the same.
    if (installAgain(present.rule())) {
      aside = Optional.empty();
    }
    return false;
  }

  @Override
  boolean stepBack() throws IOException {
    if (aside.isEmpty()) {
      return false;
    }
    // Another program may lead the name elsewhere now.
    if (isEntryOfTheService()) {
      if (!installAgain(aside.get())) {
        return false;
      }
      if (!failureTold) {
        log.warn(
            "strategy=nft rule=kept reason=\"IPVS has %s, but does not reach an apiserver yet\""
                .formatted(service));
        failureTold = true;
      }
    }
    aside = Optional.empty();
    return true;
  }

  @Override
  void handedOver() {
    if (!fallenBack && (removeAfterHandover || aside.isPresent())) {
      removeRule();
      last = Optional.empty();
    }
    aside = Optional.empty();
  }

  private void removeRule() {
    RuleOutcome outcome = table.remove(DEADLINE);
    if (outcome instanceof RuleOutcome.Done) {
      log.info("strategy=nft rule=removed");
    } else {
      log.warn("strategy=nft rule=left reason=\"" + outcome.reason() + "\"");
    }
  }
}
