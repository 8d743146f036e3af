package io.apiserverupdater.bootstrap.files;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** What /proc/self/mountinfo says; its format is in proc(5). */
final class MountPoints {
  private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");
  private static final int LIMIT = 16 << 20;

  private MountPoints() {}

  /**
   * Whether something is mounted on this very file, as container engines and systemd's {@code
   * ReadWritePaths=} do it. Such a file cannot be renamed over (EBUSY).
   *
   * @param file absolute, without symbolic links
   */
  static boolean contains(Disk disk, Path file) throws IOException {
    String table = new String(disk.read(MOUNTINFO, LIMIT), StandardCharsets.ISO_8859_1);
    return contains(table, escaped(file));
  }

  static boolean contains(String table, String escapedPath) {
    int start = 0;
    while (start < table.length()) {
      int end = table.indexOf('\n', start);
      end = end < 0 ? table.length() : end;
      int field = start;
      for (int i = 0; i < 4 && field < end; i++) {
        int space = table.indexOf(' ', field);
        field = space < 0 ? end : space + 1;
      }
      if (table.startsWith(escapedPath + " ", field) && field < end) {
        return true;
      }
      start = end + 1;
    }
    return false;
  }

  /** As the kernel writes a path there: octal escapes for blanks and backslashes. */
  static String escaped(Path file) {
    StringBuilder text = new StringBuilder();
    for (byte b : file.toString().getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xFF);
      if (c == ' ' || c == '\t' || c == '\n' || c == '\\') {
        text.append('\\').append((char) ('0' + (c >> 6))).append((char) ('0' + (c >> 3 & 7)));
        text.append((char) ('0' + (c & 7)));
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }
}
