package io.apiserverupdater.bootstrap.boot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.bootstrap.hosts.HostsFile;
import io.apiserverupdater.bootstrap.hosts.HostsFileException;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.state.BootMemory;
import io.apiserverupdater.bootstrap.state.BootPhase;
import io.apiserverupdater.bootstrap.state.BootState;
import io.apiserverupdater.bootstrap.state.BootStateStore;
import io.apiserverupdater.bootstrap.state.Evidence;
import io.apiserverupdater.bootstrap.state.OwnEntry;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
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

  private BootStateStore stateStore() {
    return new BootStateStore(
        folder.resolve("state"),
        new Log(new PrintStream(OutputStream.nullOutputStream(), true, UTF_8), false));
  }

  private void wroteLast(InetAddress address) {
    wroteLast(address, Optional.of(new OwnEntry("new.local", 0)));
  }

  private void wroteLast(InetAddress address, Optional<OwnEntry> own) {
    memory = stateStore();
    memory.keep(new BootState(BootPhase.PINNED, address.getHostAddress(), Evidence.READY, 7, own));
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
    HostsFile restored = entry.restored(store().read(), memory.read());
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

  private static final InetAddress ONE = address(1);
  private static final InetAddress TWO = address(2);

  private static InetAddress address(int last) {
    try {
      return InetAddress.getByAddress(new byte[] {10, 0, 0, (byte) last});
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  private String restored(HostsNameEntry entry) throws IOException {
    return new String(entry.restored(store().read(), memory.read()).bytes(), UTF_8);
  }

  /** With the same address, and without any other text: just what ours would be. */
  @Test
  void lineBesideOurBlockIsSomebodyElses() throws Exception {
    HostsNameEntry entry = new HostsNameEntry(store(), "ours.local", false, memory);
    assertTrue(entry.pointAt(ONE));
    wroteLast(ONE, Optional.of(new OwnEntry("ours.local", 0)));
    String line = "10.0.0.1 ours.local\n";
    Files.writeString(hosts, Files.readString(hosts) + line);
    HostsNameEntry later = new HostsNameEntry(store(), "ours.local", false, memory);
    assertEquals(BEFORE + line, restored(later));
    assertThrows(HostsFileException.class, () -> later.pointAt(TWO));
  }

  @Test
  void whatRestoreBringsBackIsNotTakenByTheNextOne() throws Exception {
    assertTrue(entry("old.local").pointAt(address(5)));
    wroteLast(address(5), Optional.of(new OwnEntry("old.local", 1)));
    HostsNameEntry entry = new HostsNameEntry(store(), "old.local", false, memory);
    assertEquals(BEFORE, restored(entry));
    Files.writeString(hosts, "10.0.0.5 old.local\n");
    memory.keep(BootState.unpinned("10.0.0.5", 8));
    assertEquals("10.0.0.5 old.local\n", restored(entry));
    assertEquals(Optional.empty(), entry.own());
  }

  @Test
  void foreignLineIsNotOursByTheState() throws Exception {
    HostsNameEntry entry = new HostsNameEntry(store(), "new.local", false, memory);
    assertEquals(false, entry.pointAt(address(5)));
    assertEquals(Optional.empty(), entry.own());
    Files.writeString(hosts, "10.0.0.5 new.local\n");
    wroteLast(address(5), Optional.empty());
    HostsNameEntry later = new HostsNameEntry(store(), "new.local", false, memory);
    assertEquals("10.0.0.5 new.local\n", restored(later));
    assertThrows(HostsFileException.class, () -> later.pointAt(TWO));
    // What was ours of another name says nothing of this one.
    wroteLast(address(5), Optional.of(new OwnEntry("old.local", 0)));
    assertEquals("10.0.0.5 new.local\n", restored(later));
  }

  /** The comments are gone, and the only trace of the adopted entry with them. */
  @Test
  void restoreKeepsTheNameWhenWhatWasAdoptedIsGone() throws Exception {
    assertTrue(entry("old.local").pointAt(ONE));
    memory = stateStore();
    HostsNameEntry entry = new HostsNameEntry(store(), "old.local", true, memory);
    wroteLast(ONE, entry.own());
    Files.writeString(hosts, "127.0.0.1 localhost\n10.0.0.1 old.local\n");
    HostsFileException refused =
        assertThrows(HostsFileException.class, () -> restored(entry), memory::toString);
    assertEquals(HostsFileException.Reason.EDITED_ADOPTION, refused.reason());
    // It stays so when the next boot has made a block of it.
    assertTrue(entry.pointAt(TWO));
    wroteLast(TWO, entry.own());
    assertThrows(HostsFileException.class, () -> restored(entry));
    String remedy = "127.0.0.1 localhost\n10.0.0.2 old.local # mine\n";
    Files.writeString(hosts, remedy);
    assertEquals(remedy, restored(entry));
  }

  /** Without it the name would lose an address. */
  @Test
  void restoreRefusesWhenOneOfTwoAdoptedLinesIsGone() throws Exception {
    Files.writeString(hosts, "10.0.0.5 old.local\n10.0.0.6 old.local\n");
    memory = stateStore();
    HostsNameEntry entry = new HostsNameEntry(store(), "old.local", true, memory);
    assertTrue(entry.pointAt(ONE));
    assertEquals(Optional.of(new OwnEntry("old.local", 2)), entry.own());
    wroteLast(ONE, entry.own());
    String whole = Files.readString(hosts);
    Files.writeString(hosts, whole.repeat(2));
    assertEquals(Optional.of(new OwnEntry("old.local", 2)), entry.own());
    Files.writeString(hosts, whole.substring(whole.indexOf('\n') + 1));
    HostsFileException refused =
        assertThrows(HostsFileException.class, () -> restored(entry), memory::toString);
    assertEquals(HostsFileException.Reason.EDITED_ADOPTION, refused.reason());
    assertEquals(Optional.of(new OwnEntry("old.local", 2)), entry.own());
    Files.writeString(hosts, whole);
    assertEquals("10.0.0.5 old.local\n10.0.0.6 old.local\n", restored(entry));
    // The remedy of the message: in place of the block, which the other adopted line survives.
    Files.writeString(
        hosts,
        whole.substring(whole.indexOf('\n') + 1, whole.indexOf("# BEGIN"))
            + "10.0.0.5 old.local # mine\n");
    assertEquals("10.0.0.6 old.local\n10.0.0.5 old.local # mine\n", restored(entry));
  }

  /** Of a person who wrote it beside our block, whose comments then went. */
  @Test
  void ofTwoEqualLinesOneStays() throws Exception {
    Files.writeString(hosts, "10.0.0.1 new.local\n127.0.0.1 localhost\n10.0.0.1\tnew.local\n");
    wroteLast(ONE);
    HostsNameEntry entry = new HostsNameEntry(store(), "new.local", false, memory);
    assertEquals("10.0.0.1 new.local\n127.0.0.1 localhost\n", restored(entry));
  }

  @Test
  void nothingIsWrittenAfterRestore() throws Exception {
    memory = stateStore();
    memory.keep(BootState.unpinned("10.0.0.1", 8));
    assertEquals(false, entry("old.local").pointAt(ONE));
    assertEquals(BEFORE, Files.readString(hosts));
  }

  /** Otherwise a pin after restore would do nothing where no state can be kept. */
  @Test
  void stateThatCannotBeWrittenHoldsForThisProcess() throws Exception {
    Path inTheWay = folder.resolve("state").resolve("state").resolve("in the way");
    Files.createDirectories(inTheWay);
    BootStateStore store = stateStore();
    BootState pinned = new BootState(BootPhase.PINNED, "", Evidence.NONE, 9, Optional.empty());
    store.keep(pinned);
    assertEquals(Optional.of(pinned), store.read());
    assertThrows(IOException.class, () -> store.write(pinned));
    Files.delete(inTheWay);
    Files.delete(inTheWay.getParent());
    BootState later = BootState.unpinned("10.0.0.2", 10);
    stateStore().keep(later);
    assertEquals(Optional.of(later), store.read());
  }

  @Test
  void contentIsOfAFileWithoutOurBlockOrWithHalfOfIt() throws Exception {
    assertEquals(Optional.of(BEFORE), entry("none.local").contentWithout());
    assertEquals(Optional.of(BEFORE), entry("old.local").contentWithout());
    assertTrue(entry("old.local").pointAt(ONE));
    assertEquals(Optional.empty(), entry("old.local").contentWithout());
    String half = BEFORE + "# BEGIN apiserver-bootstrap\n10.0.0.1 none";
    Files.writeString(hosts, half);
    assertEquals(Optional.of(half), entry("none.local").contentWithout());
  }
}
