package io.apiserverupdater.updater.dryrun;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An object of the API, reduced to the fields that the updater sets.
 *
 * @param content what is beside the metadata; values are texts, numbers, booleans, lists and
 *     further maps, the keys of each in alphabetical order
 */
public record Manifest(
    String apiVersion,
    String kind,
    String namespace,
    String name,
    Map<String, String> labels,
    Map<String, Object> content) {

  /** The whole object; the keys of each level in alphabetical order, as kubectl prints them. */
  SortedMap<String, Object> fields() {
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
    return fields;
  }

  /** The name of the file that kubectl diff compares, for example {@code v1.Service.ns.name}. */
  String fileName() {
    return String.join(".", apiVersion.replace('/', '.'), kind, namespace, name);
  }
}
