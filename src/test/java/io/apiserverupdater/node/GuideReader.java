package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Execution;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Somebody who follows the guide on machines, literally but for what is an example there.
 *
 * @param own what is written in the guide, and what it is here
 */
record GuideReader(Guide guide, Map<String, String> own) {
  private static final Duration LIMIT = Duration.ofMinutes(3);

  /** Runs every block of these kinds on one machine, in order; there must be one of each. */
  void follow(BootedNode node, String... where) {
    List<String> wanted = List.of(where);
    List<Guide.Block> blocks =
        guide.blocks().stream().filter(block -> wanted.contains(block.where())).toList();
    assertEquals(
        Set.copyOf(wanted), blocks.stream().map(Guide.Block::where).collect(Collectors.toSet()));
    blocks.forEach(block -> follow(block, node));
  }

  /** Runs a block on a machine as root, in its home, and wants it to succeed. */
  void follow(Guide.Block block, BootedNode node) {
    node.disk()
        .write(
            "/root/block.sh",
            "cd /root\nexport KUBECONFIG=/etc/kubernetes/admin.conf\n" + ownText(block));
    Execution done = node.runWithin(LIMIT, "bash", "-ex", "/root/block.sh");
    assertEquals(0, done.exitCode(), () -> at(block, done));
    System.out.println("docs/install.md:" + block.line() + " said\n" + done.out());
  }

  /** What a block is here. */
  String ownText(Guide.Block block) {
    String text = block.text();
    for (Map.Entry<String, String> word : own.entrySet()) {
      text = text.replace(word.getKey(), word.getValue());
    }
    return text;
  }

  /** Names a block and how it ended. */
  static String at(Guide.Block block, Execution done) {
    return "docs/install.md:%d ended with %d%n%s%s"
        .formatted(block.line(), done.exitCode(), done.out(), done.err());
  }

  /** Puts the package where the guide's reader has it, under the name that the guide uses. */
  void putPackage(BootedNode node) {
    String name =
        guide.blocks().stream()
            .flatMap(block -> block.text().lines())
            .filter(line -> line.startsWith("dpkg -i "))
            .map(line -> line.substring("dpkg -i ".length()).strip())
            .findFirst()
            .orElseThrow();
    Path deb = Path.of(System.getProperty("bootstrap.deb"));
    String version =
        Execution.run(LIMIT, "dpkg-deb", "--field", deb.toString(), "Version").orThrow().out();
    assertTrue(name.contains("_" + version.strip() + "_"), name + " is not " + version);
    node.disk().copy(deb.toString(), "/root/" + name);
  }
}
