package io.apiserverupdater.bench;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What a benchmark leaves behind: the figures as rows and as JSON. */
public final class Measurements {
  private Measurements() {}

  /** The machine on which they were taken. */
  public static JsonObject machine() throws IOException {
    JsonObject machine = new JsonObject();
    machine.addProperty("processors", Runtime.getRuntime().availableProcessors());
    machine.addProperty("java", System.getProperty("java.runtime.version"));
    try (Stream<String> lines = Files.lines(Path.of("/proc/version"))) {
      machine.addProperty("kernel", lines.findFirst().orElse("").split(" ", -1)[2]);
    }
    return machine;
  }

  /** Prints the figures and writes them as JSON; returns 1 when a target was missed, or else 0. */
  public static int publish(List<Figure> figures, Path file) throws IOException {
    figures.forEach(figure -> System.out.println(figure.row()));
    write(file, Json.of("figures", json(figures), "machine", machine()));
    return figures.stream().allMatch(Figure::met) ? 0 : 1;
  }

  static JsonArray json(List<Figure> figures) {
    return Json.array(figures.stream().map(Figure::json).toArray());
  }

  /** Writes JSON for people, and the folder if it is missing. */
  public static void write(Path file, JsonObject root) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.writeString(
        file,
        new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(root) + "\n");
  }
}
