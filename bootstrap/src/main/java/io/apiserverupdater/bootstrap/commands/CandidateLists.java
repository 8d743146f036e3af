package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.bootstrap.candidates.CandidateList;
import io.apiserverupdater.bootstrap.candidates.CandidateListStore;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig;
import io.apiserverupdater.bootstrap.log.Log;
import java.util.Optional;

/** The list of control planes, for the commands that only look. */
final class CandidateLists {
  private CandidateLists() {}

  /** Empty where no control plane is configured. */
  static Optional<CandidateList> ifConfigured(BootstrapConfig config, Log log) {
    return config.hasControlPlanes()
        ? Optional.of(
            new CandidateListStore(config.stateDir(), log::warn).read(config.controlPlanes()))
        : Optional.empty();
  }
}
