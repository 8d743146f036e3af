package io.apiserverupdater.bench;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.PodProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Lists the classes that two replicas load while one leads, one stands by, a control plane dies and
 * the leader hands over, and those of a person's dry run against an apiserver that has a name: what
 * the launcher's class archive is made of. Started by {@code ./bench classlist}.
 */
public final class ClassList {
  private static final Duration SOON = Duration.ofSeconds(60);

  private ClassList() {}

  /**
   * Writes the list.
   *
   * @param arguments the folder that the release archive was unpacked into, and the file to write
   */
  public static void main(String[] arguments) throws IOException {
    String launcher = Path.of(arguments[0]).resolve("bin/updater").toString();
    try (Lab lab = Lab.builder("classlist").start()) {
      lab.kubectl().run("apply", "-k", "deploy/kustomize/base").orThrow();
      Path lists = Files.createTempDirectory("classlist");
      lab.worker(1).host().mapName(Lab.APISERVER_NAME, lab.controlPlane(1).address());
      String kubeconfig =
          lab.kubeconfig("person", "https://" + Lab.APISERVER_NAME + ":6443", lab.adminToken())
              .toString();
      Execution unusedAnswer =
          pod(lab, 1, "person", lists)
              .run(SOON, launcher, "--dry-run", "--kubeconfig=" + kubeconfig);
      try (PodProcess first = start(lab, 1, launcher, lists);
          PodProcess second = start(lab, 2, launcher, lists)) {
        awaitMembers(lab, 3);
        lab.controlPlane(3).kill();
        awaitMembers(lab, 2);
        for (PodProcess pod : List.of(first, second)) {
          pod.process().terminate();
          pod.process().awaitExit(SOON);
        }
      }
      Set<String> classes = new TreeSet<>();
      for (String name : List.of("lister-1", "lister-2", "person")) {
        for (String line : Files.readAllLines(lists.resolve(name))) {
          // Comments, and classes that the runtime makes while it makes an archive.
          if (!line.startsWith("#") && !line.startsWith("jdk/internal/vm")) {
            classes.add(line.replaceAll(" id:.*", ""));
          }
        }
      }
      Files.write(Path.of(arguments[1]), classes);
    }
  }

  private static void awaitMembers(Lab lab, int count) {
    Set<String> addresses = new TreeSet<>();
    lab.controlPlanes().stream()
        .limit(count)
        .forEach(controlPlane -> addresses.add(controlPlane.address()));
    lab.awaitAddresses("kube-system", "apiserver-ipv4", addresses, SOON);
  }

  private static PodProcess start(Lab lab, int number, String launcher, Path lists) {
    return pod(lab, number, "lister-" + number, lists).start(launcher);
  }

  /** A pod that lists all its classes into the file of its name. */
  private static PodProcess.Builder pod(Lab lab, int worker, String name, Path lists) {
    return lab.pod(lab.worker(worker), name)
        .namespace("kube-system")
        .serviceAccount("apiserver-updater")
        // Without an archive, so that every class is listed.
        .environment("UPDATER_OPTS", "-Xshare:off -XX:DumpLoadedClassList=" + lists.resolve(name));
  }
}
