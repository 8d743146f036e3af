package io.apiserverupdater.bootstrap.api;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A JSON value (RFC 8259); what the narrow YAML reader reads is one as well. */
sealed interface JsonValue {

  /** An object, its members in their order. */
  record Members(Map<String, JsonValue> byName) implements JsonValue {
    static final Members NONE = new Members(Map.of());

    public Members {
      byName = Collections.unmodifiableMap(new LinkedHashMap<>(byName));
    }

    /** The member of that name; {@link Null} when there is none. */
    JsonValue get(String name) {
      JsonValue value = byName.get(name);
      return value == null ? new Null() : value;
    }

    /** The text of that name; empty when there is none, or it is something else. */
    String text(String name) {
      return get(name) instanceof Text text ? text.value() : "";
    }

    /** The object of that name; without members when there is none, or it is something else. */
    Members members(String name) {
      return get(name) instanceof Members members ? members : NONE;
    }

    /** The array of that name; empty when there is none, or it is something else. */
    List<JsonValue> elements(String name) {
      return get(name) instanceof Elements elements ? elements.inOrder() : List.of();
    }
  }

  /** An array. */
  record Elements(List<JsonValue> inOrder) implements JsonValue {
    public Elements {
      inOrder = List.copyOf(inOrder);
    }
  }

  /** A string. */
  record Text(String value) implements JsonValue {}

  /** A number, as it is written. */
  record Numeral(String digits) implements JsonValue {}

  /** {@code true} or {@code false}. */
  record Flag(boolean value) implements JsonValue {}

  /** {@code null}. */
  record Null() implements JsonValue {}

  /** What it is, in the words of an error. */
  default String kind() {
    if (this instanceof Members) {
      return "a mapping";
    }
    if (this instanceof Elements) {
      return "a list";
    }
    if (this instanceof Text) {
      return "a text";
    }
    if (this instanceof Numeral) {
      return "a number";
    }
    return this instanceof Flag ? "true or false" : "null";
  }
}
