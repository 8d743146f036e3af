package io.apiserverupdater.apiserver.kubeconfig;

import io.apiserverupdater.apiserver.yaml.BoundedParser;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.reader.ReaderException;
import org.yaml.snakeyaml.resolver.Resolver;
import org.yaml.snakeyaml.scanner.ScannerException;

/**
 * A text's first document as kubectl reads it, with go-yaml: what is behind it is not looked at.
 * The safe engine, without the facade that brings the half that writes along.
 */
final class FirstDocument extends SafeConstructor {
  private static final int MAX_DEPTH = 32;
  private static final int MAX_ALIASES = 32;
  private static final int MAX_TABS = 200;

  /** Neither the parser nor we can say more of it than the message, which holds nothing secret. */
  static final class UnreadableException extends RuntimeException {
    UnreadableException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private FirstDocument(LoaderOptions limits) {
    super(limits);
    setAllowDuplicateKeys(false);
  }

  /**
   * Reads it.
   *
   * @return null when there is none
   * @throws MarkedYAMLException when it is not YAML
   * @throws UnreadableException when it is YAML that is not taken
   */
  static @Nullable Object read(String text) {
    // JSON is YAML, but for tabs between its tokens and \/ in its texts.
    boolean json = text.replaceFirst("^\uFEFF?\\s*(?:---\\s+)?", "").startsWith("{");
    StringBuilder yaml =
        new StringBuilder(
            json ? text.replace('\t', ' ').replaceAll("(\\\\\\\\)|\\\\(?=/)", "$1") : text);
    for (int tabs = 0; ; tabs++) {
      try {
        return parse(yaml.toString());
      } catch (ScannerException e) {
        // go-yaml takes tabs between tokens, though not as indentation; SnakeYAML takes none.
        int at = yaml.offsetByCodePoints(0, e.getProblemMark().getIndex());
        if (tabs == MAX_TABS
            || at == yaml.length()
            || yaml.charAt(at) != '\t'
            || indents(yaml, at)) {
          throw e;
        }
        for (int i = at; i < yaml.length() && yaml.charAt(i) == '\t'; i++) {
          yaml.setCharAt(i, ' ');
        }
      }
    }
  }

  private static boolean indents(StringBuilder text, int at) {
    int start = text.lastIndexOf("\n", at) + 1;
    return text.substring(start, at).isBlank();
  }

  private static @Nullable Object parse(String text) {
    LoaderOptions limits = new LoaderOptions();
    limits.setMaxAliasesForCollections(MAX_ALIASES);
    limits.setNestingDepthLimit(MAX_DEPTH);
    BoundedParser parser = new BoundedParser(text, limits);
    FirstDocument document = new FirstDocument(limits);
    document.setComposer(new Composer(parser, new Types(), limits));
    try {
      return document.checkData() ? document.getData() : null;
    } catch (MarkedYAMLException e) {
      throw e;
    } catch (ReaderException e) {
      long line = text.codePoints().limit(e.getPosition()).filter(c -> c == '\n').count() + 1;
      throw new UnreadableException("line " + line + ", a control character", e);
    } catch (BoundedParser.TooManyValuesException e) {
      throw new UnreadableException("line " + parser.line() + ", " + e.getMessage(), e);
    } catch (RuntimeException | StackOverflowError e) {
      // The error: an alias can make a key contain itself, which has no hash code then.
      throw new UnreadableException(
          "up to line "
              + parser.line()
              + ", nested deeper than 32, more than 32 aliases, a key that contains itself, or a"
              + " value that does not fit its tag",
          e);
    }
  }

  /** The types that go-yaml gives to words: dates and times of day are texts. */
  private static final class Types extends Resolver {
    private static final Pattern WHOLE =
        Pattern.compile("[-+]?(?:0b[01_]+|0[0-7_]*|[1-9][0-9_]*|0x[0-9a-fA-F_]+)");
    private static final Pattern FLOAT =
        Pattern.compile("[-+]?(?:\\.[0-9]+|[0-9]+(?:\\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?");

    @Override
    protected void addImplicitResolvers() {
      addImplicitResolver(Tag.BOOL, BOOL, "yYnNtTfFoO");
      addImplicitResolver(Tag.INT, WHOLE, "-+0123456789");
      addImplicitResolver(Tag.FLOAT, FLOAT, "-+0123456789.");
      addImplicitResolver(Tag.MERGE, MERGE, "<");
      addImplicitResolver(Tag.NULL, NULL, "~nN\0");
      addImplicitResolver(Tag.NULL, EMPTY, null);
    }
  }
}
