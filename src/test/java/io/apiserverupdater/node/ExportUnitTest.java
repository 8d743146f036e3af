package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.lab.Execution;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The unit of {@code updater export} that people copy to a balancer's host. */
@Tag("real")
@Timeout(180)
class ExportUnitTest {
  private static final Path PROJECT = Path.of(System.getProperty("project.root"));
  private static final String UNIT = "apiserver-export.service";

  @TempDir Path folder;

  /** ReferenceTest has what it starts. */
  @Test
  void systemdAcceptsIt() {
    try (BareNode node = BareNode.create(PROJECT, folder.resolve("node"))) {
      Path unit = PROJECT.resolve("deploy/export").resolve(UNIT);
      node.disk().copy(unit.toString(), "/etc/systemd/system/" + UNIT);
      String program = "/opt/apiserver-updater/bin/updater";
      node.disk().write(program, "#!/bin/sh\n");
      node.run("chmod", "755", program).orThrow();
      Execution verified = node.run("systemd-analyze", "verify", "--man=no", UNIT);
      assertEquals(0, verified.exitCode(), verified.out() + verified.err());
      // It only warns of a setting that it does not know.
      assertEquals(
          "",
          Stream.concat(verified.out().lines(), verified.err().lines())
              .filter(line -> line.contains("apiserver-export"))
              .reduce("", (all, line) -> all + line + "\n"));
    }
  }
}
