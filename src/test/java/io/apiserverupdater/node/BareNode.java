package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A Debian without Java and without a cluster, that is not booted: programs run in its file system
 * with process ids of their own, and share the network of the test.
 */
record BareNode(NodeDisk disk) implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** Makes one in {@code folder}, which must not exist. */
  static BareNode create(Path projectRoot, Path folder) {
    NodeDisk disk = NodeDisk.create(NodeImage.locate(projectRoot), folder);
    disk.write("/etc/hosts", "127.0.0.1\tlocalhost\n");
    return new BareNode(disk);
  }

  String hosts() {
    return disk.text("/etc/hosts");
  }

  /** Runs a command in it, whatever its exit code. */
  Execution run(String... command) {
    ProcessBuilder builder = inItsProcesses(command, "chroot", disk.root().toString());
    builder.environment().clear();
    builder.environment().put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin");
    builder.environment().put("LC_ALL", "C.UTF-8");
    return Execution.run(builder, LIMIT);
  }

  /** {@code dpkg --install} of a file of this machine; what it said. */
  String install(Path deb) {
    disk.copy(deb.toString(), "/root/package.deb");
    Execution installed =
        run("dpkg", "--force-confdef", "--force-confold", "--install", "/root/package.deb")
            .orThrow();
    return installed.out() + installed.err();
  }

  /** {@code dpkg --remove} or {@code --purge}; what it said. */
  String dpkg(String action) {
    Execution done = run("dpkg", action, "apiserver-bootstrap").orThrow();
    return done.out() + done.err();
  }

  /** Runs this machine's {@code rpm} on it; what it said. */
  String rpm(String... arguments) {
    ProcessBuilder builder =
        inItsProcesses(arguments, "rpm", "--root", disk.root().toString(), "--nodeps");
    Execution done = Execution.run(builder, LIMIT).orThrow();
    return done.out() + done.err();
  }

  private ProcessBuilder inItsProcesses(String[] arguments, String... command) {
    List<String> line =
        new ArrayList<>(
            List.of("unshare", "--mount", "--pid", "--fork", "--mount-proc=" + disk.path("/proc")));
    line.addAll(List.of(command));
    line.addAll(List.of(arguments));
    return new ProcessBuilder(line);
  }

  @Override
  public void close() {
    disk.close();
  }
}
