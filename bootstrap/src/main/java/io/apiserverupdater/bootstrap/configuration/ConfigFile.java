package io.apiserverupdater.bootstrap.configuration;

import io.apiserverupdater.apiserver.flags.CommandLine;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The configuration file: one {@code KEY = value} per line, whose key is the flag's name in capital
 * letters with {@code _} for {@code -}. In this form systemd takes it as an {@code
 * EnvironmentFile=} (systemd.exec(5)): it allows spaces around the {@code =}, quotes around a
 * value, and lines that begin with {@code #} or {@code ;} as comments. The flag's own spelling is
 * accepted as a key too; systemd passes over such lines.
 */
final class ConfigFile {
  private ConfigFile() {}

  /**
   * Reads the settings; what is wrong is added to the errors, and the rest is read all the same.
   *
   * @param name of the file, for messages
   * @param keys that may be set, as flags spell them
   * @return by the flag's name
   */
  static Map<String, Setting> read(
      String name, byte[] content, List<String> keys, List<String> errors) {
    Map<String, Setting> settings = new LinkedHashMap<>();
    int number = 0;
    for (String line : text(name, content, errors).split("\n", -1)) {
      number++;
      String trimmed = line.strip();
      if (!trimmed.isEmpty() && trimmed.charAt(0) != '#' && trimmed.charAt(0) != ';') {
        readLine(name + ":" + number, trimmed, keys, settings, errors);
      }
    }
    return settings;
  }

  private static String text(String name, byte[] content, List<String> errors) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(content))
          .toString();
    } catch (CharacterCodingException e) {
      errors.add(name + " is not a text in UTF-8; save it as UTF-8");
      return "";
    }
  }

  private static void readLine(
      String place,
      String line,
      List<String> keys,
      Map<String, Setting> settings,
      List<String> errors) {
    int equals = line.indexOf('=');
    if (equals < 1) {
      errors.add(place + ": \"" + line + "\" is no setting, expected KEY = value or a # comment");
      return;
    }
    String key = line.substring(0, equals).strip();
    String flag = key.toLowerCase(Locale.ROOT).replace('_', '-');
    String value = line.substring(equals + 1).strip();
    if (!keys.contains(flag)) {
      errors.add(
          place
              + ": unknown key "
              + key
              + CommandLine.suggestion(
                  "", keys.stream().map(ConfigFile::keyOf).toList(), keyOf(key)));
      return;
    }
    if (value.endsWith("\\")) {
      errors.add(place + ": " + key + " ends with a backslash, expected the value on one line");
      return;
    }
    String plain = unquoted(value);
    if (plain.indexOf('"') >= 0 || plain.indexOf('\'') >= 0) {
      errors.add(
          place + ": " + key + " is " + value + ", expected quotes around all of it or none");
      return;
    }
    Setting earlier = settings.get(flag);
    if (earlier != null) {
      errors.add(place + ": " + key + " is set twice, first in " + earlier.origin() + "; keep one");
      return;
    }
    settings.put(flag, new Setting(place + ": " + key, plain));
  }

  private static String keyOf(String flag) {
    return flag.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  private static String unquoted(String value) {
    boolean quoted =
        value.length() >= 2
            && (value.charAt(0) == '"' || value.charAt(0) == '\'')
            && value.charAt(value.length() - 1) == value.charAt(0);
    return quoted ? value.substring(1, value.length() - 1) : value;
  }
}
