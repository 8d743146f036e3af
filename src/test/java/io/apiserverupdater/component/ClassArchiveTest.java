package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The list of classes that the build makes, and what an archive made from it saves. */
@Tag("component")
class ClassArchiveTest extends OnOneCluster {
  private static final Path PROJECT = Path.of(System.getProperty("project.root"));
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** Of all that are loaded. Some differ with the JDK and from run to run. */
  private static final double NOT_FROM_ARCHIVE = 0.03;

  @Test
  void listIsTheSameWhenItIsMadeAgain() throws Exception {
    Path again = replicas.folder().resolve("classlist");
    replicas
        .run(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                PROJECT.resolve("deploy/ListClasses.java").toString(),
                again.toString(),
                PROJECT.resolve("updater/target/updater.jar").toString(),
                PROJECT.resolve("deploy/profile/updater.classlist").toString()),
            Map.of(),
            "")
        .result(LIMIT)
        .exits(0);
    assertEquals(-1, Files.mismatch(PROJECT.resolve("updater/target/updater.classlist"), again));
  }

  @Test
  void classesComeFromTheArchive() throws Exception {
    Path log = replicas.folder().resolve("classes.log");
    String user = Replicas.fresh("updater");
    String namespace = replicas.namespace();
    UpdaterProcess updater =
        replicas.run(
            UpdaterProcess.jar(
                List.of(
                    "--kubeconfig=" + replicas.kubeconfig(user),
                    "--namespace=" + namespace,
                    "--listen=0")),
            Map.of("JDK_JAVA_OPTIONS", "-Xlog:class+load:file=" + log),
            "");
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    updater.awaitLog("leading=true", SOON);
    assertEquals(0, updater.stop());

    List<String> loaded =
        Files.readAllLines(log).stream()
            .filter(line -> line.contains(" source: "))
            // The virtual machine's own code for method handles, which is made at run time.
            .filter(line -> !line.endsWith(" source: __JVM_LookupDefineClass__"))
            .map(line -> line.replaceFirst("^(\\[[^]]*])+ ", ""))
            .toList();
    List<String> others =
        loaded.stream().filter(line -> !line.contains(" source: shared objects file")).toList();
    assertEquals(
        List.of(),
        others.stream()
            .filter(line -> line.startsWith("io.apiserverupdater."))
            // Of lambda expressions that are the same at two places, an archive has one.
            .filter(line -> !line.contains("$$Lambda"))
            .toList());
    assertTrue(
        others.size() <= NOT_FROM_ARCHIVE * loaded.size(),
        () ->
            "of "
                + loaded.size()
                + " classes, these are not from the archive. Make the profile again: ./bench"
                + " classes\n"
                + String.join("\n", others));
  }
}
