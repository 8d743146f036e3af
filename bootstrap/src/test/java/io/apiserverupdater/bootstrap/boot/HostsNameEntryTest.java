package io.apiserverupdater.bootstrap.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostsNameEntryTest {
  private static final String BEFORE = "127.0.0.1 localhost\n10.0.0.5 old.local new.local\n";

  @TempDir Path folder;
  private Path hosts;
  private final List<String> warnings = new ArrayList<>();

  @BeforeEach
  void write() throws Exception {
    hosts = folder.resolve("hosts");
    Files.writeString(hosts, BEFORE);
  }

  private HostsFileStore store() {
    return new HostsFileStore(hosts, folder.resolve("state"), warnings::add);
  }

  private HostsNameEntry entry(String name) {
    return new HostsNameEntry(store(), name, true);
  }

  /**
   * The block of the old name goes, and with it what was adopted for it; then the new one comes.
   */
  @Test
  void anotherNameIsAdoptedInPlaceOfTheOldOne() throws Exception {
    InetAddress address = InetAddress.getByAddress(new byte[] {10, 0, 0, 1});
    assertEquals(true, entry("old.local").pointAt(address));
    entry("new.local").check();
    assertEquals(true, entry("new.local").pointAt(address));
    assertEquals(List.of(), store().read().linesNaming("new.local"));
    assertEquals(List.of(2), store().read().linesNaming("old.local"));
    assertEquals(false, entry("new.local").pointAt(address));
    Files.write(hosts, store().read().restore().bytes());
    assertEquals(BEFORE, Files.readString(hosts));
  }
}
