package io.apiserverupdater.apiserver.kubeconfig;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** Any text: a kubeconfig, or refused. */
class KubeconfigPropertyTest {
  private static final String SECRET = "s3cretOfTheNode";
  private static final List<String> SEEDS =
      List.of(
          """
          clusters:
          - cluster: {server: 'https://[fd00::64]/prefix/', certificate-authority-data: "cGVt"}
            name: '- c'
          contexts:
          - context:
              cluster: '- c'
              user: u
            name: |-
              multi
              line
          - name: plain, folded
              here
            context: {cluster: "- c"}
          current-context: "multi\\nline"
          users:
          - name: u
            user:
              token: TOKEN
          - name: e
            user:
              exec: &e
                apiVersion: client.authentication.k8s.io/v1
                args: [a, *e]
                command: foo
          """
              .replace("TOKEN", SECRET),
          """
          {"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c",
            "user": "u"}}], "clusters": [{"name": "c", "cluster": {"server": "https://h"}}],
          "users": [{"name": "u", "user": {
          "token": "TOKEN"
          }}]}
          """
              .replace("TOKEN", SECRET));
  // Single marks, and what only has a meaning together.
  private static final List<String> PIECES =
      List.of(
          (":|: |-|- |? |#| #|'|\"|''|\\|\\n|>|{|}|{}|[|]|[]|&a |*a|*e|!|!!str |!!int |!!binary |"
                  + "!!timestamp |!!set |%|@|`|---\n|...\n|<<: |<<: *e\n|~|null|true|12|0x1F|0b|.|1e9|"
                  + "2026-11-21|,| |  |\n|\n\n|\n  |\n    |\r\n|\r|\t|\u0000|\u0085|\u00a0|\u2028|"
                  + "\uFEFF|é|\uD83D\uDE00|a: b\n|\n- c|x|\\x41|\\ud83d|\\ |https://|:0")
              .split("\\|"));

  private static Path file = Path.of("");

  @BeforeContainer
  static void create() throws IOException {
    file = Files.createTempFile("kubeconfig", "");
  }

  @AfterContainer
  static void delete() throws IOException {
    Files.delete(file);
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.randomValue(KubeconfigPropertyTest::mutation);
  }

  @Property(shrinking = ShrinkingMode.OFF, edgeCases = EdgeCasesMode.NONE)
  void isReadOrRefusedWithoutItsSecret(@ForAll("texts") String text) throws IOException {
    Files.writeString(file, text);
    try {
      Kubeconfig read = Kubeconfig.load(List.of(file), Optional.empty(), Map.of());
      int port = read.server().port();
      assertTrue(port >= 1 && port <= 65_535, read.server().toString());
      assertFalse(read.server().host().isEmpty());
      assertFalse(tells(read.toString(), text), read.toString());
    } catch (InvalidKubeconfigException e) {
      for (String fault : e.faults()) {
        assertTrue(fault.startsWith(file + ": "), fault);
        assertFalse(tells(fault, text), fault);
      }
    }
  }

  /** Whether the token is told; what a mutation has put into a name is none any more. */
  private static boolean tells(String words, String text) {
    return words.contains(SECRET)
        && text.lines()
            .filter(line -> line.contains(SECRET))
            .allMatch(line -> line.strip().replace("\"", "").startsWith("token: "))
        && isToken(text);
  }

  /** Whether YAML sees it nowhere but in a token, or sees no YAML at all. */
  private static boolean isToken(String text) {
    try {
      Object root = new Yaml(new SafeConstructor(new LoaderOptions())).load(text);
      return isToken(root, Collections.newSetFromMap(new IdentityHashMap<>()));
    } catch (YAMLException | StackOverflowError e) {
      return true;
    }
  }

  private static boolean isToken(@Nullable Object node, Set<Object> seen) {
    if (node instanceof String word) {
      return !word.contains(SECRET);
    }
    if (node == null || !seen.add(node)) {
      return true;
    }
    if (node instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .allMatch(
              entry ->
                  isToken(entry.getKey(), seen)
                      && ("token".equals(entry.getKey()) || isToken(entry.getValue(), seen)));
    }
    return !(node instanceof List<?> list) || list.stream().allMatch(one -> isToken(one, seen));
  }

  private static String mutation(Random random) {
    StringBuilder text = new StringBuilder(pick(SEEDS, random));
    for (int changes = random.nextInt(6); changes > 0; changes--) {
      int at = random.nextInt(text.length() + 1);
      int end = Math.min(text.length(), at + random.nextInt(random.nextInt(3) == 0 ? 40 : 4));
      switch (random.nextInt(4)) {
        case 0 -> text.delete(at, end);
        case 1 -> text.insert(random.nextInt(text.length() + 1), text.substring(at, end));
        case 2 -> text.insert(at, pick(PIECES, random));
        default -> text.replace(at, end, pick(PIECES, random));
      }
    }
    // As decoded from bytes: without halves of surrogate pairs.
    return new String(text.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }

  private static String pick(List<String> from, Random random) {
    return from.get(random.nextInt(from.size()));
  }
}
