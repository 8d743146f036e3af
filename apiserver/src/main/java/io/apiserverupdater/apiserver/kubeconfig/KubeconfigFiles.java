package io.apiserverupdater.apiserver.kubeconfig;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.constructor.DuplicateKeyException;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.ReaderException;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

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

  private static final int MAX_DEPTH = 32;
  private static final int MAX_ALIASES = 32;

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
        Entry root = new Entry(file, "", parse(file));
        root.expectTexts(faults, "current-context");
        if (current.isEmpty() && root.has("current-context")) {
          current = Optional.of(root.text("current-context"));
        }
        collect(root, "contexts", "context", contexts);
        collect(root, "clusters", "cluster", clusters);
        collect(root, "users", "user", users);
      } catch (InvalidKubeconfigException e) {
        faults.addAll(e.faults());
      }
    }
    if (!faults.isEmpty()) {
      throw new InvalidKubeconfigException(faults);
    }
    return new KubeconfigFiles(files, current, contexts, clusters, users);
  }

  private static Map<?, ?> parse(Path file) throws InvalidKubeconfigException {
    String fault;
    try {
      byte[] bytes = Entry.bytes(file);
      @Nullable Object root =
          yaml(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
      if (root instanceof Map<?, ?> map) {
        return map;
      }
      if (root == null) {
        // As kubectl does: an empty file holds nothing.
        return Map.of();
      }
      fault = "is not a kubeconfig: expected clusters, users and contexts, found ";
      fault += Entry.kind(root);
    } catch (CharacterCodingException e) {
      fault = "is not UTF-8 text";
    } catch (IOException e) {
      throw new InvalidKubeconfigException(String.valueOf(e.getMessage()));
    } catch (MarkedYAMLException e) {
      fault = "is not YAML: " + place(e);
    } catch (ReaderException e) {
      fault = "is not YAML: it holds a control character";
    } catch (RuntimeException | StackOverflowError e) {
      // The error: an alias can make a key contain itself, which has no hash code then.
      fault =
          "is not YAML: nested deeper than 32, more than 32 aliases, a key that contains itself,"
              + " or a value that does not fit its tag";
    }
    throw new InvalidKubeconfigException(file + ": " + fault);
  }

  /** The safe engine, without the facade that brings the half that writes along. */
  private static @Nullable Object yaml(String text) {
    LoaderOptions limits = new LoaderOptions();
    limits.setMaxAliasesForCollections(MAX_ALIASES);
    limits.setNestingDepthLimit(MAX_DEPTH);
    // JSON is YAML, but for tabs between its tokens and \/ in its texts.
    boolean json = text.replaceFirst("^\uFEFF", "").stripLeading().startsWith("{");
    String yaml = json ? text.replace('\t', ' ').replaceAll("(\\\\\\\\)|\\\\(?=/)", "$1") : text;
    SafeConstructor constructor = new SafeConstructor(limits);
    constructor.setAllowDuplicateKeys(false);
    constructor.setComposer(
        new Composer(new ParserImpl(new StreamReader(yaml), limits), new Resolver(), limits));
    return constructor.getSingleData(Object.class);
  }

  /** Not the parser's own message: it quotes the text around the fault, which may be a secret. */
  private static String place(MarkedYAMLException e) {
    int line = e.getProblemMark().getLine() + 1;
    int column = e.getProblemMark().getColumn() + 1;
    String what =
        e instanceof DuplicateKeyException
            ? "a key that is there before"
            : e.getContext() == null ? "a value that is not expected" : e.getContext();
    return "line " + line + ", column " + column + ", " + what;
  }

  private static void collect(Entry root, String listKey, String kind, Map<String, Entry> into) {
    if (!(root.fields().get(listKey) instanceof List<?> list)) {
      return;
    }
    for (Object element : list) {
      if (element instanceof Map<?, ?> named && named.get("name") instanceof String name) {
        Map<?, ?> fields = named.get(kind) instanceof Map<?, ?> map ? map : Map.of();
        into.putIfAbsent(name, new Entry(root.file(), kind + " " + Entry.quoted(name), fields));
      }
    }
  }

  String title() {
    return files.stream().map(Path::toString).collect(Collectors.joining(":"));
  }
}
