package io.apiserverupdater.bootstrap.nft;

/** What the kernel has of the rule. */
public sealed interface RuleReading {

  /** No table of ours for the service. */
  record Absent() implements RuleReading {}

  /**
   * The rule is in place.
   *
   * @param connections how many new connections it has turned to a candidate since it was installed
   */
  record Present(BootRule rule, long connections) implements RuleReading {}

  /**
   * Nobody knows: nft is missing or failed, or a table of our name holds something else.
   *
   * @param reason a sentence part for a person
   */
  record Unreadable(String reason) implements RuleReading {}
}
