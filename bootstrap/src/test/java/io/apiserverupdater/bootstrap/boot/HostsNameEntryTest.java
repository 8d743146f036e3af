package io.apiserverupdater.bootstrap.boot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.bootstrap.hosts.HostsFile;
import io.apiserverupdater.bootstrap.hosts.HostsFileException;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.log.Log;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostsNameEntryTest {
  private static final String BEFORE = "127.0.0.1 localhost\n10.0.0.5 old.local new.local\n";

  @TempDir Path folder;
  private Path hosts;
  private final List<String> warnings = new ArrayList<>();
  private BootMemory memory = BootMemory.NONE;

  @BeforeEach
  void write() throws Exception {
    hosts = folder.resolve("hosts");
    Files.writeString(hosts, BEFORE);
  }

  private HostsFileStore store() {
    return new HostsFileStore(hosts, folder.resolve("state"), warnings::add);
  }

  private HostsNameEntry entry(String name) {
    return new HostsNameEntry(store(), name, true, memory);
  }

  /**
   * The block of the old name goes, and with it what was adopted for it; then the new one comes.
   */
  @Test
  void anotherNameIsAdoptedInPlaceOfTheOldOne() throws Exception {
    InetAddress address = InetAddress.getByAddress(new byte[] {10, 0, 0, 1});
    assertEquals(true, entry("old.local").pointAt(address));
    assertEquals(Optional.empty(), entry("new.local").check(address));
    assertEquals(true, entry("new.local").pointAt(address));
    assertEquals(List.of(), store().read().linesNaming("new.local"));
    assertEquals(List.of(2), store().read().linesNaming("old.local"));
    assertEquals(false, entry("new.local").pointAt(address));
    Files.write(hosts, store().read().restore().bytes());
    assertEquals(BEFORE, Files.readString(hosts));
  }

  private void wroteLast(InetAddress address) {
    BootStateStore store =
        new BootStateStore(
            folder.resolve("state"),
            new Log(new PrintStream(OutputStream.nullOutputStream(), true, UTF_8), false));
    store.keep(new BootState(BootPhase.PINNED, address.getHostAddress(), Evidence.READY, 7));
    memory = store;
  }

  /** As sed, puppet and vagrant do it; adopted, our own stale line would come back by restore. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void entryWithoutItsMarkersIsStillOurs(boolean adopt) throws Exception {
    InetAddress one = InetAddress.getByAddress(new byte[] {10, 0, 0, 1});
    InetAddress two = InetAddress.getByAddress(new byte[] {10, 0, 0, 2});
    Files.writeString(hosts, "127.0.0.1 localhost\n10.0.0.1\tnew.local\n");
    wroteLast(one);
    HostsNameEntry entry = new HostsNameEntry(store(), "new.local", adopt, memory);
    assertEquals(Optional.of(one), entry.address());
    assertEquals(Optional.empty(), entry.check(two));
    assertEquals(true, entry.pointAt(two));
    assertEquals(Optional.of(two), entry.address());
    assertEquals(List.of(), store().read().linesNaming("new.local"));
    HostsFile restored = entry.restored(store().read());
    assertEquals("127.0.0.1 localhost\n", new String(restored.bytes(), UTF_8));
  }

  @Test
  void entryThatSaysAnotherThingThanTheStateIsNotOurs() throws Exception {
    InetAddress one = InetAddress.getByAddress(new byte[] {10, 0, 0, 1});
    wroteLast(one);
    for (String line :
        List.of("10.0.0.9 new.local", "10.0.0.1 new.local cp1", "10.0.0.1 new.local # me")) {
      Files.writeString(hosts, "127.0.0.1 localhost\n" + line + "\n");
      HostsNameEntry entry = new HostsNameEntry(store(), "new.local", false, memory);
      assertThrows(
          HostsFileException.class, () -> entry.pointAt(InetAddress.getLoopbackAddress()), line);
    }
  }

  /**
   * Strategy nft never wants another address: with a foreign line of it, nothing need be written.
   */
  @Test
  void foreignEntryWithJustTheAddressIsLeftAndTold() throws Exception {
    InetAddress wanted = InetAddress.getByAddress(new byte[] {10, 0, 0, 5});
    HostsNameEntry entry = new HostsNameEntry(store(), "new.local", false, memory);
    assertTrue(entry.check(wanted).orElseThrow().contains("line 2"), entry::toString);
    assertEquals(false, entry.pointAt(wanted));
    assertEquals(BEFORE, Files.readString(hosts));
    assertEquals(Optional.of(wanted), entry.address());
    assertThrows(HostsFileException.class, () -> entry.pointAt(InetAddress.getLoopbackAddress()));
    Files.writeString(hosts, BEFORE + "10.0.0.6 new.local\n");
    assertThrows(HostsFileException.class, () -> entry.pointAt(wanted));
  }

  /** A dry run judges the file as it would be mended, and writes nothing, here or beside it. */
  @Test
  void dryCheckOfAHalfWrittenFileMendsNothing() throws Exception {
    InetAddress address = InetAddress.getByAddress(new byte[] {10, 0, 0, 1});
    String whole =
        "# BEGIN apiserver-bootstrap\n10.0.0.9 new.local\n# END apiserver-bootstrap\n1.1.1.1 a\n";
    String wanted = "1.1.1.1 a\n";
    String torn = wanted + whole.substring(wanted.length());
    Files.writeString(hosts, torn);
    String prefix = hosts.toRealPath().toString().substring(1).replace('/', '-');
    Path saved = Files.createDirectories(folder.resolve("state")).resolve(prefix + ".before");
    Files.writeString(saved, whole);
    Files.writeString(folder.resolve("state").resolve(prefix + ".after"), wanted);
    assertEquals(Optional.empty(), entry("new.local").checkDry(address));
    assertEquals(torn, Files.readString(hosts));
    assertTrue(Files.exists(saved), warnings::toString);
    assertEquals(Optional.empty(), entry("new.local").check(address));
    assertEquals(whole, Files.readString(hosts));
  }
}
