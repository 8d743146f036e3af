package io.apiserverupdater.bootstrap.check;

import java.util.List;

/** Facts in, findings out. An unknown fact is a warning, never a failure. */
public final class Rules {
  static final String PIN_UNIT = "apiserver-bootstrap.service";
  static final String HANDOVER_UNIT = "apiserver-bootstrap-handover.service";
  static final String HANDOVER_PATH = "apiserver-bootstrap-handover.path";
  static final String REFRESH_TIMER = "apiserver-bootstrap-refresh.timer";

  /** Those of the package. */
  static final List<String> UNITS = List.of(PIN_UNIT, HANDOVER_UNIT, HANDOVER_PATH, REFRESH_TIMER);

  private Rules() {}

  /** In the order in which a connection goes: the name, where it leads, who answers, who dials. */
  public static List<Finding> findings(Facts facts) {
    Findings findings = new Findings();
    NameRules.examine(facts, findings);
    ApiserverRules.examine(facts, findings);
    NodeRules.examine(facts, findings);
    KernelRules.examine(facts, findings);
    return List.copyOf(findings.all());
  }
}
