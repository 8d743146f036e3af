package io.apiserverupdater.bootstrap.api;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the part of YAML that kubeadm, the kubelet and {@code kubectl config} write: block mappings
 * and block lists, plain, single-quoted and double-quoted scalars, which may go on in the next
 * lines, literal blocks, empty flow collections, comments. Everything else (anchors, tags, flow
 * style, folded blocks, several documents) is an error and never guessed at. What it reads, every
 * YAML reader reads the same.
 */
final class NarrowYaml {
  static final int MAX_DEPTH = 32;

  /** Other readers take no longer ones either. */
  private static final int MAX_KEY_CHARS = 1000;

  private static final String ELSE = "; write it as kubectl config does, or as JSON";

  private final List<String> lines = new ArrayList<>();
  private final boolean endsWithNewline;
  private int at;

  private NarrowYaml(String text) throws MalformedYamlException {
    int start = 0;
    while (start < text.length()) {
      int newline = text.indexOf('\n', start);
      int end = newline < 0 ? text.length() : newline;
      boolean carriageReturn = newline > start && text.charAt(newline - 1) == '\r';
      String line = text.substring(start, carriageReturn ? end - 1 : end);
      lines.add(line);
      for (int i = 0; i < line.length(); i++) {
        if (!isPrintable(line.charAt(i))) {
          throw new MalformedYamlException(
              lines.size(), "column " + (i + 1) + " holds a control character");
        }
      }
      start = end + 1;
    }
    endsWithNewline = text.endsWith("\n");
  }

  /** The text is outside of what is read. The message never quotes it: it may be a secret. */
  static final class MalformedYamlException extends Exception {
    private final int line;

    MalformedYamlException(int line, String message) {
      super(message, null, false, false);
      this.line = line;
    }

    /** From 1. */
    int line() {
      return line;
    }
  }

  /** The document of a text; null when there is nothing but comments. */
  static JsonValue read(String text) throws MalformedYamlException {
    NarrowYaml reader = new NarrowYaml(text);
    if (reader.skipToContent() && isMarker(reader.line(), "---")) {
      if (!isVoid(reader.line().substring(3))) {
        throw reader.fault("expected nothing behind ---" + ELSE);
      }
      reader.at++;
    }
    if (!reader.skipToContent()) {
      return new JsonValue.Null();
    }
    JsonValue value = reader.block(reader.indent(), 0);
    reader.expectIndentBelow(0);
    return value;
  }

  /** Of YAML's printable characters those that end no line. Surrogates only come in pairs here. */
  private static boolean isPrintable(char c) {
    return c == '\t'
        || (c >= ' ' && c < 0x7F)
        || (c >= 0xA0 && c != 0x2028 && c != 0x2029 && c != 0xFEFF && c < 0xFFFE);
  }

  private MalformedYamlException fault(String message) {
    return new MalformedYamlException(Math.min(at, lines.size() - 1) + 1, message);
  }

  private String line() {
    return lines.get(at);
  }

  private int indent() {
    return indentOf(line());
  }

  private static int indentOf(String line) {
    return skipSpaces(line, 0);
  }

  private static int skipSpaces(String line, int from) {
    int i = from;
    while (i < line.length() && line.charAt(i) == ' ') {
      i++;
    }
    return i;
  }

  /** Spaces alone are space in YAML's lines; a tab, or a wide one, would be part of the text. */
  private static String withoutSpaces(String text) {
    int end = text.length();
    while (end > 0 && text.charAt(end - 1) == ' ') {
      end--;
    }
    return text.substring(Math.min(end, skipSpaces(text, 0)), end);
  }

  /** Whether it is empty, or a comment only. */
  private static boolean isVoid(String line) {
    int indent = indentOf(line);
    return indent == line.length() || line.charAt(indent) == '#';
  }

  /** Whether there is nothing behind a value but a comment, which keeps its distance. */
  private static boolean isVoidFrom(String line, int end) {
    return end == line.length() || (line.charAt(end) == ' ' && isVoid(line.substring(end)));
  }

  private static boolean isMarker(String line, String marker) {
    return line.startsWith(marker) && (line.length() == 3 || line.charAt(3) == ' ');
  }

  /** Whether a list's entry begins at this column. */
  private static boolean isEntry(String line, int column) {
    return line.startsWith("-", column)
        && (line.length() == column + 1 || line.charAt(column + 1) == ' ');
  }

  /** Goes to the next line that is neither empty nor a comment. */
  private boolean skipToContent() {
    while (at < lines.size() && isVoid(line())) {
      at++;
    }
    return at < lines.size();
  }

