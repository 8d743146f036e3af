package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.bootstrap.api.ClientFiles.Dialled;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.check.Facts.HostsSnapshot;
import io.apiserverupdater.bootstrap.check.Facts.Probed;
import io.apiserverupdater.bootstrap.check.Facts.UnitState;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Rules about the programs of the node: kubelet, kube-proxy, units, clock, pods. */
record NodeRules(Facts facts, String name, Findings findings) {
  /** What makes a Go client leave a connection that has fallen silent. */
  private static final List<String> HTTP2_VARIABLES =
      List.of("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "HTTP2_PING_TIMEOUT_SECONDS");

  /** By machine-id(5); one digit in every place is an image's placeholder. */
  private static final Pattern MACHINE_ID = Pattern.compile("(?!(.)\\1*$)[0-9a-f]{32}");

  static void examine(Facts facts, Findings findings) {
    NodeRules rules = new NodeRules(facts, facts.settings().hostname(), findings);
    rules.dialers();
    rules.units();
    rules.http2();
    rules.clock();
    rules.machineId();
    rules.snapshots();
  }

  private void dialers() {
    dialer(findings.about("kubelet"), facts.kubelet(), "restart the kubelet");
    // A control plane need not have one.
    if (facts.settings().isWorker() || facts.proxy() instanceof Reading.Known) {
      dialer(findings.about("kube-proxy"), facts.proxy(), "restart kube-proxy");
    }
  }

  private void dialer(Findings subject, Reading<Dialled> reading, String restart) {
    Optional<Dialled> dialled =
        subject.known(reading, "make sure that its kubeconfig has server: " + expectedServer());
    if (dialled.isEmpty()) {
      return;
    }
    String server = dialled.get().server();
    if (dialled.get().proxy().isPresent()) {
      subject.fail(
          "dials %s through the proxy %s, which does not know the name"
              .formatted(server, dialled.get().proxy().get()),
          "add %s to NO_PROXY in its environment, or remove proxy-url, and %s"
              .formatted(name, restart));
    } else if (server.equals(expectedServer())) {
      subject.ok("dials " + server);
    } else if (isOwnApiserver(server)) {
      // As kubeadm has it for the kubelet of a control plane.
      subject.ok("dials " + server + ", the local apiserver");
    } else {
      subject.fail(
          "dials " + server + ", which bypasses the name",
          "set server: " + expectedServer() + " in its kubeconfig and " + restart);
    }
  }

  /** By loopback, or as one of the known control planes; not by an address that may move away. */
  private boolean isOwnApiserver(String server) {
    String scheme = "https://";
    Optional<ApiserverAddress> dialled =
        server.startsWith(scheme)
            ? ApiserverAddress.parse(server.substring(scheme.length()), facts.settings().port())
            : Optional.empty();
    if (facts.settings().isWorker() || dialled.isEmpty()) {
      return false;
    }
    InetAddress ip = dialled.get().ip();
    if (ip.isLoopbackAddress()) {
      return dialled.get().port() == facts.settings().port();
    }
    return facts.ownAddresses().contains(ip)
        && facts.controlPlanes() instanceof Reading.Known<List<Probed>> known
        && known.value().stream().anyMatch(probed -> probed.address().equals(dialled.get()));
  }

  private String expectedServer() {
    return "https://" + name + ":" + facts.settings().port();
  }

  private void units() {
    Optional<Map<String, UnitState>> known =
        findings.about("units").known(facts.units(), "run systemctl status " + Rules.PIN_UNIT);
    if (known.isEmpty()) {
      return;
    }
    Map<String, UnitState> units = known.get();
    unit(units, Rules.PIN_UNIT, true);
    unit(units, Rules.HANDOVER_UNIT, false);
    path(units);
    unit(units, Rules.REFRESH_TIMER, true);
    kubelet(units);
    UnitState proxy = units.get(facts.settings().proxyUnit());
    Optional<String> running = facts.proxyRunsAs();
    if (running.isPresent() && (proxy == null || !running.get().equals(proxy.id()))) {
      anotherUnit(facts.settings().proxyUnit(), "kube-proxy", running.get(), "KUBE_PROXY_UNIT");
    }
  }

  private void kubelet(Map<String, UnitState> units) {
    String unit = facts.settings().kubeletUnit();
    Findings subject = findings.about(unit);
    UnitState kubelet = units.get(unit);
    Optional<String> running = facts.kubeletRunsAs();
    if (running.isPresent() && (kubelet == null || !running.get().equals(kubelet.id()))) {
      anotherUnit(unit, "the kubelet", running.get(), "KUBELET_UNIT");
    } else if (kubelet == null || !kubelet.exists()) {
      subject.warn(
          "there is no such unit, so nothing starts " + Rules.PIN_UNIT + " at boot",
          setUnit("KUBELET_UNIT", "the kubelet's unit"));
    } else if (kubelet.active().equals("active")) {
      subject.ok("active");
    } else {
      subject.warn(kubelet.active(), "run journalctl -u " + unit);
    }
  }

  private void anotherUnit(String configured, String program, String unit, String key) {
    findings
        .about(configured)
        .fail(
            "%s runs as %s, which does not wait for %s at boot"
                .formatted(program, unit, Rules.PIN_UNIT),
            setUnit(key, unit));
  }

  private static String setUnit(String key, String unit) {
    return "set %s = %s in /etc/apiserver-bootstrap/bootstrap.conf, and run systemctl daemon-reload"
        .formatted(key, unit);
  }

  private void unit(Map<String, UnitState> units, String unit, boolean enabled) {
    Findings subject = findings.about(unit);
    UnitState state = units.get(unit);
    if (state == null || !state.exists()) {
      subject.warn(
          "there is no such unit, so nothing happens at boot",
          "install the package, or the units of deploy/systemd");
    } else if (state.active().equals("failed")) {
      subject.fail("failed", "run journalctl -u " + unit);
    } else if (enabled && !state.file().equals("enabled")) {
      subject.fail(
          (state.file().isEmpty() ? "not enabled" : state.file()) + ", so it does not run at boot",
          "run systemctl enable " + unit);
    } else if (state.active().equals("activating")) {
      subject.warn("still running", "run journalctl -u " + unit);
    } else if (unit.equals(Rules.PIN_UNIT) && isPassedBy(state)) {
      subject.fail(
          facts.settings().kubeletUnit() + " does not start it and wait for it",
          "run systemctl daemon-reload, or else systemctl reenable " + unit);
    } else if (isMissedAtBoot(unit, state)) {
      subject.fail(
          "did not run at this boot, though the kubelet runs",
          ("run journalctl -b --grep 'ordering cycle|%1$s': systemd leaves a unit out to break a"
                  + " cycle. To make up for it, run systemctl start %1$s")
              .formatted(unit));
    } else {
      subject.ok(state.active());
    }
  }

  private Optional<UnitState> kubeletUnit() {
    return facts.units() instanceof Reading.Known<Map<String, UnitState>> units
        ? Optional.ofNullable(units.value().get(facts.settings().kubeletUnit()))
        : Optional.empty();
  }

  private boolean isPassedBy(UnitState pin) {
    return kubeletUnit()
        .filter(kubelet -> kubelet.exists() && !pin.leads().contains(kubelet.id()))
        .isPresent();
  }

  /** The hand-over is inactive once it is done; the others stay active. */
  private boolean isMissedAtBoot(String unit, UnitState state) {
    boolean missed =
        unit.equals(Rules.HANDOVER_UNIT) ? !state.started() : state.active().equals("inactive");
    boolean kubeletRuns =
        facts.kubeletRunsAs().isPresent()
            || kubeletUnit().filter(kubelet -> kubelet.active().equals("active")).isPresent();
    return missed && kubeletRuns;
  }

  /** The hand-over starts it, so before the first boot with the package it is inactive. */
  private void path(Map<String, UnitState> units) {
    UnitState pin = units.get(Rules.PIN_UNIT);
    UnitState path = units.get(Rules.HANDOVER_PATH);
    Findings subject = findings.about(Rules.HANDOVER_PATH);
    if (path != null && path.active().equals("active")) {
      subject.ok("active");
    } else if (pin != null && pin.active().equals("active")) {
      subject.warn(
          "not active, so an entry that another program removes is back at the next boot only",
          "run systemctl start " + Rules.HANDOVER_PATH);
    }
  }

  private void http2() {
    if (!(facts.units() instanceof Reading.Known<Map<String, UnitState>> units)) {
      return;
    }
    String dropIn =
        "install the drop-in 20-apiserver-bootstrap.conf of the package and restart the unit";
    Optional<UnitState> kubelet = kubeletUnit().filter(UnitState::exists);
    if (kubelet.isPresent()) {
      http2(facts.settings().kubeletUnit(), kubelet.get().variables(), dropIn);
    }
    UnitState proxy = units.value().get(facts.settings().proxyUnit());
    if (proxy != null && proxy.active().equals("active")) {
      http2(facts.settings().proxyUnit(), proxy.variables(), dropIn);
    } else {
      String setEnv =
          "run kubectl -n kube-system set env daemonset/kube-proxy"
              + " HTTP2_READ_IDLE_TIMEOUT_SECONDS=2 HTTP2_PING_TIMEOUT_SECONDS=2";
      facts.proxyVariables().ifPresent(variables -> http2("kube-proxy", variables, setEnv));
    }
  }

  private void http2(String program, Set<String> variables, String advice) {
    Findings subject = findings.about(program + " HTTP/2");
    List<String> missing = new ArrayList<>(HTTP2_VARIABLES);
    missing.removeAll(variables);
    if (missing.isEmpty()) {
      subject.ok("both timeouts for silent connections are set");
    } else {
      subject.warn(
          "lacks %s: it gives up a silent control plane only after 45 s"
              .formatted(String.join(" and ", missing)),
          advice);
    }
  }

  private void clock() {
    if (facts.clockSynchronized() instanceof Reading.Known<Boolean> clock) {
      Findings subject = findings.about("clock");
      if (clock.value()) {
        subject.ok("synchronized");
      } else {
        subject.warn(
            "not synchronized: with a wrong clock all certificates look expired or not yet valid",
            "run timedatectl, and repair chronyd or systemd-timesyncd");
      }
    }
  }

  /**
   * Only what this node can tell by itself: since Kubernetes 1.32 a kubelet's credential may read
   * no Node but its own, so that two nodes with one machine-id are not found.
   */
  private void machineId() {
    Findings subject = findings.about("machine-id");
    String advice = "run rm /etc/machine-id; systemd-machine-id-setup, and reboot";
    Optional<String> known = subject.known(facts.machineId(), advice);
    if (known.isEmpty()) {
      return;
    }
    if (MACHINE_ID.matcher(known.get()).matches()) {
      subject.ok("set");
    } else {
      subject.warn(
          "/etc/machine-id holds \"%s\": clones of this machine cannot be told apart by it"
              .formatted(Printable.line(known.get(), 64)),
          advice);
    }
  }

  private void snapshots() {
    Findings subject = findings.about("pods");
    Optional<List<HostsSnapshot>> known =
        subject.known(facts.snapshots(), "run this as root on the node");
    if (known.isEmpty()) {
      return;
    }
    int faults = 0;
    for (HostsSnapshot snapshot : known.get()) {
      if (isNamelessProxy(snapshot)) {
        faults++;
        subject.fail(
            ("%s has a copy of the hosts file without %s, which it dials: it receives no Service"
                    + " changes")
                .formatted(snapshot.pod(), name),
            "restart it (kubectl delete pod) now that the hosts file has the name");
      } else if (isPinned(snapshot)) {
        faults++;
        subject.warn(
            "%s uses the host network and an old copy of the hosts file: it dials %s only"
                .formatted(snapshot.pod(), Findings.text(snapshot.addresses())),
            "restart it (kubectl delete pod) after the hand-over; on a worker --strategy nft"
                + " avoids this");
      }
    }
    if (faults == 0) {
      subject.ok("no pod on the host network has an old copy of the hosts file");
    }
  }

  /** Started before the node knew the name, and dialling it. */
  private boolean isNamelessProxy(HostsSnapshot snapshot) {
    return snapshot.addresses().isEmpty()
        && NodeFiles.isKubeProxy(snapshot.pod())
        && facts.proxy() instanceof Reading.Known<Dialled> proxy
        && proxy.value().server().equals(expectedServer());
  }

  /** Knows the name, and by it one control plane that is not this node. */
  private boolean isPinned(HostsSnapshot snapshot) {
    Optional<InetAddress> clusterIp = facts.settings().clusterIp();
    return clusterIp.isPresent()
        && facts.settings().strategy() != Strategy.NFT
        && !snapshot.addresses().isEmpty()
        && snapshot.addresses().stream()
            .noneMatch(
                address -> address.equals(clusterIp.get()) || facts.isThisControlPlane(address));
  }
}
