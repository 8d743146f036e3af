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
    return table
        .lines()
        .map(line -> line.split(" ", 6))
        .anyMatch(fields -> fields.length == 6 && fields[4].equals(escapedPath));
  }

  /** As the kernel writes a path there: octal escapes for blanks and backslashes. */
  static String escaped(Path file) {
    byte[] path = file.toString().getBytes(StandardCharsets.UTF_8);
    return new String(path, StandardCharsets.ISO_8859_1)
        .replace("\\", "\\134")
        .replace(" ", "\\040")
        .replace("\t", "\\011")
        .replace("\n", "\\012");
  }
}
