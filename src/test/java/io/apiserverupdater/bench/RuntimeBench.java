package io.apiserverupdater.bench;

import io.apiserverupdater.lab.TemporaryFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the runtime in the node package costs, for the choice of the JDK that it is linked from: the
 * packages of several JDKs, side by side. Started by {@code ./bench runtimes}.
 */
public final class RuntimeBench {
  private RuntimeBench() {}

  private record Candidate(String name, Path tree, BootstrapBench bench, Sample pins) {}

  /**
   * Measures, prints the table and writes it as JSON.
   *
   * @param arguments the JSON file to write, then the name and the tree of each package
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    List<Figure> figures = new ArrayList<>();
    try (TemporaryFolder temporary = TemporaryFolder.create("runtime-bench")) {
      List<Candidate> candidates = new ArrayList<>();
      for (int i = 1; i + 1 < arguments.length; i += 2) {
        Path tree = Path.of(arguments[i + 1]).toAbsolutePath();
        Path folder = Files.createDirectory(temporary.path().resolve(String.valueOf(i)));
        candidates.add(
            new Candidate(arguments[i], tree, BootstrapBench.of(tree, folder), new Sample()));
      }
      measurePins(candidates);
      for (Candidate candidate : candidates) {
        figures.addAll(figures(candidate));
      }
    }
    System.exit(Measurements.publish(figures, Path.of(arguments[0])));
  }

  /** In turns, so that a busy moment meets them alike. */
  private static void measurePins(List<Candidate> candidates)
      throws IOException, InterruptedException {
    List<BootstrapBench.Place> places = new ArrayList<>();
    try {
      for (Candidate candidate : candidates) {
        places.add(candidate.bench().new Place("pins"));
      }
      for (int round = 0; round <= BootstrapBench.STARTS; round++) {
        for (int i = 0; i < candidates.size(); i++) {
          double millis = places.get(i).pinMillis();
          // The first one reads everything from the disk.
          if (round > 0) {
            candidates.get(i).pins().add(millis);
          }
        }
      }
    } finally {
      places.forEach(BootstrapBench.Place::close);
    }
  }

  private static List<Figure> figures(Candidate candidate)
      throws IOException, InterruptedException {
    String name = candidate.name() + ": ";
    double peak =
        candidate.bench().boots().stream()
            .filter(figure -> figure.name().equals(BootstrapBench.PEAK))
            .mapToDouble(Figure::value)
            .max()
            .orElseThrow();
    Path tree = candidate.tree();
    return List.of(
        Figure.stated(name + "exec to pinned, median", candidate.pins().percentile(0.5), "ms"),
        Figure.stated(name + "exec to pinned, slowest", candidate.pins().max(), "ms"),
        Figure.stated(name + BootstrapBench.PEAK, peak, "MiB"),
        Figure.stated(
            name + "package, installed",
            BootstrapBench.installedBytes(tree) / BootstrapBench.MEBIBYTE,
            "MiB"));
  }
}
