package io.apiserverupdater.failover;

import io.apiserverupdater.failover.Observation.Service;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;
import java.util.stream.DoubleStream;

/** The fault matrix: what is done, how long it lasts, and what is claimed of it. */
// Immutable it is; the annotations that would prove it are not there for records and lists.
@SuppressWarnings("ImmutableEnumChecker")
public enum MatrixRow {
  SIGKILL(
      Fault.SIGKILL,
      "SIGKILL of an apiserver",
      Setting.of(5, 40).returning(),
      Claim.medianOutage(150),
      Claim.longestOutage(600),
      Claim.slowestReturn(1000)),
  SIGTERM_DELAYED(
      Fault.SIGTERM_DELAYED,
      "SIGTERM with `--shutdown-delay-duration=5s`",
      Setting.of(8, 30).returning(),
      Claim.noFailure(),
      Claim.slowestReturn(1000)),
  SIGTERM(
      Fault.SIGTERM,
      "SIGTERM without a shutdown delay",
      Setting.of(5, 40).returning(),
      Claim.longestOutage(500),
      Claim.slowestReturn(1000)),
  SIGSTOP(
      Fault.SIGSTOP,
      "SIGSTOP (accepts, never answers)",
      Setting.of(5, 40).returning(),
      Claim.medianOutage(1000),
      Claim.longestOutage(1500),
      Claim.slowestReturn(1000)),
  BLACK_HOLE(
      Fault.BLACK_HOLE,
      "black hole (packets dropped both ways)",
      Setting.of(5, 60).returning(),
      Claim.medianOutage(1000),
      Claim.longestOutage(1500),
      Claim.slowestReturn(1000)),
  READYZ_500(
      Fault.ETCD_CUT,
      "`/readyz` turns 500 (its etcd connections cut)",
      Setting.of(6, 6).asking("/readyz").fromUnready().returning(),
      Claim.longestOutage(600),
      Claim.slowestReturn(1000)),
  LINK_DOWN(
      Fault.LINK_DOWN,
      "host's link down",
      Setting.of(5, 60).returning(),
      Claim.longestOutage(1200),
      Claim.slowestReturn(1000)),
  LEADER_KILL(Fault.LEADER_KILL, "the leader updater killed", Setting.of(8, 15), Claim.noFailure()),
  LEADER_AND_APISERVER_KILL(
      Fault.LEADER_AND_APISERVER_KILL,
      "leader and an apiserver killed in the same instant",
      Setting.of(9, 40),
      Claim.longestOutage(5000)),
  LEADER_NODE_BLACK_HOLE(
      Fault.LEADER_NODE_BLACK_HOLE,
      "leader's node black-holed together with the apiserver that it and kube-proxy are connected"
          + " to",
      Setting.of(12, 70).attached(),
      Claim.longestOutage(7000)),
  ALL_UNREADY(
      Fault.ALL_UNREADY,
      "all apiservers unready, then back",
      Setting.of(8, 8).returning(),
      Claim.noFailure(),
      Claim.nothingRemoved(3),
      Claim.neverFewerReady(1),
      Claim.slowestReturn(1000)),
  ETCD_STOP(
      Fault.ETCD_STOP,
      "etcd stopped for 30 s",
      Setting.of(30, 30).returning(),
      Claim.noFailure(),
      Claim.mostWrites(2),
      Claim.noRestart()),
  RESTART_LOOP(
      Fault.RESTART_LOOP,
      "one apiserver restarting in a loop, every 2 s",
      Setting.of(30, 30),
      Claim.writesPerFiveSeconds(1),
      Claim.longestLoss(600)),
  UPDATER_CUT_OFF(
      Fault.UPDATER_CUT_OFF,
      "updater cut off from one apiserver that everybody else reaches",
      Setting.of(8, 8),
      Claim.noFailure(),
      Claim.neverFewerReady(1)),
  REPLACEMENT(
      Fault.REPLACEMENT,
      "control planes replaced one by one by new IPs",
      Setting.of(3, 10).anyProxy(),
      Claim.noFailure()),
  SIGKILL_ATTACHED(
      Fault.SIGKILL,
      "SIGKILL of the apiserver that the node's kube-proxy is connected to",
      Setting.of(5, 60).attached().returning()),
  BLACK_HOLE_ATTACHED(
      Fault.BLACK_HOLE,
      "black hole of the apiserver that the node's kube-proxy is connected to",
      Setting.of(5, 75).attached().returning());

  /** Where the kube-proxies of the clients are connected to when the fault comes. */
  public enum Proxies {
    /** To a control plane that is not hit. */
    ELSEWHERE,
    /** To the one that is hit. */
    ATTACHED,
    /** Wherever they are. */
    ANYWHERE
  }

