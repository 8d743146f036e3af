package io.apiserverupdater.bootstrap;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.ApiserverProbe;
import io.apiserverupdater.apiserver.probe.HttpsReadyzProbe;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.bootstrap.BootstrapConfig.Trust;
import io.apiserverupdater.bootstrap.boot.BootStateStore;
import io.apiserverupdater.bootstrap.candidates.CandidateListStore;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.NftBootRuleTable;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.util.Optional;

/** The parts that several commands are built of, as the configuration asks for them. */
final class Parts {
  private Parts() {}

  static HostsFileStore hostsFile(BootstrapConfig config, Log log) {
    return new HostsFileStore(config.hostsFile(), config.stateDir(), log::warn);
  }

  static CandidateListStore candidates(BootstrapConfig config, Log log) {
    return new CandidateListStore(config.stateDir(), log::warn);
  }

  static BootStateStore state(BootstrapConfig config, Log log) {
    return new BootStateStore(config.stateDir(), log);
  }

  /** The cluster IP with the port of the Service. */
  static Optional<ApiserverAddress> service(BootstrapConfig config) {
    return config.clusterIp().isPresent()
        ? Optional.of(new ApiserverAddress(config.clusterIp().get(), config.port()))
        : Optional.empty();
  }

  static BootRuleTable ruleTable(BootstrapConfig config) {
    // Without a cluster IP there is no rule of ours but perhaps a left one, of whatever service.
    Optional<ApiserverAddress> service = service(config);
    return NftBootRuleTable.ofThisNode(
        service.isPresent()
            ? service.get()
            : new ApiserverAddress(InetAddress.getLoopbackAddress(), config.port()));
  }

  /**
   * Probes under the name, as the kubelet will dial.
   *
   * @throws IOException with a message for a person, when it cannot be told whom to trust
   */
  static ApiserverProbe probe(BootstrapConfig config, Log log) throws IOException {
    try {
      return new HttpsReadyzProbe(ApiserverClient.anonymous(config.hostname(), trust(config, log)));
    } catch (GeneralSecurityException e) {
      throw new IOException(
          "cannot tell whom to trust: "
              + e.getMessage()
              + "; expected certificates in PEM in --ca-file, or --ca-cert-hash sha256:HEX",
          e);
    }
  }

  private static ServerTrust trust(BootstrapConfig config, Log log)
      throws IOException, GeneralSecurityException {
    if (config.trust().isEmpty()) {
      throw new IOException("nothing says whom to trust; give --ca-file or --ca-cert-hash");
    }
    Trust trust = config.trust().get();
    if (trust instanceof Trust.Authority authority) {
      return ServerTrust.authorities(Files.readAllBytes(authority.file()));
    }
    if (trust instanceof Trust.AuthorityHashes pinned) {
      return ServerTrust.pinned(pinned.hashes());
    }
    log.warn(
        "insecure-skip-tls-verify=true: whoever answers at a control plane's address is believed,"
            + " and can take this node over; give --ca-file or --ca-cert-hash instead");
    return new ServerTrust.Unverified();
  }
}