  /** Goes to the next line of a block that is indented so far. */
  private boolean skipToLineAt(int indent) throws MalformedYamlException {
    if (!skipToContent() || indent() != indent) {
      return false;
    }
    if (isMarker(line(), "---") || isMarker(line(), "...")) {
      throw fault("expected one document" + ELSE);
    }
    return true;
  }

  private void expectIndentBelow(int limit) throws MalformedYamlException {
    if (skipToContent() && indent() >= limit) {
      throw fault("the line does not belong to what stands before it: look at its indentation");
    }
  }

  /** A mapping or a list whose first line is the current one. */
  private JsonValue block(int indent, int depth) throws MalformedYamlException {
    if (depth > MAX_DEPTH) {
      throw fault("more than " + MAX_DEPTH + " levels deep");
    }
    return isEntry(line(), indent) ? list(indent, depth) : mapping(indent, depth);
  }

  private JsonValue list(int indent, int depth) throws MalformedYamlException {
    List<JsonValue> elements = new ArrayList<>();
    while (skipToLineAt(indent) && isEntry(line(), indent)) {
      int column = skipSpaces(line(), indent + 1);
      if (isVoidFrom(line(), indent + 1)) {
        elements.add(below(indent, false, depth));
      } else if (isEntry(line(), column)) {
        throw fault("a list begins in the line of another list's entry" + ELSE);
      } else if (keyEnd(line(), column) >= 0) {
        // The dash counts as indentation of the mapping behind it.
        lines.set(at, " ".repeat(column) + line().substring(column));
        elements.add(block(column, depth + 1));
      } else {
        elements.add(scalar(column, indent));
      }
    }
    expectIndentBelow(indent + 1);
    return new JsonValue.Elements(elements);
  }

  private JsonValue mapping(int indent, int depth) throws MalformedYamlException {
    Map<String, JsonValue> members = new LinkedHashMap<>();
    while (skipToLineAt(indent) && !isEntry(line(), indent)) {
      int colon = keyEnd(line(), indent);
      if (colon < 0) {
        throw fault("expected KEY: VALUE" + ELSE);
      }
      String key = key(indent, colon);
      if (members.containsKey(key)) {
        throw fault("a key is there for the second time");
      }
      members.put(
          key,
          isVoidFrom(line(), colon + 1)
              ? below(indent, true, depth)
              : scalar(skipSpaces(line(), colon + 1), indent));
    }
    expectIndentBelow(indent + 1);
    return new JsonValue.Members(members);
  }

  /**
   * The block under a key or a dash that has nothing beside it, or null.
   *
   * @param listToo whether a list may stand at the very same column, as under a key
   */
  private JsonValue below(int indent, boolean listToo, int depth) throws MalformedYamlException {
    at++;
    boolean there =
        skipToContent()
            && (indent() > indent || (listToo && indent() == indent && isEntry(line(), indent)));
    return there ? block(indent(), depth + 1) : new JsonValue.Null();
  }

  /** Where the colon is that ends the key at this column; -1 when there is none. */
  private static int keyEnd(String line, int column) {
    char first = line.charAt(column);
    if (first == '"' || first == '\'') {
      int close = skipSpaces(line, closingQuote(line, column) + 1);
      return isColon(line, close) ? close : -1;
    }
    int i = column;
    while (i < line.length() && !isColon(line, i)) {
      if (line.startsWith(" #", i)) {
        return -1;
      }
      i++;
    }
    return i < line.length() ? i : -1;
  }

  /** Where the scalar that is quoted at this column ends in its line; its end if it does not. */
  private static int closingQuote(String line, int column) {
    char quote = line.charAt(column);
    int i = column + 1;
    while (i < line.length()) {
      char c = line.charAt(i);
      if (c == '\\' && quote == '"') {
        i++;
      } else if (c == quote && quote == '\'' && line.startsWith("'", i + 1)) {
        i++;
      } else if (c == quote) {
        return i;
      }
      i++;
    }
    return line.length();
  }

  private static boolean isColon(String line, int i) {
    return i < line.length()
        && line.charAt(i) == ':'
        && (i + 1 == line.length() || line.charAt(i + 1) == ' ');
  }

