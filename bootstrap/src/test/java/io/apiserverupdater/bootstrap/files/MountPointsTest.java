package io.apiserverupdater.bootstrap.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MountPointsTest {
  private static final String TABLE =
      """
      25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw
      99 25 8:1 /var/lib/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw
      100 25 8:1 /etc/resolv.conf /a\\040b rw - ext4 /dev/sda1 rw
      101 25 8:1 /x
      """;

  @ParameterizedTest
  @CsvSource({
    "/etc/hosts, true",
    "/etc/host, false",
    "/etc, false",
    "/var/lib/hosts, false",
    "/etc/resolv.conf, false",
    "/sys, true",
    "/x, false",
    "'/a b', true"
  })
  void knowsWhatIsMountedOn(String path, boolean expected) {
    assertEquals(expected, MountPoints.contains(TABLE, MountPoints.escaped(Path.of(path))));
  }

  @Test
  void readsTheKernelsTable() throws Exception {
    assertTrue(MountPoints.contains(new Disk(), Path.of("/proc")));
    assertFalse(MountPoints.contains(new Disk(), Path.of("/proc/self/mountinfo")));
  }
}
