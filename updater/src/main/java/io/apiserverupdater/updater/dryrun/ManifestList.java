package io.apiserverupdater.updater.dryrun;

import java.util.SortedMap;
import java.util.TreeMap;

/** The objects of a report as they would be, in one v1 List, as kubectl prints several objects. */
final class ManifestList {
  private ManifestList() {}

  /** An object that would be deleted is not in it. */
  static SortedMap<String, Object> of(Report report) {
    SortedMap<String, Object> list = new TreeMap<>();
    list.put("apiVersion", "v1");
    list.put(
        "items",
        report.comparisons().stream()
            .flatMap(comparison -> comparison.merged().stream())
            .map(Manifest::fields)
            .toList());
    list.put("kind", "List");
    return list;
  }
}
