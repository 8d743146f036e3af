package io.apiserverupdater.apiserver.kubeconfig;

import io.apiserverupdater.apiserver.printing.Printable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A context, a cluster, a user or a plugin.
 *
 * @param file the file that holds it
 * @param title what it is, for messages
 */
record Entry(Path file, String title, Map<?, ?> fields) {
  static final Entry EMPTY = new Entry(Path.of(""), "", Map.of());

  private static final int MAX_BYTES = 1 << 20;

  boolean isEmpty() {
    return title.isEmpty();
  }

  /** The start of a message about a field. */
  String where() {
    return title.isEmpty() ? file.toString() : file + ": " + title;
  }

  boolean has(String key) {
    @Nullable Object value = fields.get(key);
    return value != null && !value.equals("");
  }

  /** Whether there is {@code KEY-data}, or a file that {@code KEY} names. */
  boolean hasDataOrFile(String key) {
    return has(key) || has(key + "-data");
  }

  /** A text; empty when it is not set, or is something else, which {@link #expectTexts} tells. */
  String text(String key) {
    return fields.get(key) instanceof String text ? text : "";
  }

  boolean flag(String key) {
    return Boolean.TRUE.equals(fields.get(key));
  }

  Path path(String key) {
    return file.toAbsolutePath().resolveSibling(text(key));
  }

  /** Adds a fault for each of these that is set, and not to a text. */
  void expectTexts(List<String> faults, String... keys) {
    for (String key : keys) {
      @Nullable Object value = fields.get(key);
      if (value != null && !(value instanceof String)) {
        String fault = where() + ": " + key + " is " + kind(value) + ", expected a text";
        faults.add(value instanceof Map || value instanceof List ? fault : fault + "; quote it");
      }
    }
  }

  /** Adds a fault for each of these that is set, and neither true nor false. */
  void expectFlags(List<String> faults, String... keys) {
    for (String key : keys) {
      @Nullable Object value = fields.get(key);
      if (value != null && !(value instanceof Boolean)) {
        faults.add(where() + ": " + key + " is " + kind(value) + ", expected true or false");
      }
    }
  }

  /** A list; empty when it is not set, or is something else, which is added to the faults. */
  List<?> list(String key, List<String> faults) {
    @Nullable Object value = fields.get(key);
    if (value != null && !(value instanceof List)) {
      faults.add(where() + ": " + key + " is " + kind(value) + ", expected a list");
    }
    return value instanceof List<?> list ? list : List.of();
  }

  /** What a value is, in the words of an error. */
  static String kind(Object value) {
    if (value instanceof Map) {
      return "a mapping";
    }
    if (value instanceof List) {
      return "a list";
    }
    if (value instanceof Number) {
      return "a number";
    }
    if (value instanceof Boolean) {
      return "true or false";
    }
    return value instanceof String ? "a text" : "something else";
  }

  /** Adds a fault for each of these whose {@code KEY-data} cannot be decoded. */
  void expectBase64(List<String> faults, String... keys) {
    for (String key : keys) {
      try {
        Optional<String> unused = data(key);
      } catch (IllegalArgumentException e) {
        faults.add(where() + ": " + key + "-data is not base64");
      }
    }
  }

  /** Adds a fault for each of these that cannot be the name of a file. */
  void expectPaths(List<String> faults, String... keys) {
    for (String key : keys) {
      try {
        Path unused = path(key);
      } catch (InvalidPathException e) {
        // A control character; or one that the locale, such as C, does not have.
        faults.add(where() + ": " + key + " is " + quoted(text(key)) + ", expected a path");
      }
    }
  }

  private Optional<String> data(String key) {
    String data = text(key + "-data").replaceAll("\\s", "");
    return data.isEmpty()
        ? Optional.empty()
        : Optional.of(new String(Base64.getDecoder().decode(data), StandardCharsets.UTF_8));
  }

  /**
   * What {@code KEY-data} holds in base64, or the file that {@code KEY} names, as kubectl chooses.
   */
  Optional<String> dataOrFile(String key) throws IOException {
    Optional<String> data = data(key);
    return data.isPresent() || !has(key) ? data : Optional.of(file(key));
  }

  /** Whether both fields name the same file, and none of them holds data. */
  boolean nameOneFile(String one, String other) {
    return has(one)
        && !has(one + "-data")
        && !has(other + "-data")
        && path(one).equals(path(other));
  }

  /**
   * What is in the file that a field names.
   *
   * @throws IOException when it cannot be read, or is empty; the message names file and field
   */
  String file(String key) throws IOException {
    Path path = path(key);
    try {
      byte[] bytes = bytes(path);
      if (bytes.length == 0) {
        throw new IOException("is empty: " + path);
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IOException(where() + ": " + key + ": " + e.getMessage(), e);
    }
  }

  /** A file's content; the message of the exception names the file, and is fit for a person. */
  static byte[] bytes(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException e) {
      throw new IOException("no such file: " + file, e);
    } catch (AccessDeniedException e) {
      throw new IOException("permission denied: " + file, e);
    } catch (IOException e) {
      throw new IOException("cannot be read: " + file + ": " + e.getMessage(), e);
    }
    if (bytes.length > MAX_BYTES) {
      throw new IOException("is longer than 1 MiB: " + file);
    }
    return bytes;
  }

  /** {@link #printable}, in quotes. */
  static String quoted(String text) {
    return "\"" + printable(text) + "\"";
  }

  /**
   * Without what a terminal or a log would act on, and no more than the first line: a quote or a
   * {@code |} that is in the wrong place makes the lines behind a name part of it, tokens too.
   */
  static String printable(String text) {
    String first = text.lines().findFirst().orElse("");
    return Printable.line(first) + (first.length() < text.length() ? "…" : "");
  }

  /** Secrets stay out of logs. */
  @Override
  public String toString() {
    return where();
  }
}
