package io.apiserverupdater.bootstrap.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.bootstrap.api.JsonReader.MalformedJsonException;
import io.apiserverupdater.bootstrap.api.NarrowYaml.MalformedYamlException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class NarrowYamlTest {

  /** Each YAML text and the JSON that says the same, with ' for ". */
  static List<Arguments> reads() {
    return List.of(
        Arguments.of("", "null"),
        Arguments.of("# nothing\n\n", "null"),
        Arguments.of("---\n", "null"),
        Arguments.of("a: b", "{'a': 'b'}"),
        Arguments.of("a: b\n", "{'a': 'b'}"),
        Arguments.of("a: b\r\nc: d\r\n", "{'a': 'b', 'c': 'd'}"),
        Arguments.of("--- # first\na: b\n", "{'a': 'b'}"),
        Arguments.of("# x\n---\n\n# y\na: b # z\n\n", "{'a': 'b'}"),
        Arguments.of("  a: b\n  c: d\n", "{'a': 'b', 'c': 'd'}"),
        Arguments.of("a:   b   \n", "{'a': 'b'}"),
        Arguments.of("a : b\n", "{'a': 'b'}"),
        Arguments.of("a b: c d\n", "{'a b': 'c d'}"),
        // Nothing, in all its forms.
        Arguments.of(
            "a:\nb: null\nc: ~\nd: ''\ne: Null\n",
            "{'a': null, 'b': null, 'c': null, 'd': '', 'e': null}"),
        Arguments.of("a:   # none\nb: x", "{'a': null, 'b': 'x'}"),
        // Types.
        Arguments.of(
            "a: true\nb: False\nc: 'true'\nd: yes\n",
            "{'a': true, 'b': false, 'c': 'true', 'd': 'yes'}"),
        Arguments.of(
            "a: 12\nb: -7\nc: 0\nd: '12'\ne: 012\nf: 1.5\ng: 0x1F\nh: -\u0661\n",
            "{'a': 12, 'b': -7, 'c': 0, 'd': '12', 'e': '012', 'f': '1.5', 'g': '0x1F',"
                + " 'h': '-\u0661'}"),
        Arguments.of(
            "a: 999999999999999999\nb: 9999999999999999999\n",
            "{'a': 999999999999999999, 'b': '9999999999999999999'}"),
        // Colons, dashes and hashes that are part of a text.
        Arguments.of(
            "server: https://apiserver.cluster.local:6443\n",
            "{'server': 'https://apiserver.cluster.local:6443'}"),
        Arguments.of(
            "a: -b\nc: :d\ne: ?f\ng: h#i\n", "{'a': '-b', 'c': ':d', 'e': '?f', 'g': 'h#i'}"),
        Arguments.of("a: b # c\nd: 'e # f' # g\n", "{'a': 'b', 'd': 'e # f'}"),
        Arguments.of("system:node:w1: x\n", "{'system:node:w1': 'x'}"),
        Arguments.of("name: system:node:w1@kubernetes\n", "{'name': 'system:node:w1@kubernetes'}"),
        // Mappings and lists in each other.
        Arguments.of("a:\n  b:\n    c: d\n  e: f\n", "{'a': {'b': {'c': 'd'}, 'e': 'f'}}"),
        Arguments.of("a:\n- b\n- c\nd: e\n", "{'a': ['b', 'c'], 'd': 'e'}"),
        Arguments.of("a:\n  - b\n  - c\n", "{'a': ['b', 'c']}"),
        Arguments.of("- a\n- b\n", "['a', 'b']"),
        Arguments.of(
            "-\n- a: b\n  c: d\n-   e: f\n    g: h\n",
            "[null, {'a': 'b', 'c': 'd'}, {'e': 'f', 'g': 'h'}]"),
        Arguments.of("-\n  a: b\n-\n  - c\n", "[{'a': 'b'}, ['c']]"),
        Arguments.of(
            "- a:\n  - b\n  c:\n    d: e\n- f:\n", "[{'a': ['b'], 'c': {'d': 'e'}}, {'f': null}]"),
        Arguments.of("- a:\n- b:\n", "[{'a': null}, {'b': null}]"),
        Arguments.of("a: {}\nb: [] # none\nc:\n- {}\n", "{'a': {}, 'b': [], 'c': [{}]}"),
        // Quotes.
        Arguments.of(
            "a: 'it''s'\nb: ''''\nc: \"\"\n", "{'a': 'it\\u0027s', 'b': '\\u0027', 'c': ''}"),
        Arguments.of(
            "\"a\": b\n'c d': e\n\"f\\\\g\": h\n", "{'a': 'b', 'c d': 'e', 'f\\\\g': 'h'}"),
        Arguments.of("'it''s' : b\n", "{'it\\u0027s': 'b'}"),
        Arguments.of("- 'a: b'\n- \"c: d\"\n- 'e': f\n", "['a: b', 'c: d', {'e': 'f'}]"),
        Arguments.of(
            "a: \"\\\\ \\\" \\n \\t \\e \\x41 \\u00e9 \\U0001F600 \\_\"\n",
            "{'a': '\\\\ \\u0022 \\n \\t \\u001b A é \\ud83d\\ude00 \\u00a0'}"),
        Arguments.of("a: \"null\"\nb: \"12\"\n", "{'a': 'null', 'b': '12'}"),
        // Texts that go on in the next line.
        Arguments.of("a: b\n  c\n    d\ne: f\n", "{'a': 'b c d', 'e': 'f'}"),
        Arguments.of("- a\n  - b\n- c\n", "['a - b', 'c']"),
        Arguments.of("a: b\n  c # d\ne: f\n", "{'a': 'b c', 'e': 'f'}"),
        Arguments.of("a: 'b\n\n  c\n   d  '\n", "{'a': 'b\\nc d  '}"),
        Arguments.of("a: \"b  \n  c\\\n  d\\n\n  e\"\n", "{'a': 'b cd\\n e'}"),
        Arguments.of("a: |\n  b\n   c\n\n  d\n\ne: f\n", "{'a': 'b\\n c\\n\\nd\\n', 'e': 'f'}"),
        Arguments.of("a: |-\n  b: c # d\n  # e\nf: g\n", "{'a': 'b: c # d\\n# e', 'f': 'g'}"),
        Arguments.of("a: |+\n  b\n\n\nc: d\n", "{'a': 'b\\n\\n\\n', 'c': 'd'}"),
        Arguments.of("- |\n b\n- c\n", "['b\\n', 'c']"),
        Arguments.of("a: |2-\n    b\n\n  c\nd: e\n", "{'a': '  b\\n\\nc', 'd': 'e'}"),
        Arguments.of("a:\n- |-1 # f\n   \n  b\n- c\n", "{'a': ['  \\n b', 'c']}"),
        Arguments.of("a: |\n\n  b\n # c\nd: e\n", "{'a': '\\nb\\n', 'd': 'e'}"));
  }

  @ParameterizedTest(name = "[{index}] {0}")
  @MethodSource
  void reads(String yaml, String json) throws MalformedYamlException, MalformedJsonException {
    assertEquals(JsonReader.read(json.replace('\'', '"')), NarrowYaml.read(yaml));
    assertEquals(YamlOracle.read(yaml), NarrowYaml.read(yaml), "another reader of YAML");
  }

  static List<Arguments> refuses() {
    return List.of(
        Arguments.of("word\n", 1, "KEY: VALUE"),
        Arguments.of("a: b\nword\n", 2, "KEY: VALUE"),
        Arguments.of("a:b\n", 1, "KEY: VALUE"),
        Arguments.of("a: b\n  c: d\n", 2, "holds a colon"),
        Arguments.of("a: b: c\n", 1, "holds a colon"),
        Arguments.of("a: b:\n", 1, "holds a colon"),
        Arguments.of("a: b\na: c\n", 2, "second time"),
        Arguments.of("a:\n   b: c\n  d: e\n", 3, "indentation"),
        Arguments.of("  a: b\nc: d\n", 2, "indentation"),
        Arguments.of("a: b\n- c\n", 2, "indentation"),
        Arguments.of("- a\nb: c\n", 2, "indentation"),
        Arguments.of("a: b # c\n  d\n", 2, "indentation"),
        Arguments.of("a: b\n\n  c\n", 3, "indentation"),
        Arguments.of("a: b\n---\nc: d\n", 2, "one document"),
        Arguments.of("a: b\n...\n", 2, "one document"),
        Arguments.of("--- a: b\n", 1, "nothing behind ---"),
        Arguments.of("--- |\n  a\n", 1, "nothing behind ---"),
        Arguments.of("%YAML 1.2\n---\na: b\n", 1, "KEY: VALUE"),
        Arguments.of("%A: b\n", 1, "'%'"),
        Arguments.of("? a\n: b\n", 1, "KEY: VALUE"),
        Arguments.of("? a: b\n", 1, "'?'"),
        Arguments.of(": b\n", 1, "a key before the colon"),
        Arguments.of("a: &x b\n", 1, "'&'"),
        Arguments.of("a: *x\n", 1, "'*'"),
        Arguments.of("<<: b\n", 1, "merge key"),
        Arguments.of("~: b\n", 1, "a key that is text"),
        Arguments.of("a:\n  True: b\n", 2, "a key that is text"),
        Arguments.of("a: !!str b\n", 1, "'!'"),
        Arguments.of("a: {b: c}\n", 1, "'{'"),
        Arguments.of("a: {b}\n", 1, "'{'"),
        Arguments.of("a: [b]\n", 1, "'['"),
        Arguments.of("a: {}b\n", 1, "'{'"),
        Arguments.of("a: ]\n", 1, "']'"),
        Arguments.of("a: >\n  b\n", 1, "'>'"),
        Arguments.of("a: |0\n  b\n", 1, "|-"),
        Arguments.of("a: |22\n  b\n", 1, "|-"),
        Arguments.of("a: |-+\n  b\n", 1, "|-"),
        Arguments.of("a: | b\n", 1, "lines below"),
        Arguments.of("a: |2\n b\n", 2, "text of the literal block"),
        Arguments.of("a: |x\n  b\n", 1, "|-"),
        Arguments.of("a: |\nb: c\n", 2, "text of the literal block"),
        Arguments.of("a: |\n", 1, "text of the literal block"),
        Arguments.of("a: |\n    \n  b\n", 2, "empty line"),
        Arguments.of("a: |\n  b", 2, "newline at the end"),
        Arguments.of("a: |\n   b\n  c\n", 3, "indentation"),
        Arguments.of("a: @b\n", 1, "'@'"),
        Arguments.of("a: `b\n", 1, "'`'"),
        Arguments.of("a: -\n", 1, "'-'"),
        Arguments.of("a: - b\n", 1, "'-'"),
        Arguments.of("- - a\n", 1, "another list"),
        Arguments.of("\ta: b\n", 1, "a tab"),
        Arguments.of("a:\tb\n", 1, "KEY: VALUE"),
        Arguments.of("a: b\tc\n", 1, "a tab"),
        Arguments.of("a: \tb\n", 1, "a tab"),
        Arguments.of("a: 'b' c\n", 1, "behind the closing quote"),
        Arguments.of("a: 'b'# c\n", 1, "behind the closing quote"),
        Arguments.of("a: 'b\n", 1, "not closed"),
        Arguments.of("a: 'b\nc: d\n", 1, "not closed"),
        Arguments.of("a: 'b\n\tc'\n", 1, "not closed"),
        Arguments.of("a: 'b\n \tc'\n", 2, "a tab"),
        Arguments.of("'a\n b': c\n", 1, "KEY: VALUE"),
        Arguments.of("a: \"\\q\"\n", 1, "escape of YAML"),
        Arguments.of("a: \"\\u00g0\"\n", 1, "hexadecimal"),
        Arguments.of("a: \"\\ud800\"\n", 1, "hexadecimal"),
        Arguments.of("a: \"\\U00110000\"\n", 1, "hexadecimal"),
        Arguments.of("a: \"\\UFFFFFFFF\"\n", 1, "hexadecimal"),
        Arguments.of("a: b\u0000\n", 1, "column 5 holds a control character"),
        Arguments.of("a: b\n# \u001b[31m\n", 2, "control character"),
        Arguments.of("a: b\rc: d\n", 1, "control character"),
        Arguments.of("a: \u0085b\n", 1, "control character"),
        Arguments.of("a: \u2028b\n", 1, "control character"),
        Arguments.of("x".repeat(1001) + ": b\n", 1, "longer than 1000"));
  }

  @ParameterizedTest(name = "[{index}] {0}")
  @MethodSource
  void refuses(String yaml, int line, String message) {
    MalformedYamlException refused =
        assertThrows(MalformedYamlException.class, () -> NarrowYaml.read(yaml));
    assertTrue(String.valueOf(refused.getMessage()).contains(message), refused.getMessage());
    assertEquals(line, refused.line(), refused.getMessage());
  }

  @Test
  void depthIsLimited() {
    StringBuilder deep = new StringBuilder();
    for (int i = 0; i < 5_000; i++) {
      deep.append(" ".repeat(i)).append("a:\n");
    }
    MalformedYamlException refused =
        assertThrows(MalformedYamlException.class, () -> NarrowYaml.read(deep.toString()));
    assertTrue(String.valueOf(refused.getMessage()).contains("32 levels"), refused.getMessage());
  }

  @Test
  void neverQuotesWhatItRefuses() {
    for (String yaml :
        List.of(
            "token: s3cret: x\n",
            "token: s3cret\n s3cret\n- x\n",
            "s3cret\n",
            "a: 's3cret\n",
            "s3cret: a\ns3cret: b\n")) {
      MalformedYamlException refused =
          assertThrows(MalformedYamlException.class, () -> NarrowYaml.read(yaml));
      assertFalse(String.valueOf(refused.getMessage()).contains("s3cret"), refused.getMessage());
    }
  }
}
