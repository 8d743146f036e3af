package io.apiserverupdater.bootstrap.nft;

import java.util.Optional;

/** What is to be done about the rule on a node that is up. */
public sealed interface RuleUpkeep {

  /** It is as it should be, or nothing can be done. */
  record Leave() implements RuleUpkeep {}

  /** Put this one in. */
  record Install(BootRule rule) implements RuleUpkeep {}

  /**
   * Take it out: it is in the way of IPVS.
   *
   * @param otherwise what to put in where IPVS then does not lead to an apiserver
   */
  record Remove(BootRule otherwise) implements RuleUpkeep {}

  /**
   * It is not there: whoever took it out may not have come to ask whether IPVS leads to an
   * apiserver.
   */
  record InstallUnlessIpvsLeads(BootRule rule) implements RuleUpkeep {}

  /**
   * Decides it. A rule that a firewall has flushed is put back; one that is taken out at the
   * hand-over stays out. What cannot be read is left alone.
   *
   * @param wanted the rule to the control planes that are known now
   * @param removedAfterHandover whether the rule is taken out at the hand-over
   * @param ipvsCarries whether kube-proxy's IPVS has a destination for the service
   */
  static RuleUpkeep decide(
      RuleReading now,
      Optional<BootRule> wanted,
      boolean removedAfterHandover,
      boolean ipvsCarries) {
    if (ipvsCarries && now instanceof RuleReading.Absent) {
      return wanted.isPresent() && !removedAfterHandover
          ? new InstallUnlessIpvsLeads(wanted.get())
          : new Leave();
    }
    if (ipvsCarries) {
      Optional<BootRule> otherwise =
          wanted.isEmpty() && now instanceof RuleReading.Present present
              ? Optional.of(present.rule())
              : wanted;
      return otherwise.isPresent() ? new Remove(otherwise.get()) : new Leave();
    }
    boolean install =
        now instanceof RuleReading.Present present
            ? !wanted.equals(Optional.of(present.rule()))
            : now instanceof RuleReading.Absent && !removedAfterHandover;
    return install && wanted.isPresent() ? new Install(wanted.get()) : new Leave();
  }
}
