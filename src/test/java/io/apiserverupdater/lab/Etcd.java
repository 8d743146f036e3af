package io.apiserverupdater.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The host of the one etcd that all apiservers use. Used by one test thread at a time. */
public final class Etcd {
  static final int CLIENT_PORT = 2379;
  private static final Duration START = Duration.ofSeconds(60);

  private final LabHost host;
  private final List<String> command;
  private LabProcess process;

  private Etcd(LabHost host, List<String> command) {
    this.host = host;
    this.command = command;
    this.process = launch();
  }

  /**
   * Starts it; see {@link #awaitReady}.
   *
   * @param data a folder in memory: what a disk costs is not what the lab measures
   */
  static Etcd start(LabHost host, KubeBinaries binaries, Path data) {
    String clients = clientUrl(host);
    return new Etcd(
        host,
        List.of(
            binaries.program("etcd"),
            "--name=etcd",
            "--data-dir=" + data,
            "--unsafe-no-fsync",
            "--listen-client-urls=" + clients,
            "--advertise-client-urls=" + clients,
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--initial-advertise-peer-urls=http://127.0.0.1:2380",
            "--initial-cluster=etcd=http://127.0.0.1:2380",
            "--log-level=warn"));
  }

  private static String clientUrl(LabHost host) {
    return "http://" + host.address() + ":" + CLIENT_PORT;
  }

  private LabProcess launch() {
    return host.start("etcd", command, Map.of());
  }

  public LabHost host() {
    return host;
  }

  /** The last one started. */
  public LabProcess process() {
    return process;
  }

  String url() {
    return clientUrl(host);
  }

  void awaitReady() {
    process.awaitReady("its health", () -> HttpCheck.ok(url() + "/health"), Deadline.in(START));
  }

  /** SIGKILL; what it has stored stays. */
  public void kill() {
    process.kill();
  }

  /** Starts it again with what it had stored, and waits until it is healthy. */
  public void restart() {
    kill();
    process = launch();
    awaitReady();
  }
}