  private String key(int column, int colon) throws MalformedYamlException {
    if (colon - column > MAX_KEY_CHARS) {
      throw fault("a key is longer than " + MAX_KEY_CHARS + " characters");
    }
    char first = line().charAt(column);
    if (first == '"' || first == '\'') {
      Quoted quoted = new Quoted(first, column, Integer.MAX_VALUE);
      String key = quoted.read();
      if (skipSpaces(line(), quoted.end) != colon) {
        throw fault("expected a colon behind the quoted key");
      }
      return key;
    }
    String key = withoutSpaces(line().substring(column, colon));
    checkPlain(key);
    if (key.equals("<<")) {
      throw fault("expected no merge key" + ELSE);
    }
    if (!(resolve(key) instanceof JsonValue.Text)) {
      throw fault("expected a key that is text; put it into quotes");
    }
    return key;
  }

  /** A plain scalar must not look like something else to a YAML reader. */
  private void checkPlain(String text) throws MalformedYamlException {
    if (text.isEmpty()) {
      throw fault("expected a key before the colon");
    }
    char first = text.charAt(0);
    boolean indicator = ",[]{}#&*!|>'\"%@`".indexOf(first) >= 0;
    boolean alone = "-?:".indexOf(first) >= 0 && (text.length() == 1 || text.charAt(1) == ' ');
    if (indicator || alone) {
      throw fault("expected no special form that starts with '" + first + "'" + ELSE);
    }
    if (text.indexOf('\t') >= 0) {
      throw fault("expected spaces, found a tab");
    }
  }

  /** The value that begins at this column; goes on to the line after it. */
  private JsonValue scalar(int column, int parentIndent) throws MalformedYamlException {
    char first = line().charAt(column);
    if (first == '"' || first == '\'') {
      Quoted quoted = new Quoted(first, column, parentIndent);
      String text = quoted.read();
      if (!isVoidFrom(line(), quoted.end)) {
        throw fault("expected nothing behind the closing quote");
      }
      at++;
      return new JsonValue.Text(text);
    }
    if (first == '|') {
      return new JsonValue.Text(literal(column, parentIndent));
    }
    boolean mapping = line().startsWith("{}", column);
    if ((mapping || line().startsWith("[]", column)) && isVoidFrom(line(), column + 2)) {
      at++;
      return mapping ? JsonValue.Members.NONE : new JsonValue.Elements(List.of());
    }
    return resolve(plain(column, parentIndent));
  }

  private String plain(int column, int parentIndent) throws MalformedYamlException {
    StringBuilder text = new StringBuilder();
    String part = line().substring(column);
    checkPlain(part);
    while (true) {
      int comment = part.indexOf(" #");
      String content = withoutSpaces(comment < 0 ? part : part.substring(0, comment));
      if (content.indexOf('\t') >= 0) {
        throw fault("expected spaces, found a tab");
      }
      if (content.contains(": ") || content.endsWith(":")) {
        throw fault("a value holds a colon, which makes it a key; put the value into quotes");
      }
      text.append(text.isEmpty() ? "" : " ").append(content);
      at++;
      // A line that is indented more goes on with the text; a comment has ended it.
      if (comment >= 0 || at == lines.size() || isVoid(line()) || indent() <= parentIndent) {
        return text.toString();
      }
      part = line();
    }
  }

  /** The types of a plain scalar in JSON; all else is text. */
  private static JsonValue resolve(String plain) {
    return switch (plain) {
      case "null", "Null", "NULL", "~" -> new JsonValue.Null();
      case "true", "True", "TRUE" -> new JsonValue.Flag(true);
      case "false", "False", "FALSE" -> new JsonValue.Flag(false);
      default -> isInteger(plain) ? new JsonValue.Numeral(plain) : new JsonValue.Text(plain);
    };
  }

