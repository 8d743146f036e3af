package io.apiserverupdater.failover;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.LabHost;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What can happen to a control plane and to those who watch over it, by name. */
@SuppressWarnings("ImmutableEnumChecker") // The lambdas hold nothing.
public enum Fault {
  SIGKILL(
      "SIGKILL of an apiserver",
      (cluster, target) -> {
        target.kill();
        return target::restart;
      }),
  SIGTERM_DELAYED(
      "SIGTERM of an apiserver that serves on for 5 s", (cluster, target) -> terminated(target)) {
    @Override
    public void prepare(FailoverCluster cluster, ControlPlaneHost target) {
      target.restartWith("--shutdown-delay-duration=5s");
      cluster.awaitWhole();
      // Two falls within this time are flapping to the updater, which keeps the apiserver out.
      Pause.of(Duration.ofSeconds(12));
    }
  },
  SIGTERM("SIGTERM of an apiserver", (cluster, target) -> terminated(target)),
  SIGSTOP(
      "SIGSTOP of an apiserver: it accepts connections and never answers",
      (cluster, target) -> {
        target.pause();
        return target::resume;
      }),
  BLACK_HOLE(
      "packets from and to a control plane vanish",
      (cluster, target) -> {
        target.unplug();
        return target::plug;
      }),
  ETCD_CUT(
      "an apiserver's connections to etcd are cut; its /readyz turns 500",
      (cluster, target) -> {
        target.cutStore();
        return target::mendStore;
      }),
  LINK_DOWN(
      "the link of a control plane goes down",
      (cluster, target) -> {
        target.linkDown();
        return target::linkUp;
      }),
  CERTIFICATE(
      "an apiserver comes back with a certificate that expires in 12 days",
      (cluster, target) -> {
        target.restartWith(cluster.lab().certificate(target, Duration.ofDays(12)));
        return target::restartWith;
      }),
  LEADER_KILL(
      "SIGKILL of the leading updater",
      (cluster, target) -> {
        cluster.leader().kill();
        return cluster::reviveUpdaters;
      }),
  LEADER_AND_APISERVER_KILL(
      "SIGKILL of the leading updater and of an apiserver at once",
      (cluster, target) -> {
        Updater leader = cluster.leader();
        leader.kill();
        target.kill();
        return () -> {
          target.restart();
          cluster.reviveUpdaters();
        };
      }),
  LEADER_NODE_BLACK_HOLE(
      "the node of the leading updater and the control plane that it uses are cut off",
      (cluster, target) -> {
        LabHost node = cluster.leader().worker().host();
        target.unplug();
        node.unplug();
        return () -> {
          target.plug();
          node.plug();
        };
      }) {
    /** The leader runs where no client does, and uses the target, as do all kube-proxies. */
    @Override
    public ControlPlaneHost choose(FailoverCluster cluster, ControlPlaneHost proposed) {
      Updater wanted = cluster.updaters().get(0);
      cluster.lead(wanted);
      return cluster.usedBy(wanted);
    }
  },
  ALL_UNREADY(
      "every apiserver's connections to etcd are cut",
      (cluster, target) -> {
        List<ControlPlaneHost> all = cluster.lab().controlPlanes();
        all.forEach(ControlPlaneHost::cutStore);
        return () -> all.forEach(ControlPlaneHost::mendStore);
      }),
  ETCD_STOP(
      "etcd is killed",
      (cluster, target) -> {
        cluster.lab().etcd().kill();
        return cluster.lab().etcd()::restart;
      }),
  RESTART_LOOP(
      "an apiserver is killed 2 s after each start, and started again at once",
      (cluster, target) -> RestartLoop.start(target, Duration.ofSeconds(2))),
  UPDATER_CUT_OFF(
      "the updaters alone do not reach an apiserver",
      (cluster, target) -> {
        List<LabHost> hosts =
            cluster.updaters().stream().map(updater -> updater.worker().host()).toList();
        for (LabHost host : hosts) {
          host.filter(
              "cut_off",
              "chain output { type filter hook output priority -300; meta skuid "
                  + FailoverCluster.UPDATER_USER
                  + " ip daddr "
                  + target.address()
                  + " drop; }\n");
        }
        return () -> hosts.forEach(host -> host.unfilter("cut_off"));
      }),
  REPLACEMENT(
      "all control planes are replaced, one by one, by new ones with new addresses",
      (cluster, target) -> {
        for (ControlPlaneHost old : cluster.lab().controlPlanes()) {
          ControlPlaneHost added = cluster.lab().addControlPlane("--shutdown-delay-duration=5s");
          cluster.awaitServed(added);
          old.terminate();
          int unusedCode = old.process().awaitExit(FailoverCluster.SOON);
          cluster.lab().removeControlPlane(old);
        }
        return () -> {};
      }) {
    @Override
    public void prepare(FailoverCluster cluster, ControlPlaneHost target) {
      for (ControlPlaneHost old : cluster.lab().controlPlanes()) {
        old.restartWith("--shutdown-delay-duration=5s");
      }
      cluster.awaitWhole();
    }
  };

  /** How a fault is taken back; may wait until what was killed is ready again. */
  @FunctionalInterface
  public interface Remedy {
    void heal();
  }

  /** Lets it happen, and says how it is taken back. */
  @FunctionalInterface
  private interface Injection {
    Remedy inject(FailoverCluster cluster, ControlPlaneHost target);
  }

  private final String description;
  private final Injection injection;

  Fault(String description, Injection injection) {
    this.description = description;
    this.injection = injection;
  }

  /** In lower case with hyphens, as on the command line. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  public String description() {
    return description;
  }

  /** The fault of that label. */
  public static Optional<Fault> of(String label) {
    return Arrays.stream(values()).filter(fault -> fault.label().equals(label)).findFirst();
  }

  /** All labels. */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Fault::label).toList();
  }

  /** Whom it will hit, given whose turn it is. */
  public ControlPlaneHost choose(FailoverCluster cluster, ControlPlaneHost proposed) {
    return proposed;
  }

  /** What must be so before; the cluster is whole when this returns. */
  public void prepare(FailoverCluster cluster, ControlPlaneHost target) {}

  /** Lets it happen. */
  public Remedy inject(FailoverCluster cluster, ControlPlaneHost target) {
    return injection.inject(cluster, target);
  }

  private static Remedy terminated(ControlPlaneHost target) {
    target.terminate();
    return () -> {
      int unusedCode = target.process().awaitExit(FailoverCluster.SOON);
      target.restartWith();
    };
  }
}
