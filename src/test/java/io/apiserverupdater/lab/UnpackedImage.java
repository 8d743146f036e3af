package io.apiserverupdater.lab;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/**
 * A container image, unpacked the way a container engine does it, with the places where a kubelet
 * mounts something.
 *
 * @param root the image's file system
 * @param entrypoint the command that it starts
 * @param environment what it sets
 * @param user UID:GID
 */
public record UnpackedImage(
    Path root, List<String> entrypoint, Map<String, String> environment, String user) {
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final List<String> MOUNTED =
      List.of("proc", "dev", "etc", "var/run/secrets/kubernetes.io/serviceaccount");

  /**
   * Unpacks an archive as {@code docker save} writes it.
   *
   * @param folder an empty one, for the archive's parts and the file system
   */
  public static UnpackedImage of(Path archive, Path folder) throws IOException {
    Path parts = Files.createDirectories(folder.resolve("parts"));
    Path root = Files.createDirectories(folder.resolve("root"));
    tar("-xf", archive, parts);
    JsonObject manifest =
        JsonParser.parseString(Files.readString(parts.resolve("manifest.json")))
            .getAsJsonArray()
            .get(0)
            .getAsJsonObject();
    for (String layer : texts(manifest.get("Layers"))) {
      tar("-xzf", parts.resolve(layer), root);
    }
    for (String mounted : MOUNTED) {
      Files.createDirectories(root.resolve(mounted));
    }
    JsonObject config =
        JsonParser.parseString(
                Files.readString(parts.resolve(manifest.get("Config").getAsString())))
            .getAsJsonObject()
            .getAsJsonObject("config");
    Map<String, String> environment = new LinkedHashMap<>();
    for (String assignment : texts(config.get("Env"))) {
      String[] parsed = assignment.split("=", 2);
      environment.put(parsed[0], parsed[1]);
    }
    return new UnpackedImage(
        root, texts(config.get("Entrypoint")), environment, config.get("User").getAsString());
  }

  private static void tar(String mode, Path archive, Path into) {
    Execution.run(PATIENCE, "tar", mode, archive.toString(), "-C", into.toString()).orThrow();
  }

  private static List<String> texts(JsonElement array) {
    return StreamSupport.stream(array.getAsJsonArray().spliterator(), false)
        .map(JsonElement::getAsString)
        .toList();
  }
}
