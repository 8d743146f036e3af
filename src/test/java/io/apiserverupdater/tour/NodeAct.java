package io.apiserverupdater.tour;

import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.sandbox.NodeFiles;
import io.apiserverupdater.sandbox.SandboxCluster;
import io.apiserverupdater.sandbox.ServiceAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * A node boots: its hosts file, one in the tour's folder, is pinned and handed over by the
 * bootstrap. What kube-proxy does on a node, an address of the sandbox does here.
 */
record NodeAct(
    Backstage backstage, SandboxCluster cluster, Path projectRoot, Path folder, Timeline timeline) {
  private static final Duration SOON = Duration.ofSeconds(30);

  void play() {
    NodeFiles files = NodeFiles.create(madeFolder(), cluster);
    ServiceAddress service = backstage.own(cluster::serviceAddress);
    timeline.say("node", "boots, with its own hosts file");
    Path log = folder.resolve("bootstrap.log");
    long start = System.nanoTime();
    Program boot =
        backstage.own(() -> Program.start(command(files, service), Release.ENVIRONMENT, log, log));
    await("the name to be pinned", () -> !files.target().isEmpty(), files);
    Duration pinned = since(start);
    timeline.say("bootstrap", "points the name at a control plane: " + entry(files), pinned);
    timeline.say(
        "node", "kube-proxy has no rules yet: the cluster IP " + service.ip() + " does not work");
    timeline.figure("node pinned", pinned, "after the start of the bootstrap's process");

    service.open();
    long open = System.nanoTime();
    timeline.say("node", "kube-proxy has written its rules: the cluster IP works");
    await("the hand-over", () -> files.target().equals(service.ip()), files);
    Duration flipped = since(open);
    timeline.say("bootstrap", "points the name at the cluster IP: " + entry(files), flipped);
    timeline.figure("node handed over", flipped, "cluster IP works -> name points at it");
    int code = boot.await(SOON).exitCode();
    if (code != 0) {
      throw new TourException("the bootstrap ended with exit code " + code);
    }
    timeline.say("bootstrap", "exits with code 0; no process stays on the node");
  }

  private Path madeFolder() {
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new TourException("cannot make " + folder + ": " + e, e);
    }
  }

  private List<String> command(NodeFiles files, ServiceAddress service) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar"));
    command.add(projectRoot.resolve("bootstrap/target/bootstrap.jar").toString());
    command.addAll(files.flags(cluster));
    command.add("--port=" + cluster.apiserver(0).port());
    command.add("--cluster-ip=" + service.ip());
    return command;
  }

  private static void await(String what, BooleanSupplier done, NodeFiles files) {
    Deadline.in(SOON).await(what, done, () -> "The hosts file is:\n" + files.hostsText());
  }

  /** The line that a resolver takes. */
  private static String entry(NodeFiles files) {
    return files.target() + " " + NodeFiles.NAME;
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }
}
