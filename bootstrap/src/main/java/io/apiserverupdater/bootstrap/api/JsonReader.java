package io.apiserverupdater.bootstrap.api;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads one JSON text (RFC 8259), strictly and within bounds: at most 64 arrays and objects in each
 * other, and as long as the caller let it become. Of a name that is there twice the last one
 * counts, as in Go.
 */
final class JsonReader {
  static final int MAX_DEPTH = 64;

  private final String text;
  private int position;

  private JsonReader(String text) {
    this.text = text;
  }

  /** It is not JSON. The message says where, and never quotes more than one character. */
  static final class MalformedJsonException extends Exception {
    private final int position;

    MalformedJsonException(int position, String message) {
      super(message, null, false, false);
      this.position = position;
    }

    /** The index of the offending character. */
    int position() {
      return position;
    }
  }

  static JsonValue read(String text) throws MalformedJsonException {
    JsonReader reader = new JsonReader(text);
    JsonValue value = reader.value(0);
    reader.skipSpace();
    if (reader.position < text.length()) {
      throw reader.expected("the end");
    }
    return value;
  }

  private JsonValue value(int depth) throws MalformedJsonException {
    if (depth > MAX_DEPTH) {
      throw new MalformedJsonException(position, "more than " + MAX_DEPTH + " levels deep");
    }
    skipSpace();
    switch (peek()) {
      case '{' -> {
        return members(depth);
      }
      case '[' -> {
        return elements(depth);
      }
      case '"' -> {
        return new JsonValue.Text(string());
      }
      case 't' -> {
        word("true");
        return new JsonValue.Flag(true);
      }
      case 'f' -> {
        word("false");
        return new JsonValue.Flag(false);
      }
      case 'n' -> {
        word("null");
        return new JsonValue.Null();
      }
      default -> {
        return number();
      }
    }
  }

  private JsonValue members(int depth) throws MalformedJsonException {
    Map<String, JsonValue> members = new LinkedHashMap<>();
    position++;
    skipSpace();
    if (peek() == '}') {
      position++;
      return new JsonValue.Members(members);
    }
    while (true) {
      skipSpace();
      if (peek() != '"') {
        throw expected("a name in double quotes");
      }
      String name = string();
      skipSpace();
      if (peek() != ':') {
        throw expected("a colon");
      }
      position++;
      members.put(name, value(depth + 1));
      skipSpace();
      if (peek() == '}') {
        position++;
        return new JsonValue.Members(members);
      }
      if (peek() != ',') {
        throw expected("a comma or a closing brace");
      }
      position++;
    }
  }

  private JsonValue elements(int depth) throws MalformedJsonException {
    List<JsonValue> elements = new ArrayList<>();
    position++;
    skipSpace();
    if (peek() == ']') {
      position++;
      return new JsonValue.Elements(elements);
    }
    while (true) {
      elements.add(value(depth + 1));
      skipSpace();
      if (peek() == ']') {
        position++;
        return new JsonValue.Elements(elements);
      }
      if (peek() != ',') {
        throw expected("a comma or a closing bracket");
      }
      position++;
    }
  }

  private String string() throws MalformedJsonException {
    position++;
    int start = position;
    // Most have no escapes: one copy.
    while (position < text.length() && isPlain(text.charAt(position))) {
      position++;
    }
    if (peek() == '"') {
      return whole(text.substring(start, position++));
    }
    StringBuilder value = new StringBuilder(text.substring(start, position));
    while (true) {
      int c = peek();
      if (c == '"') {
        position++;
        return whole(value.toString());
      }
      if (c == '\\') {
        position++;
        value.append(escaped());
      } else if (c >= ' ') {
        value.append((char) c);
        position++;
      } else {
        throw expected("the end of the string");
      }
    }
  }

  /**
   * RFC 8259, section 8.2, leaves open what half a surrogate pair means. An apiserver sends none,
   * so it is refused.
   */
  private String whole(String value) throws MalformedJsonException {
    for (int i = 0; i < value.length(); i++) {
      if (Character.isSurrogate(value.charAt(i))) {
        boolean pair =
            i + 1 < value.length()
                && Character.isSurrogatePair(value.charAt(i), value.charAt(i + 1));
        if (!pair) {
          throw expected("a whole character in the string before");
        }
        i++;
      }
    }
    return value;
  }

  private static boolean isPlain(char c) {
    return c >= ' ' && c != '"' && c != '\\';
  }

  private char escaped() throws MalformedJsonException {
    char escape = (char) peek();
    switch (escape) {
      case '"', '\\', '/' -> {
        position++;
        return escape;
      }
      case 'b' -> {
        position++;
        return '\b';
      }
      case 'f' -> {
        position++;
        return '\f';
      }
      case 'n' -> {
        position++;
        return '\n';
      }
      case 'r' -> {
        position++;
        return '\r';
      }
      case 't' -> {
        position++;
        return '\t';
      }
      case 'u' -> {
        position++;
        return hexadecimal();
      }
      default -> throw expected("an escape of JSON");
    }
  }

  private char hexadecimal() throws MalformedJsonException {
    int code = 0;
    for (int i = 0; i < 4; i++) {
      int c = peek();
      int digit = c < 128 ? Character.digit(c, 16) : -1;
      if (digit < 0) {
        throw expected("four hexadecimal digits");
      }
      code = code * 16 + digit;
      position++;
    }
    return (char) code;
  }

  private JsonValue number() throws MalformedJsonException {
    int start = position;
    if (peek() == '-') {
      position++;
    }
    if (peek() == '0') {
      position++;
    } else {
      digits(start == position ? "a value" : "a digit");
    }
    if (peek() == '.') {
      position++;
      digits("a digit");
    }
    if (peek() == 'e' || peek() == 'E') {
      position++;
      if (peek() == '+' || peek() == '-') {
        position++;
      }
      digits("a digit");
    }
    return new JsonValue.Numeral(text.substring(start, position));
  }

  private void digits(String expected) throws MalformedJsonException {
    int start = position;
    while (peek() >= '0' && peek() <= '9') {
      position++;
    }
    if (position == start) {
      throw expected(expected);
    }
  }

  private void word(String word) throws MalformedJsonException {
    if (!text.startsWith(word, position)) {
      throw expected(word);
    }
    position += word.length();
  }

  private void skipSpace() {
    while (position < text.length()) {
      char c = text.charAt(position);
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
        return;
      }
      position++;
    }
  }

  /** The next character, or -1 at the end. */
  private int peek() {
    return position < text.length() ? text.charAt(position) : -1;
  }

  private MalformedJsonException expected(String what) {
    int c = peek();
    String found = c < 0 ? "the end" : c > ' ' && c < 127 ? "'" + (char) c + "'" : "U+" + hex(c);
    return new MalformedJsonException(position, "expected " + what + ", found " + found);
  }

  private static String hex(int c) {
    String digits = Integer.toHexString(c).toUpperCase(Locale.ROOT);
    return "0".repeat(Math.max(0, 4 - digits.length())) + digits;
  }
}
