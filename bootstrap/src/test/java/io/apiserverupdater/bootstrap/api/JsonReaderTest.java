package io.apiserverupdater.bootstrap.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.bootstrap.api.JsonReader.MalformedJsonException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class JsonReaderTest {
  private static JsonValue text(String value) {
    return new JsonValue.Text(value);
  }

  private static JsonValue number(String digits) {
    return new JsonValue.Numeral(digits);
  }

  private static JsonValue elements(JsonValue... values) {
    return new JsonValue.Elements(List.of(values));
  }

  private static JsonValue members(Object... namesAndValues) {
    Map<String, JsonValue> members = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      members.put((String) namesAndValues[i], (JsonValue) namesAndValues[i + 1]);
    }
    return new JsonValue.Members(members);
  }

  static List<Arguments> reads() {
    return List.of(
        Arguments.of("{}", members()),
        Arguments.of(" \t\r\n{ \t\r\n} \t\r\n", members()),
        Arguments.of("[]", elements()),
        Arguments.of("[ ]", elements()),
        Arguments.of("\"\"", text("")),
        Arguments.of("\"a\"", text("a")),
        Arguments.of("\"é☃\uD83D\uDE00\"", text("é☃\uD83D\uDE00")),
        Arguments.of("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", text("\"\\/\b\f\n\r\t")),
        Arguments.of("\"\\u0041\\u00e9\\uD83D\\ude00\"", text("Aé\uD83D\uDE00")),
        Arguments.of("\"a\\nb\"", text("a\nb")),
        Arguments.of("true", new JsonValue.Flag(true)),
        Arguments.of("false", new JsonValue.Flag(false)),
        Arguments.of("null", new JsonValue.Null()),
        Arguments.of("0", number("0")),
        Arguments.of("-0", number("-0")),
        Arguments.of("6443", number("6443")),
        Arguments.of("-1.5e+10", number("-1.5e+10")),
        Arguments.of("0.0E-0", number("0.0E-0")),
        Arguments.of("1e999999999", number("1e999999999")),
        Arguments.of(
            "[1, [true,null] ,\"\"]",
            elements(
                number("1"), elements(new JsonValue.Flag(true), new JsonValue.Null()), text(""))),
        Arguments.of(
            "{\"a\": {\"b\":[]}, \"c\" : null}",
            members("a", members("b", elements()), "c", new JsonValue.Null())),
        // As in Go, the last one counts.
        Arguments.of("{\"a\": 1, \"a\": 2}", members("a", number("2"))),
        Arguments.of("{\"\": 1}", members("", number("1"))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void reads(String json, JsonValue expected) throws MalformedJsonException {
    assertEquals(expected, JsonReader.read(json));
  }

  static List<Arguments> refuses() {
    return List.of(
        Arguments.of("", 0, "expected a value, found the end"),
        Arguments.of(" ", 1, "expected a value, found the end"),
        Arguments.of("\uFEFF{}", 0, "expected a value, found U+FEFF"),
        Arguments.of("{} {}", 3, "expected the end, found '{'"),
        Arguments.of("{", 1, "expected a name in double quotes, found the end"),
        Arguments.of("{a: 1}", 1, "expected a name in double quotes, found 'a'"),
        Arguments.of("{'a': 1}", 1, "expected a name in double quotes, found '''"),
        Arguments.of("{\"a\" 1}", 5, "expected a colon, found '1'"),
        Arguments.of("{\"a\": 1,}", 8, "expected a name in double quotes, found '}'"),
        Arguments.of("{\"a\": 1 \"b\": 2}", 8, "expected a comma or a closing brace, found '\"'"),
        Arguments.of("[1,]", 3, "expected a value, found ']'"),
        Arguments.of("[1 2]", 3, "expected a comma or a closing bracket, found '2'"),
        Arguments.of("[", 1, "expected a value, found the end"),
        Arguments.of("[1", 2, "expected a comma or a closing bracket, found the end"),
        Arguments.of("\"a", 2, "expected the end of the string, found the end"),
        Arguments.of("\"a\nb\"", 2, "expected the end of the string, found U+000A"),
        Arguments.of("\"\\n\u0000\"", 3, "expected the end of the string, found U+0000"),
        Arguments.of("\"\\x\"", 2, "expected an escape of JSON, found 'x'"),
        Arguments.of("\"\\", 2, "expected an escape of JSON, found the end"),
        Arguments.of("\"\\u12g4\"", 5, "expected four hexadecimal digits, found 'g'"),
        Arguments.of("\"\\u\uFF11234\"", 3, "expected four hexadecimal digits, found U+FF11"),
        Arguments.of("tru", 0, "expected true, found 't'"),
        Arguments.of("True", 0, "expected a value, found 'T'"),
        Arguments.of("nul", 0, "expected null, found 'n'"),
        Arguments.of("NaN", 0, "expected a value, found 'N'"),
        Arguments.of("+1", 0, "expected a value, found '+'"),
        Arguments.of("-", 1, "expected a digit, found the end"),
        Arguments.of("01", 1, "expected the end, found '1'"),
        Arguments.of("1.", 2, "expected a digit, found the end"),
        Arguments.of(".5", 0, "expected a value, found '.'"),
        Arguments.of("1e", 2, "expected a digit, found the end"),
        Arguments.of("1e+", 3, "expected a digit, found the end"),
        Arguments.of("\u0663", 0, "expected a value, found U+0663"),
        Arguments.of("[1] // no", 4, "expected the end, found '/'"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void refuses(String json, int position, String message) {
    MalformedJsonException refused =
        assertThrows(MalformedJsonException.class, () -> JsonReader.read(json));
    assertEquals(message, refused.getMessage());
    assertEquals(position, refused.position());
  }

  @Test
  void depthIsLimited() throws MalformedJsonException {
    int most = JsonReader.MAX_DEPTH;
    JsonValue unusedDeep = JsonReader.read("[".repeat(most) + "1" + "]".repeat(most));
    for (String open : List.of("[", "{\"a\":")) {
      MalformedJsonException refused =
          assertThrows(MalformedJsonException.class, () -> JsonReader.read(open.repeat(1_000_000)));
      assertTrue(String.valueOf(refused.getMessage()).contains("64 levels"));
    }
  }
}
