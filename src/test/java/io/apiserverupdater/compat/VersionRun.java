package io.apiserverupdater.compat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.Json;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The core tests on one release of Kubernetes.
 *
 * @param release as in {@code v1.37.2}
 * @param etcd its etcd, as in {@code 3.7.0}
 * @param day on which they ended, in UTC
 * @param classes one for each core class, whether it ran or not
 */
record VersionRun(String release, String etcd, LocalDate day, List<ClassResult> classes) {
  VersionRun {
    classes = List.copyOf(classes);
  }

  /** {@code 1.37} of {@code v1.37.2}. */
  static String minor(String release) {
    return release.substring(1, release.lastIndexOf('.'));
  }

  State state() {
    if (classes.stream().anyMatch(one -> !one.failed().isEmpty())) {
      return State.NOT;
    }
    return !classes.isEmpty() && classes.stream().allMatch(ClassResult::complete)
        ? State.TESTED
        : State.EXPECTED;
  }

  /** What a row says of the tests. */
  String tests() {
    List<String> parts = new ArrayList<>();
    parts.add(classes.stream().mapToInt(ClassResult::passed).sum() + " passed");
    add(parts, "failed", classes.stream().flatMap(one -> one.failedTests().stream()).toList());
    add(
        parts,
        "not run or not all of it",
        classes.stream()
            .filter(one -> one.failed().isEmpty() && !one.complete())
            .map(ClassResult::name)
            .toList());
    return String.join("; ", parts);
  }

  private static void add(List<String> parts, String what, List<String> names) {
    if (!names.isEmpty()) {
      parts.add(what + ": `" + String.join("`, `", names) + "`");
    }
  }

  JsonObject json() {
    JsonObject tests = new JsonObject();
    classes.forEach(one -> tests.add(one.name(), one.json()));
    return Json.of("release", release, "etcd", etcd, "day", day.toString(), "tests", tests);
  }

  static VersionRun of(JsonObject json) {
    List<ClassResult> classes = new ArrayList<>();
    for (Map.Entry<String, JsonElement> test : json.getAsJsonObject("tests").entrySet()) {
      classes.add(ClassResult.of(test.getKey(), test.getValue().getAsJsonObject()));
    }
    return new VersionRun(
        Json.text(json, "release"),
        Json.text(json, "etcd"),
        LocalDate.parse(Json.text(json, "day")),
        classes);
  }
}
