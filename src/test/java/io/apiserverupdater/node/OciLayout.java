package io.apiserverupdater.node;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.LabException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.StreamSupport;

/**
 * An OCI image layout with one image, which is an index of several architectures.
 *
 * @param folder that has {@code index.json}
 */
record OciLayout(Path folder) {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  /** What names the image, in {@code index.json}. */
  JsonObject descriptor() {
    List<JsonObject> entries = objects(json(folder.resolve("index.json")), "manifests");
    if (entries.size() != 1) {
      throw new LabException(folder + " has not one image but " + entries);
    }
    return entries.get(0);
  }

  JsonObject index() {
    return json(blob(descriptor()));
  }

  /** The architectures, in the order of the index. */
  List<String> architectures() {
    return objects(index(), "manifests").stream().map(OciLayout::architecture).toList();
  }

  JsonObject manifest(String architecture) {
    return objects(index(), "manifests").stream()
        .filter(entry -> architecture(entry).equals(architecture))
        .map(entry -> json(blob(entry)))
        .findFirst()
        .orElseThrow(() -> new LabException("no " + architecture + " in " + index()));
  }

  JsonObject configuration(String architecture) {
    return json(blob(manifest(architecture).getAsJsonObject("config")));
  }

  /** How many bytes a node downloads of an architecture's layers, which are compressed. */
  long compressedBytes(String architecture) {
    return objects(manifest(architecture), "layers").stream()
        .map(this::blob)
        .mapToLong(layer -> LabException.wrap("cannot read " + layer, () -> Files.size(layer)))
        .sum();
  }

  /** Unpacks the file system of an architecture into {@code root}, which must be empty. */
  void unpack(String architecture, Path root) {
    for (JsonObject layer : objects(manifest(architecture), "layers")) {
      Execution.run(LIMIT, "tar", "-xzf", blob(layer).toString(), "-C", root.toString()).orThrow();
    }
  }

  private Path blob(JsonObject descriptor) {
    return folder
        .resolve("blobs")
        .resolve(descriptor.get("digest").getAsString().replace(':', '/'));
  }

  private static String architecture(JsonObject entry) {
    return entry.getAsJsonObject("platform").get("architecture").getAsString();
  }

  private static List<JsonObject> objects(JsonObject parent, String member) {
    return StreamSupport.stream(parent.getAsJsonArray(member).spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  private static JsonObject json(Path file) {
    return LabException.wrap(
        "cannot read " + file,
        () -> JsonParser.parseString(Files.readString(file)).getAsJsonObject());
  }
}
