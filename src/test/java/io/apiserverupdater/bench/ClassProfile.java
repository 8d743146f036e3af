package io.apiserverupdater.bench;

import io.apiserverupdater.lab.TemporaryFolder;
import io.apiserverupdater.sandbox.FreePort;
import io.apiserverupdater.sandbox.NodeFiles;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Writes the profiles of both programs: which classes of libraries and of the JDK they load at a
 * sandbox control plane, and which lambda expressions, ours included. {@code
 * deploy/ListClasses.java} makes the lists of their class archives from them. Started by {@code
 * ./bench classes}.
 */
public final class ClassProfile {
  /** What is loaded differs a little from run to run, by which thread comes first. */
  private static final int RUNS = 3;

  private static final int RENEWALS = 5;
  private static final int SOON_SECONDS = 60;
  private static final String OURS = "io/apiserverupdater/";

  /** In the name of a lambda expression's method; any other one in the class can change it. */
  private static final String NUMBER = "(lambda\\$\\w+\\$)\\d+";

  /** Constants by their number, and classes that are made at run time. */
  private static final String OF_ONE_RUN = "(#|@cp ).*|.*[$]Proxy[0-9]+";

  private ClassProfile() {}

  /**
   * Runs both and writes the files.
   *
   * @param arguments the folder to write into, the updater's jar, and for each JDK its folder and
   *     the tree of the node package that is built from it
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path folder = Path.of(arguments[0]);
    Path jar = Path.of(arguments[1]).toAbsolutePath();
    TreeSet<String> updater = new TreeSet<>();
    TreeSet<String> bootstrap = new TreeSet<>();
    for (int i = 2; i + 1 < arguments.length; i += 2) {
      for (int run = 0; run < RUNS; run++) {
        updater.addAll(updater(Path.of(arguments[i], "bin/java"), jar));
        bootstrap.addAll(bootstrap(Path.of(arguments[i + 1], "usr/lib/apiserver-bootstrap")));
      }
    }
    write(folder.resolve("updater.classlist"), updater);
    write(folder.resolve("bootstrap.classlist"), bootstrap);
  }

  private static void write(Path file, SortedSet<String> lines) throws IOException {
    List<String> text = new ArrayList<>(List.of("# Written by ./bench classes."));
    text.addAll(lines);
    Files.write(file, text);
    System.out.println(file + ": " + lines.size() + " lines");
  }

  /** Leads, is asked whether it is ready and for its metrics and status, and ends. */
  private static List<String> updater(Path java, Path jar)
      throws IOException, InterruptedException {
    try (SandboxCluster cluster = SandboxCluster.start();
        TemporaryFolder folder = TemporaryFolder.create("class-profile")) {
      cluster.createApiserverService("kube-system", "apiserver", "10.96.0.64");
      Path kubeconfig = folder.path().resolve("kubeconfig");
      cluster.kubeconfig().write(kubeconfig);
      String listen = "127.0.0.1:" + FreePort.find();
      return loaded(
          folder.path(),
          java,
          List.of("-jar", jar.toString(), "--kubeconfig=" + kubeconfig, "--listen=" + listen),
          process -> {
            cluster.awaitTrue(
                "it leads and has written",
                () ->
                    cluster.audit().count("update", "leases") >= RENEWALS
                        && cluster
                            .sliceAddresses("kube-system", "apiserver-ipv4")
                            .equals(cluster.runningAddresses())
                        && !cluster.endpointsAddresses("kube-system", "apiserver").isEmpty());
            for (String path : List.of("/livez", "/readyz", "/metrics", "/status.json")) {
              get(URI.create("http://" + listen + path));
            }
            process.destroy();
          });
    }
  }

  private static List<String> bootstrap(Path home) throws IOException, InterruptedException {
    try (SandboxCluster cluster = SandboxCluster.start();
        TemporaryFolder folder = TemporaryFolder.create("class-profile")) {
      List<String> pin =
          new ArrayList<>(
              List.of(
                  "-cp",
                  home.resolve("no-class-path").toString(),
                  "io.apiserverupdater.bootstrap.Main",
                  "pin"));
      pin.addAll(NodeFiles.create(folder.path(), cluster).flags(cluster));
      return loaded(folder.path(), home.resolve("runtime/bin/java"), pin, process -> {});
    }
  }

  /** While the program runs; it has to end afterwards. */
  private interface Visit {
    void to(Process process) throws IOException, InterruptedException;
  }

  private static List<String> loaded(Path folder, Path java, List<String> program, Visit visit)
      throws IOException, InterruptedException {
    Path list = folder.resolve("list");
    Path log = folder.resolve("log");
    List<String> command =
        new ArrayList<>(List.of(java.toString(), "-Xshare:off", "-XX:DumpLoadedClassList=" + list));
    command.addAll(program);
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      visit.to(process);
      if (!process.waitFor(SOON_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new IllegalStateException(command + " has not ended well:\n" + Files.readString(log));
      }
    } finally {
      process.destroyForcibly();
    }
    return Files.readAllLines(list).stream()
        .map(line -> line.replaceAll(" id:.*", ""))
        .filter(line -> !line.matches(OF_ONE_RUN) && !line.startsWith(OURS))
        .map(line -> line.contains(" " + OURS) ? line.replaceAll(NUMBER, "$1") : line)
        .toList();
  }

  private static void get(URI uri) throws IOException, InterruptedException {
    HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding());
  }
}
