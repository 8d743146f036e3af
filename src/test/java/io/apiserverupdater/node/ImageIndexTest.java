package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code deploy/image/build-index}, with archives as Jib writes them. */
@Tag("component")
@Tag("quick")
class ImageIndexTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));

  @TempDir Path folder;

  private int run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS), "it has not ended");
    return process.exitValue();
  }

  /** An archive of an image with these layers; returns its name. */
  private String archive(String architecture, String... layers) throws Exception {
    Files.writeString(
        folder.resolve("config.json"),
        "{\"architecture\":\"%s\",\"config\":{\"Labels\":{\"a\":\"b\"}}}".formatted(architecture));
    Files.writeString(
        folder.resolve("manifest.json"),
        "[{\"Config\":\"config.json\",\"Layers\":[\"%s\"]}]"
            .formatted(String.join("\",\"", layers)));
    List<String> command = new ArrayList<>(List.of("tar", "--create", "--file"));
    command.add(architecture + ".tar");
    command.addAll(List.of("config.json", "manifest.json"));
    for (String layer : layers) {
      if (Files.exists(folder.resolve(layer))) {
        command.add(layer);
      }
    }
    assertEquals(0, run(command.toArray(new String[0])));
    return architecture + ".tar";
  }

  private int buildIndex(String... archives) throws Exception {
    List<String> command = new ArrayList<>(List.of("bash"));
    command.add(ROOT.resolve("deploy/image/build-index").toString());
    command.addAll(List.of("image", "updater:1.2.3"));
    command.addAll(List.of(archives));
    return run(command.toArray(new String[0]));
  }

  private void layer(String name) throws IOException {
    Files.writeString(folder.resolve(name), "the content of " + name);
  }

  @Test
  void indexHasEachArchitectureWithItsLayers() throws Exception {
    layer("one.tar.gz");
    layer("two.tar.gz");
    String amd64 = archive("amd64", "one.tar.gz", "two.tar.gz");
    assertEquals(0, buildIndex(amd64, archive("arm64", "one.tar.gz")));
    OciLayout image = new OciLayout(folder.resolve("image"));
    assertEquals(List.of("amd64", "arm64"), image.architectures());
    assertEquals(2, image.manifest("amd64").getAsJsonArray("layers").size());
    assertEquals("amd64", image.configuration("amd64").get("architecture").getAsString());
  }

  /** As when the disk is full: what is left must not look like an image. */
  @Test
  void layerThatIsMissingEndsIt() throws Exception {
    assertNotEquals(0, buildIndex(archive("amd64", "missing.tar.gz")));
    assertTrue(Files.notExists(folder.resolve("image/index.json")));
  }
}
