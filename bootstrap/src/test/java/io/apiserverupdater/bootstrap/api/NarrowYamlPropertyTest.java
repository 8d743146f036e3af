package io.apiserverupdater.bootstrap.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.bootstrap.api.Kubeconfig.InvalidKubeconfigException;
import io.apiserverupdater.bootstrap.api.NarrowYaml.MalformedYamlException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/** Any text: read as another reader of YAML reads it, or refused. */
class NarrowYamlPropertyTest {
  private static final String SECRET = "s3cretOfTheNode";
  private static final List<String> SEEDS =
      List.of(
          KubeconfigTest.KUBEADM,
          KubeconfigTest.KUBECTL.replace("THE-TOKEN", SECRET),
          "a:\n- b\n-\n  c: d\n- 'e': \"f\\n\"\n  g: |-\n    h\n\n    i\nj: k\n  l\n# m\n",
          "- a: 'b\n\n    c'\n  d: \"e \\\n    f\"\n- |+\n  g\n\n- {}\n- []\n-   h:\n    - i\n");
  private static final List<String> PIECES =
      List.of(
          ":",
          ": ",
          "-",
          "- ",
          "? ",
          "#",
          " #",
          "'",
          "\"",
          "''",
          "\\",
          "\\n",
          "|",
          "|-",
          "|+",
          ">",
          "{",
          "}",
          "{}",
          "[",
          "]",
          "[]",
          "&a",
          "*a",
          "!",
          "!!str ",
          "%",
          "@",
          "`",
          "---\n",
          "...\n",
          "<<: ",
          "~",
          "null",
          "true",
          "12",
          "0x1F",
          ",",
          " ",
          "  ",
          "\n",
          "\n\n",
          "\n  ",
          "\n    ",
          "\r\n",
          "\r",
          "\t",
          "\u0000",
          "\u0085",
          "\u00a0",
          "\u2003",
          "\u2028",
          "\uFEFF",
          "é",
          "\uD83D\uDE00",
          "a: b\n",
          "\n- c",
          "x",
          "\\x41",
          "\\u00e9",
          "\\ ");
  private static final List<String> WORDS =
      List.of(
          "a",
          "b c",
          " d",
          "e ",
          ": ",
          ":",
          "#",
          " #",
          "-",
          "- ",
          "'",
          "\"",
          "\\",
          "\n",
          "\n\n",
          "{",
          "[",
          "&",
          "*",
          "!",
          "|",
          ">",
          "%",
          "@",
          "`",
          "?",
          "~",
          "null",
          "true",
          "no",
          "12",
          "1.5",
          "0x1F",
          "2026-11-21",
          "é",
          "\u2003",
          "\uD83D\uDE00",
          "\t",
          "\u00a0",
          "https://apiserver.cluster.local:6443",
          "system:node:w1",
          "many words in a row ",
          "eightycharacterswithoutanyspacebetweenthemsothatnoline-canbebrokenanywhere-in-it");

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.randomValue(random -> Mutation.of(SEEDS, PIECES, random));
  }

  @Property(shrinking = ShrinkingMode.OFF, edgeCases = EdgeCasesMode.NONE)
  void whatItReadsEveryReaderReadsTheSame(@ForAll("texts") String text) {
    JsonValue read;
    try {
      read = NarrowYaml.read(text);
    } catch (MalformedYamlException e) {
      assertTrue(e.line() >= 1 && e.line() <= text.lines().count() + 1, e.getMessage());
      return;
    }
    assertEquals(YamlOracle.read(text), read);
  }

  @Property(shrinking = ShrinkingMode.OFF, edgeCases = EdgeCasesMode.NONE)
  void kubeconfigIsReadOrRefusedWithoutItsSecret(@ForAll("texts") String text) {
    try {
      Kubeconfig read =
          Kubeconfig.parse(Path.of("/nowhere/config"), text.getBytes(StandardCharsets.UTF_8));
      assertTrue(read.port() >= 1 && read.port() <= 65_535, read.toString());
      assertFalse(read.host().isEmpty());
      assertTrue(read.certificate().isPresent() || read.token().isPresent());
      assertFalse(tells(read.toString(), text), read.toString());
    } catch (InvalidKubeconfigException e) {
      String message = String.valueOf(e.getMessage());
      assertTrue(message.startsWith("/nowhere/config: "), message);
      assertFalse(tells(message, text), message);
    }
  }

  /** Whether the token is told; what a mutation has put into a name is none any more. */
  private static boolean tells(String words, String text) {
    return words.contains(SECRET)
        && text.lines()
            .filter(line -> line.contains(SECRET))
            .allMatch(line -> line.strip().startsWith("token: "));
  }

  @Provide
  Arbitrary<Map<String, Object>> trees() {
    return Arbitraries.randomValue(random -> Map.of("root", tree(random, 0)));
  }

  private static Object tree(Random random, int depth) {
    return switch (depth > 4 ? 5 : random.nextInt(8)) {
      case 0, 1 -> map(random, depth + 1);
      case 2 -> {
        List<Object> list = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
          Object element = tree(random, depth + 1);
          // A list in a list is what kubeconfigs never hold.
          list.add(element instanceof List ? "no list" : element);
        }
        yield list;
      }
      case 3 -> random.nextBoolean();
      case 4 -> random.nextInt(100_000) - 50_000;
      default -> words(random);
    };
  }

  private static Map<String, Object> map(Random random, int depth) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      map.put(
          "k" + i + Mutation.pick(List.of("", "-data", " b", "'", "\"", ": "), random),
          tree(random, depth + 1));
    }
    return map;
  }

  private static String words(Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(7); i > 0; i--) {
      text.append(Mutation.pick(WORDS, random));
    }
    // A block of empty lines is more than a kubeconfig ever holds.
    return text.toString().isBlank() ? "" : text.toString();
  }

  @Property(shrinking = ShrinkingMode.OFF, edgeCases = EdgeCasesMode.NONE)
  void readsWhatAnotherProgramWrites(@ForAll("trees") Map<String, Object> tree)
      throws MalformedYamlException {
    DumperOptions options = new DumperOptions();
    options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
    String yaml = new Yaml(options).dump(tree);
    assertEquals(YamlOracle.read(yaml), NarrowYaml.read(yaml), yaml);
  }
}
