package io.apiserverupdater.compat;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.bench.DocsTable;
import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Keeps what the core tests said on one release of Kubernetes, and rewrites the table. Started by
 * {@code ./bench compat} after each release.
 */
public final class CompatBench {
  private static final String RUNS = "runs";

  private CompatBench() {}

  /**
   * Prints the row, and exits with 0 if the release passed every core test, or else with 1. Without
   * a single report nothing is changed.
   *
   * @param arguments the release, its etcd, the names of the core classes with commas between them,
   *     the folder with Surefire's reports, the JSON file with the runs, and the page
   */
  public static void main(String[] arguments) throws IOException {
    List<String> core = List.of(arguments[2].split(",", -1));
    TestReports reports = new TestReports(Path.of(arguments[3]));
    Optional<LocalDate> day = reports.day(core);
    if (day.isEmpty()) {
      System.out.println("no test was run on " + arguments[0]);
      System.exit(1);
    }
    List<ClassResult> classes = new ArrayList<>();
    for (String name : core) {
      classes.add(reports.of(name));
    }
    VersionRun run = new VersionRun(arguments[0], arguments[1], day.orElseThrow(), classes);
    Path file = Path.of(arguments[4]);
    Map<String, VersionRun> runs = read(file);
    runs.put(VersionRun.minor(run.release()), run);
    write(file, runs);
    Path page = Path.of(arguments[5]);
    LabKubernetes lab = LabKubernetes.read(Path.of(System.getProperty("project.root")));
    Files.writeString(page, page(Files.readString(page), lab, runs));
    System.out.println(run.release() + ": " + run.state().word() + "; " + run.tests());
    System.exit(run.state() == State.TESTED ? 0 : 1);
  }

  /** The page with the table of these runs. */
  static String page(String page, LabKubernetes lab, Map<String, VersionRun> runs) {
    return DocsTable.into(
        page, "versions", VersionTable.markdown(lab.standard(), lab.supported(), runs));
  }

  /** The last run on each minor version; none if there is no file. */
  static Map<String, VersionRun> read(Path file) throws IOException {
    Map<String, VersionRun> runs = new TreeMap<>();
    if (Files.exists(file)) {
      JsonObject root = Json.parse(Files.readString(file));
      for (Map.Entry<String, JsonElement> run : root.getAsJsonObject(RUNS).entrySet()) {
        runs.put(run.getKey(), VersionRun.of(run.getValue().getAsJsonObject()));
      }
    }
    return runs;
  }

  static void write(Path file, Map<String, VersionRun> runs) throws IOException {
    JsonObject json = new JsonObject();
    runs.forEach((minor, run) -> json.add(minor, run.json()));
    Files.writeString(
        file,
        new GsonBuilder()
                .setPrettyPrinting()
                .disableHtmlEscaping()
                .create()
                .toJson(Json.of(RUNS, json))
            + "\n");
  }
}
