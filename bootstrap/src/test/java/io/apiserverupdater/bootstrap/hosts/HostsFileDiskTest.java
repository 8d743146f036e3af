package io.apiserverupdater.bootstrap.hosts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The hosts file on real disks of all kinds, each in a process with mounts of its own. */
class HostsFileDiskTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fullDisk",
        "bindMount",
        "bindMountOnAFullDisk",
        "writableFileInAReadOnlyFolder",
        "readOnlyFileSystem",
        "overlay",
        "immutable",
        "attributes",
        "powerLoss"
      })
  void leavesTheOldContentOrTheNewOne(String scenario) throws Exception {
    assumeTrue(canMount(), "mounting needs root and unshare");
    assumeTrue(
        !Set.of("attributes", "immutable", "powerLoss").contains(scenario)
            || (Files.exists(Path.of("/dev/loop-control"))
                && Files.isExecutable(Path.of("/usr/sbin/mkfs.ext4"))),
        "a disk of its own needs a loop device and mkfs.ext4");
    assumeTrue(
        !scenario.equals("attributes") || Files.isExecutable(Path.of("/usr/bin/python3")),
        "labels are set by python3");
    Process process =
        new ProcessBuilder(
                "unshare",
                "--mount",
                "--propagation",
                "private",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                DiskScenarios.class.getName(),
                scenario,
                folder.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals("", output);
    assertEquals(0, process.waitFor());
  }

  private static boolean canMount() throws Exception {
    if (!Files.isExecutable(Path.of("/usr/bin/unshare"))) {
      return false;
    }
    Process process =
        new ProcessBuilder("unshare", "--mount", "mount", "-n", "-t", "tmpfs", "none", "/mnt")
            .redirectErrorStream(true)
            .start();
    process.getInputStream().readAllBytes();
    return process.waitFor() == 0;
  }
}
