package io.apiserverupdater.bootstrap.nft;

/** What became of a change of the rule. */
public sealed interface RuleOutcome {

  /** The kernel has taken it. */
  record Done() implements RuleOutcome {}

  /**
   * This node cannot have such a rule, now or later: no nft, or a kernel without what it needs. The
   * way out is {@code --strategy hosts}.
   *
   * @param reason a sentence part for a person: what is missing and what to do
   */
  record Unsupported(String reason) implements RuleOutcome {}

  /**
   * It did not work this time; the rule is as it was before, unless nft ended before it said so.
   *
   * @param reason a sentence part for a person
   */
  record Failed(String reason) implements RuleOutcome {}

  /** A sentence part for a person; empty when all is well. */
  default String reason() {
    return "";
  }
}
