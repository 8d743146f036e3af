package io.apiserverupdater.updater.kube;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * The contents of one or more kubeconfig files, merged as kubectl merges them: the first file that
 * names a thing wins, and relative paths are relative to the file that holds them.
 */
final class Kubeconfig {
  private final List<Path> files;
  private final Optional<String> currentContext;
  private final Map<String, Entry> contexts;
  private final Map<String, Entry> clusters;
  private final Map<String, Entry> users;

  private Kubeconfig(
      List<Path> files,
      Optional<String> currentContext,
      Map<String, Entry> contexts,
      Map<String, Entry> clusters,
      Map<String, Entry> users) {
    this.files = files;
    this.currentContext = currentContext;
    this.contexts = contexts;
    this.clusters = clusters;
    this.users = users;
  }

  /**
   * Reads and merges files.
   *
   * @throws ClusterAccess.ConfigurationException when one cannot be read or is not a kubeconfig
   */
  static Kubeconfig load(List<Path> files) throws ClusterAccess.ConfigurationException {
    Optional<String> current = Optional.empty();
    Map<String, Entry> contexts = new LinkedHashMap<>();
    Map<String, Entry> clusters = new LinkedHashMap<>();
    Map<String, Entry> users = new LinkedHashMap<>();
    for (Path file : files) {
      Map<?, ?> root = parse(file);
      if (current.isEmpty()
          && root.get("current-context") instanceof String name
          && !name.isEmpty()) {
        current = Optional.of(name);
      }
      collect(file, root, "contexts", "context", contexts);
      collect(file, root, "clusters", "cluster", clusters);
      collect(file, root, "users", "user", users);
    }
    return new Kubeconfig(files, current, contexts, clusters, users);
  }

  private static Map<?, ?> parse(Path file) throws ClusterAccess.ConfigurationException {
    try {
      Object root = new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(file));
      if (root instanceof Map<?, ?> map) {
        return map;
      }
      if (root == null) {
        // As kubectl does: an empty file holds nothing.
        return Map.of();
      }
      throw new ClusterAccess.ConfigurationException(
          file + ": is not a kubeconfig; expected a YAML mapping with clusters, users, contexts");
    } catch (IOException e) {
      throw new ClusterAccess.ConfigurationException(file + ": cannot be read: " + e);
    } catch (YAMLException e) {
      // The parser quotes the text around the fault, and that may be a secret.
      throw new ClusterAccess.ConfigurationException(file + ": is not YAML");
    }
  }

  private static void collect(
      Path file, Map<?, ?> root, String listKey, String kind, Map<String, Entry> into) {
    if (!(root.get(listKey) instanceof List<?> list)) {
      return;
    }
    for (Object element : list) {
      if (element instanceof Map<?, ?> named && named.get("name") instanceof String name) {
        Object content = named.get(kind);
        Entry entry =
            new Entry(
                file,
                kind + " \"" + name + "\"",
                content instanceof Map<?, ?> fields ? fields : Map.of());
        into.putIfAbsent(name, entry);
      }
    }
  }

  String files() {
    return files.stream().map(Path::toString).collect(Collectors.joining(":"));
  }

  Optional<String> currentContext() {
    return currentContext;
  }

  List<String> contexts() {
    return new ArrayList<>(contexts.keySet());
  }

  Optional<Entry> context(String name) {
    return Optional.ofNullable(contexts.get(name));
  }

  Optional<Entry> cluster(String name) {
    return Optional.ofNullable(clusters.get(name));
  }

  Optional<Entry> user(String name) {
    return Optional.ofNullable(users.get(name));
  }

  /**
   * A context, cluster or user.
   *
   * @param file the file that holds it
   * @param title what it is, for messages
   */
  record Entry(Path file, String title, Map<?, ?> fields) {
    static final Entry EMPTY = new Entry(Path.of(""), "", Map.of());

    boolean isEmpty() {
      return title.isEmpty();
    }

    String where() {
      return file + ": " + title;
    }

    boolean has(String key) {
      @Nullable Object value = fields.get(key);
      return value != null && !value.equals("");
    }

    String text(String key) {
      @Nullable Object value = fields.get(key);
      return value == null ? "" : value.toString();
    }

    boolean flag(String key) {
      return Boolean.TRUE.equals(fields.get(key));
    }

    Path path(String key) {
      return file.toAbsolutePath().resolveSibling(text(key));
    }

    /** Secrets stay out of logs. */
    @Override
    public String toString() {
      return where();
    }
  }
}
