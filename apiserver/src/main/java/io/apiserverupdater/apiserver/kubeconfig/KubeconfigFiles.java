package io.apiserverupdater.apiserver.kubeconfig;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The contents of one or more kubeconfig files, merged as kubectl merges them: the first file that
 * names a thing wins, and relative paths are relative to the file that holds them.
 */
record KubeconfigFiles(
    List<Path> files,
    Optional<String> currentContext,
    Map<String, Entry> contexts,
    Map<String, Entry> clusters,
    Map<String, Entry> users) {
  private static final String CONTENT = "a kubeconfig: expected clusters, users and contexts";

  /**
   * Reads and merges files.
   *
   * @throws InvalidKubeconfigException when some cannot be read, or are no kubeconfigs; tells all
   */
  static KubeconfigFiles load(List<Path> files) throws InvalidKubeconfigException {
    List<String> faults = new ArrayList<>();
    Optional<String> current = Optional.empty();
    Map<String, Entry> contexts = new LinkedHashMap<>();
    Map<String, Entry> clusters = new LinkedHashMap<>();
    Map<String, Entry> users = new LinkedHashMap<>();
    for (Path file : files) {
      try {
        Entry root = new Entry(file, "", YamlFile.read(file, CONTENT));
        root.expectTexts(faults, "current-context");
        if (current.isEmpty() && root.has("current-context")) {
          current = Optional.of(root.text("current-context"));
        }
        collect(root, "contexts", "context", contexts, faults);
        collect(root, "clusters", "cluster", clusters, faults);
        collect(root, "users", "user", users, faults);
      } catch (InvalidKubeconfigException e) {
        faults.addAll(e.faults());
      }
    }
    if (!faults.isEmpty()) {
      throw new InvalidKubeconfigException(faults);
    }
    return new KubeconfigFiles(files, current, contexts, clusters, users);
  }

  private static void collect(
      Entry root, String listKey, String kind, Map<String, Entry> into, List<String> faults) {
    Set<String> names = new HashSet<>();
    for (Object element : root.list(listKey, faults)) {
      if (element instanceof Map<?, ?> named) {
        new Entry(root.file(), "an entry of " + listKey, named).expectTexts(faults, "name");
        if (named.get("name") instanceof String name) {
          if (!names.add(name)) {
            faults.add(root.file() + ": two " + listKey + " have the name " + Entry.quoted(name));
          }
          into.putIfAbsent(name, entry(root, kind, name, named.get(kind), faults));
        }
      } else if (element != null) {
        faults.add(
            "%s: %s has %s, expected {name: NAME, %s: {...}}"
                .formatted(root.file(), listKey, Entry.kind(element), kind));
      }
    }
  }

  private static Entry entry(
      Entry root, String kind, String name, @Nullable Object value, List<String> faults) {
    Map<?, ?> fields = value instanceof Map<?, ?> map ? map : Map.of();
    Entry entry = new Entry(root.file(), kind + " " + Entry.quoted(name), fields);
    if (value != null && !(value instanceof Map)) {
      faults.add(entry.where() + " is " + Entry.kind(value) + ", expected a mapping");
    }
    return entry;
  }

  String title() {
    return files.stream().map(Path::toString).collect(Collectors.joining(":"));
  }
}
