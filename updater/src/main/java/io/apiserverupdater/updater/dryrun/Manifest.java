package io.apiserverupdater.updater.dryrun;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An object of the API, reduced to the fields that the updater sets.
 *
 * @param fields the whole object; the keys of each level in alphabetical order, as kubectl prints
 *     them; values are texts, numbers, booleans, lists and further maps
 */
public record Manifest(
    String apiVersion,
    String kind,
    String namespace,
    String name,
    SortedMap<String, Object> fields) {

  public Manifest {
    fields = Collections.unmodifiableSortedMap(new TreeMap<>(fields));
  }

  static Manifest of(
      String apiVersion,
      String kind,
      String namespace,
      String name,
      Map<String, String> labels,
      Map<String, Object> content) {
    SortedMap<String, Object> metadata = new TreeMap<>();
    if (!labels.isEmpty()) {
      metadata.put("labels", new TreeMap<>(labels));
    }
    metadata.put("name", name);
    metadata.put("namespace", namespace);
    SortedMap<String, Object> fields = new TreeMap<>(content);
    fields.put("apiVersion", apiVersion);
    fields.put("kind", kind);
    fields.put("metadata", metadata);
    return new Manifest(apiVersion, kind, namespace, name, fields);
  }

  /** The name of the file that kubectl diff compares, for example {@code v1.Service.ns.name}. */
  String fileName() {
    return String.join(".", apiVersion.replace('/', '.'), kind, namespace, name);
  }
}
