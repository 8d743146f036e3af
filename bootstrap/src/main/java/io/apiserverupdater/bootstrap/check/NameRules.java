package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.bootstrap.check.Facts.HostsBlock;
import io.apiserverupdater.bootstrap.check.Facts.Probed;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/** Where the name leads. */
final class NameRules {
  private final Facts facts;
  private final String name;
  private final Findings findings;

  private NameRules(Facts facts, Findings findings) {
    this.facts = facts;
    this.name = facts.settings().hostname();
    this.findings = findings;
  }

  static void examine(Facts facts, Findings findings) {
    NameRules rules = new NameRules(facts, findings);
    rules.resolution();
    rules.hostsBlock();
  }

  /** What an address is in the scheme. */
  private Optional<String> meaning(InetAddress address) {
    if (facts.settings().clusterIp().equals(Optional.of(address))) {
      return Optional.of("the cluster IP");
    }
    if (facts.controlPlanes() instanceof Reading.Known<List<Probed>> known) {
      for (Probed probed : known.value()) {
        if (probed.address().ip().equals(address)) {
          return Optional.of("a control plane");
        }
      }
    }
    return facts.isThisControlPlane(address)
        ? Optional.of("this control plane itself")
        : Optional.empty();
  }

  private void resolution() {
    String subject = "name";
    Optional<List<InetAddress>> resolved =
        findings.known(subject, facts.resolution(), "look with: getent ahosts " + name);
    if (resolved.isEmpty()) {
      return;
    }
    List<InetAddress> addresses = resolved.get();
    if (addresses.isEmpty()) {
      findings.fail(
          subject,
          name + " leads nowhere",
          "run apiserver-bootstrap pin; if it stays so, /etc/nsswitch.conf lacks"
              + " \"hosts: files\"");
      return;
    }
    if (facts.hosts() instanceof Reading.Known<HostsBlock> hosts
        && !hosts.value().addresses().isEmpty()
        && !addresses.containsAll(hosts.value().addresses())) {
      findings.fail(
          subject,
          name
              + " leads to "
              + Findings.text(addresses)
              + ", the hosts file says "
              + Findings.text(hosts.value().addresses()),
          "let \"files\" come first in the line hosts: of /etc/nsswitch.conf, and restart a name"
              + " cache such as nscd");
      return;
    }
    for (InetAddress address : addresses) {
      Optional<String> meaning = meaning(address);
      if (meaning.isEmpty()) {
        findings.fail(
            subject,
            name
                + " leads to "
                + address.getHostAddress()
                + ", which is neither the cluster IP nor a known control plane",
            "run apiserver-bootstrap, or correct CONTROL_PLANE and CLUSTER_IP in its"
                + " configuration");
        return;
      }
    }
    InetAddress first = addresses.get(0);
    findings.ok(
        subject, name + " leads to " + Findings.text(addresses) + ", " + meaning(first).orElse(""));
  }

  private void hostsBlock() {
    String subject = "hosts file";
    Optional<HostsBlock> block =
        findings.known(
            subject, facts.hosts(), "mend the file as it says, then run apiserver-bootstrap pin");
    if (block.isEmpty()) {
      return;
    }
    if (!block.get().foreignLines().isEmpty()) {
      findings.fail(
          subject,
          "line "
              + block.get().foreignLines().get(0)
              + " outside our block names "
              + name
              + " as well",
          "delete the name there, or run apiserver-bootstrap pin --adopt");
    } else if (block.get().addresses().isEmpty()) {
      findings.fail(subject, "there is no entry of ours", "run apiserver-bootstrap pin");
    } else {
      findings.ok(subject, "one block, with " + Findings.text(block.get().addresses()));
      handedOver(block.get().addresses());
    }
  }

  private void handedOver(List<InetAddress> addresses) {
    Optional<InetAddress> clusterIp = facts.settings().clusterIp();
    if (!facts.settings().isWorker()
        || clusterIp.isEmpty()
        || addresses.contains(clusterIp.get())) {
      return;
    }
    findings.warn(
        "hand-over",
        "the name still points at a control plane",
        serviceIsReady()
            ? "the cluster IP works: run systemctl restart " + Rules.HANDOVER_UNIT
            : "it follows when the cluster IP works; until then look at " + Rules.HANDOVER_UNIT);
  }

  private boolean serviceIsReady() {
    return facts.service().isPresent()
        && facts.service().get() instanceof Reading.Known<Probed> service
        && service.value().result() instanceof ProbeResult.Ready;
  }
}
