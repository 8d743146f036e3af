package io.apiserverupdater.bootstrap.configuration;

import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.flags.Setting;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
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
  private static final List<String> ONLY_FLAGS =
      List.of("config", "if-configured", "retry", "dry-run", "output", "help", "version");

  private final CommandLine line;
  private final List<String> keys = new ArrayList<>();
  private final Map<String, Setting> settings = new LinkedHashMap<>();

  private ConfigFile(CommandLine line) {
    this.line = line;
    for (Flag<?> flag : BootstrapFlags.FLAGS.all()) {
      if (!ONLY_FLAGS.contains(flag.name())) {
        keys.add(keyOf(flag.name()));
      }
    }
  }

  /**
   * Adds the settings of the file that the command line names, or of the usual one if it is there.
   * What is wrong is added to the errors, and the rest is read all the same.
   */
  static void addTo(CommandLine line) {
    Path file = line.given(BootstrapFlags.CONFIG).orElse(BootstrapFlags.CONFIG_FILE);
    ConfigFile read = new ConfigFile(line);
    try {
      int number = 0;
      // Some editors begin a file with a byte order mark.
      for (String one : Files.readString(file).replaceFirst("^\uFEFF", "").split("\n", -1)) {
        read.readLine(file + ":" + ++number, one.strip());
      }
    } catch (NoSuchFileException e) {
      if (line.isGiven(BootstrapFlags.CONFIG)) {
        line.error("--config: no such file: " + file);
      }
    } catch (CharacterCodingException e) {
      line.error(file + " is not UTF-8 text; save it as UTF-8");
    } catch (IOException e) {
      line.error("cannot read the configuration file " + file + ": " + e);
    }
    line.addDefaults(read.settings);
  }

  private void readLine(String place, String text) {
    if (text.isEmpty() || text.charAt(0) == '#' || text.charAt(0) == ';') {
      return;
    }
    int equals = text.indexOf('=');
    if (equals < 1) {
      line.error(
          place + ": \"" + text + "\" is not a setting, expected KEY = value or a # comment");
      return;
    }
    String key = text.substring(0, equals).strip();
    String value = text.substring(equals + 1).strip();
    String flag = key.toLowerCase(Locale.ROOT).replace('_', '-');
    if (!keys.contains(keyOf(flag))) {
      line.error(place + ": unknown key " + key + CommandLine.suggestion("", keys, keyOf(flag)));
      return;
    }
    if (value.endsWith("\\")) {
      line.error(place + ": " + key + " ends with a backslash, expected the value on one line");
      return;
    }
    String plain = unquoted(value);
    if (plain.indexOf('"') >= 0 || plain.indexOf('\'') >= 0) {
      line.error(
          place + ": " + key + " is " + value + ", expected quotes around all of it or none");
      return;
    }
    Setting earlier = settings.putIfAbsent(flag, new Setting(place + ": " + key, plain));
    if (earlier != null) {
      line.error(place + ": " + key + " is set twice, first in " + earlier.origin() + "; keep one");
    }
  }

  /** The key of a flag with this name. */
  static String keyOf(String name) {
    return name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  private static String unquoted(String value) {
    boolean quoted =
        value.length() >= 2
            && (value.charAt(0) == '"' || value.charAt(0) == '\'')
            && value.charAt(value.length() - 1) == value.charAt(0);
    return quoted ? value.substring(1, value.length() - 1) : value;
  }
}
