package io.apiserverupdater.component;

import io.apiserverupdater.lab.TemporaryFolder;
import io.apiserverupdater.sandbox.NodeFiles;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A node of a sandbox cluster on which bootstrap.jar runs as a process. Closing it kills all. */
final class BootstrapNode implements AutoCloseable {
  private static final Path JAR =
      Path.of(System.getProperty("bootstrap.jar", "bootstrap/target/bootstrap.jar"));

  private final SandboxCluster cluster;
  private final TemporaryFolder folder;
  private final NodeFiles files;
  private final List<UpdaterProcess> started = new ArrayList<>();

  BootstrapNode(SandboxCluster cluster) {
    this.cluster = cluster;
    this.folder = TemporaryFolder.create("bootstrap-component");
    this.files = NodeFiles.create(folder.path(), cluster);
  }

  NodeFiles files() {
    return files;
  }

  /** Starts a command with the flags that every command needs, and some more. */
  UpdaterProcess start(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(files.flags(cluster));
    return startBare(all);
  }

  /** Starts it with exactly these arguments. */
  UpdaterProcess startBare(List<String> arguments) {
    return start(List.of(), arguments);
  }

  private UpdaterProcess start(List<String> ofJava, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
    command.addAll(ofJava);
    command.addAll(List.of("-jar", JAR.toString()));
    command.addAll(arguments);
    UpdaterProcess process = UpdaterProcess.start(command, files.folder(), Map.of(), "");
    started.add(process);
    return process;
  }

  /** Runs a command to its end. */
  UpdaterProcess.Result run(String... arguments) throws InterruptedException {
    return start(arguments).result(Replicas.SOON);
  }

  /** The names of the classes that a command loads which ends well. */
  List<String> classesOf(String command) throws IOException, InterruptedException {
    Path log = files.folder().resolve(command + ".classes");
    List<String> arguments = new ArrayList<>(List.of(command));
    arguments.addAll(files.flags(cluster));
    start(List.of("-Xlog:class+load:file=" + log + "::filecount=0"), arguments)
        .result(Replicas.SOON)
        .exits(0);
    return Files.readAllLines(log);
  }

  @Override
  public void close() {
    started.forEach(UpdaterProcess::close);
    folder.close();
  }
}
