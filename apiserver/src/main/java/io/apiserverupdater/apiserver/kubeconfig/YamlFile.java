package io.apiserverupdater.apiserver.kubeconfig;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.constructor.DuplicateKeyException;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/** A configuration file in YAML or JSON, as Kubernetes' own programs read it. */
public final class YamlFile {
  private YamlFile() {}

  /**
   * The fields of a file's first document; none when the file is empty.
   *
   * @param content what it should be, for the message: {@code a …: expected …}
   * @throws InvalidKubeconfigException when it cannot be read, or has no fields; names the file
   */
  public static Map<?, ?> read(Path file, String content) throws InvalidKubeconfigException {
    String fault;
    try {
      byte[] bytes = Entry.bytes(file);
      @Nullable Object root =
          FirstDocument.read(charset(bytes).newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
      if (root instanceof Map<?, ?> map) {
        return map;
      }
      if (root == null) {
        // As kubectl does: an empty file holds nothing.
        return Map.of();
      }
      fault = "is not " + content + ", found " + Entry.kind(root);
    } catch (CharacterCodingException e) {
      fault = "is not UTF-8 text";
    } catch (IOException e) {
      throw new InvalidKubeconfigException(String.valueOf(e.getMessage()));
    } catch (MarkedYAMLException e) {
      fault = "is not YAML: " + place(e);
    } catch (FirstDocument.UnreadableException e) {
      fault = "is not YAML: " + e.getMessage();
    }
    throw new InvalidKubeconfigException(file + ": " + fault);
  }

  /** By the byte order mark, which some editors write (YAML 1.2, section 5.2). */
  private static Charset charset(byte[] bytes) {
    int mark = bytes.length < 2 ? 0 : ((bytes[0] & 0xFF) << 8) | (bytes[1] & 0xFF);
    return switch (mark) {
      case 0xFEFF -> StandardCharsets.UTF_16BE;
      case 0xFFFE -> StandardCharsets.UTF_16LE;
      default -> StandardCharsets.UTF_8;
    };
  }

  /** Not the parser's own message: it quotes the text around the fault, which may be a secret. */
  private static String place(MarkedYAMLException e) {
    int line = e.getProblemMark().getLine() + 1;
    int column = e.getProblemMark().getColumn() + 1;
    String what =
        e instanceof DuplicateKeyException
            ? "a key that is there before"
            : e.getContext() == null ? "a value that is not expected" : e.getContext();
    return "line " + line + ", column " + column + ", " + what;
  }
}
