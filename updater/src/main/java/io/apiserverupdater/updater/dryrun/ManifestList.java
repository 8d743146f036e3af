package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
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
    if (!report.members().isEmpty()) {
      // Not a field of a List: kubectl passes over it.
      list.put(
          "members",
          report.members().entrySet().stream()
              .map(entry -> fields(entry.getKey(), entry.getValue()))
              .toList());
    }
    return list;
  }

  private static SortedMap<String, Object> fields(Member member, MemberHealth health) {
    SortedMap<String, Object> fields = new TreeMap<>();
    fields.put("address", member.address());
    fields.put("evidence", health.evidence());
    fields.put("port", member.port());
    fields.put("ready", health.isReady());
    return fields;
  }
}