  private static boolean isInteger(String plain) {
    int start = plain.startsWith("-") ? 1 : 0;
    if (plain.length() == start || plain.length() > 18) {
      return false;
    }
    if (plain.charAt(start) == '0') {
      return plain.equals("0");
    }
    for (int i = start; i < plain.length(); i++) {
      if (plain.charAt(i) < '0' || plain.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }

  private String literal(int column, int parentIndent) throws MalformedYamlException {
    int end = column + 1;
    char chomping = ' ';
    int given = 0;
    while (end < line().length() && line().charAt(end) != ' ') {
      char c = line().charAt(end++);
      if ((c == '-' || c == '+') && chomping == ' ') {
        chomping = c;
      } else if (c >= '1' && c <= '9' && given == 0) {
        given = c - '0';
      } else {
        throw fault("expected |, |- or |+" + ELSE);
      }
    }
    if (!isVoidFrom(line(), end)) {
      throw fault("expected the text of the literal block in the lines below");
    }
    at++;
    int first = at;
    while (first < lines.size() && isBlank(lines.get(first))) {
      first++;
    }
    int found = first < lines.size() ? indentOf(lines.get(first)) : 0;
    int indent = given > 0 ? parentIndent + given : found;
    if (found <= parentIndent || found < indent) {
      throw fault("expected the text of the literal block, indented more than its key");
    }
    List<String> texts = new ArrayList<>();
    while (at < lines.size() && (isBlank(line()) || indent() >= indent)) {
      if (given == 0 && at < first && line().length() > indent) {
        throw fault("an empty line is indented more than the text below it");
      }
      texts.add(line().length() > indent ? line().substring(indent) : "");
      at++;
    }
    if (at == lines.size() && !endsWithNewline) {
      throw fault("expected a newline at the end of the literal block");
    }
    while (chomping != '+' && texts.get(texts.size() - 1).isEmpty()) {
      texts.remove(texts.size() - 1);
    }
    return String.join("\n", texts) + (chomping == '-' ? "" : "\n");
  }

  private static boolean isBlank(String line) {
    return indentOf(line) == line.length();
  }

  /** One quoted scalar, which may go on in further lines. */
  private final class Quoted {
    private final char quote;
    private final int parentIndent;
    private final int startLine = at;
    private final StringBuilder text = new StringBuilder();
    private int i;

    /** What is before this is kept; spaces behind it go when the line ends. */
    private int kept;

    /** Behind the closing quote in its line. */
    int end;

    /**
     * @param parentIndent further lines are indented more than this
     */
    Quoted(char quote, int column, int parentIndent) {
      this.quote = quote;
      this.i = column + 1;
      this.parentIndent = parentIndent;
    }

    String read() throws MalformedYamlException {
      while (true) {
        if (i >= line().length()) {
          text.setLength(kept);
          int breaks = nextLine();
          text.append(breaks == 0 ? " " : "\n".repeat(breaks));
          kept = text.length();
          continue;
        }
        char c = line().charAt(i++);
        if (c == quote && quote == '\'' && line().startsWith("'", i)) {
          i++;
          append("'");
        } else if (c == quote) {
          end = i;
          return text.toString();
        } else if (c == '\\' && quote == '"') {
          escape();
        } else if (c == ' ' || c == '\t') {
          text.append(c);
        } else {
          append(String.valueOf(c));
        }
      }
    }

    private void append(String characters) {
      text.append(characters);
      kept = text.length();
    }

    /** Goes to the next line with text on it; returns how many empty ones lie between. */
    private int nextLine() throws MalformedYamlException {
      int breaks = 0;
      at++;
      while (at < lines.size() && isBlank(line())) {
        breaks++;
        at++;
      }
      if (at == lines.size() || indent() <= parentIndent) {
        throw new MalformedYamlException(startLine + 1, "a quote is not closed");
      }
      i = indent();
      if (line().charAt(i) == '\t') {
        throw fault("expected spaces, found a tab");
      }
      return breaks;
    }

    private void escape() throws MalformedYamlException {
      if (i == line().length()) {
        // The end of this line counts for nothing.
        kept = text.length();
        append("\n".repeat(nextLine()));
        return;
      }
      char c = line().charAt(i++);
      switch (c) {
        case '"', '\\', ' ' -> append(String.valueOf(c));
        case '0' -> append("\0");
        case 'a' -> append("\u0007");
        case 'b' -> append("\b");
        case 't' -> append("\t");
        case 'n' -> append("\n");
        case 'v' -> append("\u000B");
        case 'f' -> append("\f");
        case 'r' -> append("\r");
        case 'e' -> append("\u001B");
        case 'N' -> append("\u0085");
        case '_' -> append("\u00A0");
        case 'L' -> append("\u2028");
        case 'P' -> append("\u2029");
        case 'x' -> append(character(2));
        case 'u' -> append(character(4));
        case 'U' -> append(character(8));
        default -> throw fault("expected an escape of YAML behind the backslash");
      }
    }

    private String character(int digits) throws MalformedYamlException {
      int code = 0;
      for (int n = 0; n < digits; n++) {
        char c = i < line().length() ? line().charAt(i) : ' ';
        int digit = c < 128 ? Character.digit(c, 16) : -1;
        if (digit < 0 || code > Character.MAX_CODE_POINT) {
          throw fault("expected " + digits + " hexadecimal digits of a character");
        }
        code = code * 16 + digit;
        i++;
      }
      if (code > Character.MAX_CODE_POINT
          || (code >= Character.MIN_SURROGATE && code <= Character.MAX_SURROGATE)) {
        throw fault("expected " + digits + " hexadecimal digits of a character");
      }
      return Character.toString(code);
    }
  }
}