  /**
   * How a row is measured.
   *
   * @param least how long the fault lasts at least
   * @param most how long, when requests go on failing through either Service
   * @param path what clients ask for
   * @param untilUnready whether the clock starts at the first answer of the target other than 200
   *     on /readyz, not at the fault behind it
   * @param returns whether the target serves again in the end
   */
  public record Setting(
      Duration least,
      Duration most,
      String path,
      Proxies proxies,
      boolean untilUnready,
      boolean returns) {
    static Setting of(int leastSeconds, int mostSeconds) {
      return new Setting(
          Duration.ofSeconds(leastSeconds),
          Duration.ofSeconds(mostSeconds),
          "/version",
          Proxies.ELSEWHERE,
          false,
          false);
    }

    Setting asking(String otherPath) {
      return new Setting(least, most, otherPath, proxies, untilUnready, returns);
    }

    Setting attached() {
      return new Setting(least, most, path, Proxies.ATTACHED, untilUnready, returns);
    }

    Setting anyProxy() {
      return new Setting(least, most, path, Proxies.ANYWHERE, untilUnready, returns);
    }

    Setting fromUnready() {
      return new Setting(least, most, path, proxies, true, returns);
    }

    Setting returning() {
      return new Setting(least, most, path, proxies, untilUnready, true);
    }
  }

  /** What must hold of all rounds of a row: a value that does not exceed its target. */
  public record Claim(
      String name, String unit, double target, ToDoubleFunction<List<Round>> value) {

    static Claim medianOutage(double millis) {
      return outage("outage, p50", millis, 0.5);
    }

    static Claim longestOutage(double millis) {
      return outage("outage, max", millis, 1);
    }

    private static Claim outage(String name, double millis, double quantile) {
      return new Claim(
          name, "ms", millis, rounds -> Quantile.of(outages(rounds, Service.APISERVER), quantile));
    }

    static Claim noFailure() {
      return none(
          "failed requests", round -> round.failures(Service.APISERVER) + round.failuresOnReturn());
    }

    private static Claim none(String name, ToIntFunction<Round> count) {
      return new Claim(name, "", 0, rounds -> rounds.stream().mapToInt(count).sum());
    }

    static Claim slowestReturn(double millis) {
      return new Claim(
          "return to service, max",
          "ms",
          millis,
          rounds ->
              rounds.stream()
                  .flatMapToDouble(round -> round.returnMillis().stream())
                  .max()
                  .orElse(Double.NaN));
    }

    static Claim neverFewerReady(int endpoints) {
      return neverFewer("endpoints short of " + endpoints + " ready", endpoints, Round::leastReady);
    }

    static Claim nothingRemoved(int endpoints) {
      return neverFewer("endpoints removed", endpoints, Round::leastListed);
    }

    /** Said as what is missing, as a target is a value not to exceed. */
    private static Claim neverFewer(String name, int endpoints, ToIntFunction<Round> least) {
      return new Claim(
          name,
          "",
          0,
          rounds ->
              Math.max(0, endpoints - rounds.stream().mapToInt(least).min().orElse(endpoints)));
    }

    static Claim mostWrites(int writes) {
      return new Claim(
          "writes in one round, max",
          "",
          writes,
          rounds -> rounds.stream().mapToInt(Round::writes).max().orElse(0));
    }

    static Claim writesPerFiveSeconds(double writes) {
      return new Claim(
          "writes per 5 s, mean",
          "",
          writes,
          rounds ->
              rounds.stream().mapToInt(Round::writes).sum()
                  * 5_000.0
                  / rounds.stream().mapToDouble(Round::lastedMillis).sum());
    }

    static Claim longestLoss(double millis) {
      return new Claim(
          "requests to it after its death, max",
          "ms",
          millis,
          rounds ->
              rounds.stream()
                  .flatMapToDouble(round -> round.longestLoss().stream())
                  .max()
                  .orElse(0));
    }

    static Claim noRestart() {
      return none("restarts of an updater", Round::restarts);
    }
  }

  private final Fault fault;
  private final String title;
  private final Setting setting;
  private final List<Claim> claims;

  MatrixRow(Fault fault, String title, Setting setting, Claim... claims) {
    this.fault = fault;
    this.title = title;
    this.setting = setting;
    this.claims = List.of(claims);
  }

  public Fault fault() {
    return fault;
  }

  /** In Markdown. */
  public String title() {
    return title;
  }

  public Setting setting() {
    return setting;
  }

  public List<Claim> claims() {
    return claims;
  }

  /** In lower case with hyphens, as on the command line. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  public static Optional<MatrixRow> of(String label) {
    return Arrays.stream(values()).filter(row -> row.label().equals(label)).findFirst();
  }

  static DoubleStream outages(List<Round> rounds, Service service) {
    return rounds.stream().flatMapToDouble(round -> round.outages(service));
  }
}
