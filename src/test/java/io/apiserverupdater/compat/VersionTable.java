package io.apiserverupdater.compat;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The table of the versions of Kubernetes. */
final class VersionTable {
  private VersionTable() {}

  /**
   * A row for each minor version that is supported or was run, the newest first.
   *
   * @param standard the release that the lab builds unless it is told otherwise
   * @param supported minor versions, as in {@code 1.37}
   * @param runs by minor version
   */
  static String markdown(String standard, List<String> supported, Map<String, VersionRun> runs) {
    Set<String> minors = newestFirst();
    minors.addAll(supported);
    minors.addAll(runs.keySet());
    StringBuilder table =
        new StringBuilder(
            """
            | Kubernetes | state | core tests | run on | day |
            |---|---|---|---|---|
            """);
    for (String minor : minors) {
      String name = minor.equals(VersionRun.minor(standard)) ? minor + ", the default" : minor;
      VersionRun run = runs.get(minor);
      table.append(
          run == null
              ? "| %s | %s | not run | – | – |\n".formatted(name, State.EXPECTED.word())
              : "| %s | %s | %s | %s, etcd %s | %s |\n"
                  .formatted(
                      name,
                      run.state().word(),
                      run.tests(),
                      run.release().substring(1),
                      run.etcd(),
                      run.day()));
    }
    return table.toString();
  }

  /** The minor versions that passed every core test, the newest first. */
  static List<String> tested(Map<String, VersionRun> runs) {
    Set<String> minors = newestFirst();
    runs.forEach(
        (minor, run) -> {
          if (run.state() == State.TESTED) {
            minors.add(minor);
          }
        });
    return List.copyOf(minors);
  }

  private static Set<String> newestFirst() {
    return new TreeSet<>(Comparator.comparingInt(VersionTable::number).reversed());
  }

  private static int number(String minor) {
    return Integer.parseInt(minor.substring(minor.indexOf('.') + 1));
  }
}
