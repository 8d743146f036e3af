package io.apiserverupdater.bootstrap.api;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/** A whole YAML reader with the scalar types of JSON, against which the narrow one is held. */
final class YamlOracle {
  private YamlOracle() {}

  private static final class JsonTypes extends Resolver {
    @Override
    protected void addImplicitResolvers() {
      addImplicitResolver(Tag.BOOL, Pattern.compile("true|True|TRUE|false|False|FALSE"), "tTfF");
      addImplicitResolver(Tag.INT, Pattern.compile("0|(?=.{1,18}$)-?[1-9][0-9]*"), "-0123456789");
      addImplicitResolver(Tag.NULL, Pattern.compile("~|null|Null|NULL"), "~nN");
      addImplicitResolver(Tag.NULL, Pattern.compile("^$"), null);
    }
  }

  /**
   * @throws RuntimeException of the library when it is not YAML, or has a key twice
   */
  static JsonValue read(String yaml) {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    Yaml reader =
        new Yaml(
            new SafeConstructor(options),
            new Representer(new DumperOptions()),
            new DumperOptions(),
            options,
            new JsonTypes());
    return tree(reader.load(yaml));
  }

  private static JsonValue tree(@Nullable Object value) {
    if (value == null) {
      return new JsonValue.Null();
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, JsonValue> members = new LinkedHashMap<>();
      map.forEach((key, element) -> members.put(String.valueOf(key), tree(element)));
      return new JsonValue.Members(members);
    }
    if (value instanceof List<?> list) {
      List<JsonValue> elements = new ArrayList<>();
      list.forEach(element -> elements.add(tree(element)));
      return new JsonValue.Elements(elements);
    }
    if (value instanceof Boolean flag) {
      return new JsonValue.Flag(flag);
    }
    return value instanceof Number
        ? new JsonValue.Numeral(value.toString())
        : new JsonValue.Text(value.toString());
  }
}
