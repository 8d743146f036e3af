package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.bootstrap.check.Facts.CloudInit;
import io.apiserverupdater.bootstrap.check.Facts.HostsBlock;
import io.apiserverupdater.bootstrap.check.Facts.Probed;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/** Rules about the name and the hosts file. */
record NameRules(Facts facts, String name, Findings findings) {
  static void examine(Facts facts, Findings findings) {
    NameRules rules = new NameRules(facts, facts.settings().hostname(), findings);
    rules.resolution();
    rules.hostsBlock();
  }

  /** What an address is in the scheme. */
  private Optional<String> meaning(InetAddress address) {
    if (facts.settings().clusterIp().equals(Optional.of(address))) {
      return Optional.of("the cluster IP");
    }
    if (facts.controlPlanes() instanceof Reading.Known<List<Probed>> known
        && known.value().stream().anyMatch(probed -> probed.address().ip().equals(address))) {
      return Optional.of("a control plane");
    }
    return facts.isThisControlPlane(address)
        ? Optional.of("the local apiserver")
        : Optional.empty();
  }

  private void resolution() {
    Findings subject = findings.about("name");
    Optional<List<InetAddress>> resolved =
        subject.known(facts.resolution(), "run getent ahosts " + name);
    if (resolved.isEmpty()) {
      return;
    }
    List<InetAddress> addresses = resolved.get();
    if (addresses.isEmpty()) {
      subject.fail(
          name + " does not resolve",
          "run apiserver-bootstrap pin; if that does not help, add \"files\" to the line hosts: of"
              + " /etc/nsswitch.conf");
      return;
    }
    if (facts.hosts() instanceof Reading.Known<HostsBlock> hosts
        && !hosts.value().addresses().isEmpty()
        && !addresses.containsAll(hosts.value().addresses())) {
      subject.fail(
          "%s resolves to %s, but the hosts file has %s"
              .formatted(name, Findings.text(addresses), Findings.text(hosts.value().addresses())),
          "put \"files\" first in the line hosts: of /etc/nsswitch.conf and restart name caches"
              + " such as nscd");
      return;
    }
    Optional<InetAddress> strange =
        addresses.stream().filter(address -> meaning(address).isEmpty()).findFirst();
    if (strange.isPresent()) {
      subject.fail(
          "%s resolves to %s, which is neither the cluster IP nor a known control plane"
              .formatted(name, strange.get().getHostAddress()),
          "run apiserver-bootstrap, or correct CONTROL_PLANE and CLUSTER_IP in its configuration");
      return;
    }
    InetAddress first = addresses.get(0);
    subject.ok(
        name + " resolves to " + Findings.text(addresses) + ", " + meaning(first).orElse(""));
  }

  private void hostsBlock() {
    Findings subject = findings.about("hosts file");
    Optional<HostsBlock> block =
        subject.known(facts.hosts(), "fix the file as described, then run apiserver-bootstrap pin");
    if (block.isEmpty()) {
      return;
    }
    if (!block.get().foreignLines().isEmpty()) {
      subject.fail(
          "line %d outside the block of apiserver-bootstrap also has %s"
                  .formatted(block.get().foreignLines().get(0), name)
              + block
                  .get()
                  .foreignMarker()
                  .map(marker -> ", in the block \"" + marker + "\" of another tool")
                  .orElse(""),
          block.get().foreignMarker().isPresent()
              ? "remove the name in that tool's configuration, or it comes back"
              : "remove the name there, or run apiserver-bootstrap pin --adopt");
    } else if (block.get().addresses().isEmpty()) {
      subject.fail("has no entry of apiserver-bootstrap", "run apiserver-bootstrap pin");
    } else {
      subject.ok("one block, with " + Findings.text(block.get().addresses()));
      handedOver(block.get().addresses());
    }
    block.get().cloudInit().ifPresent(this::cloudInit);
  }

  private void cloudInit(CloudInit settings) {
    Findings subject = findings.about("cloud-init");
    if (settings.claimedIn().isPresent()) {
      subject.fail(
          "rewrites the hosts file at each boot (manage_etc_hosts in %s), and its template %s has %s"
              .formatted(settings.setBy(), settings.claimedIn().get(), name),
          "remove the name from the template, or set ADOPT = true");
    } else {
      subject.ok(
          "rewrites the hosts file at each boot (manage_etc_hosts in %s); the entry is put back"
              .formatted(settings.setBy()));
    }
  }

  private void handedOver(List<InetAddress> addresses) {
    Optional<InetAddress> clusterIp = facts.settings().clusterIp();
    if (!facts.settings().isWorker()
        || clusterIp.isEmpty()
        || addresses.contains(clusterIp.get())) {
      return;
    }
    findings
        .about("hand-over")
        .warn(
            "the name still points at a control plane",
            serviceIsReady()
                ? "the cluster IP works: run systemctl restart " + Rules.HANDOVER_UNIT
                : "it follows once the cluster IP works; until then check " + Rules.HANDOVER_UNIT);
  }

  private boolean serviceIsReady() {
    return facts.service().isPresent()
        && facts.service().get() instanceof Reading.Known<Probed> service
        && service.value().result().works();
  }
}
