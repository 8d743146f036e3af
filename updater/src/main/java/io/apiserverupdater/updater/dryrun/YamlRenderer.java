package io.apiserverupdater.updater.dryrun;

import java.util.SortedMap;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeId;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/** YAML as kubectl prints it: block style, lists not indented, double quotes where needed. */
final class YamlRenderer {
  private YamlRenderer() {}

  static String text(SortedMap<String, Object> fields) {
    DumperOptions options = new DumperOptions();
    options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
    options.setSplitLines(false);
    // Two places that share one value are still two values to a reader.
    options.setDereferenceAliases(true);
    return new Yaml(new QuotingRepresenter(options), options).dump(fields);
  }

  /** Texts that a reader would take for another type get double quotes, as in kubectl's output. */
  private static final class QuotingRepresenter extends Representer {
    private final Resolver resolver = new Resolver();

    QuotingRepresenter(DumperOptions options) {
      super(options);
    }

    @Override
    protected Node representScalar(Tag tag, String value, DumperOptions.ScalarStyle style) {
      boolean ambiguous =
          tag.equals(Tag.STR) && !resolver.resolve(NodeId.scalar, value, true).equals(Tag.STR);
      return super.representScalar(
          tag, value, ambiguous ? DumperOptions.ScalarStyle.DOUBLE_QUOTED : style);
    }
  }
}
