package io.apiserverupdater.bootstrap.hosts;

import static io.apiserverupdater.bootstrap.hosts.HostsFileTest.entry;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.apiserverupdater.bootstrap.files.Disk;
import io.apiserverupdater.bootstrap.files.FaultyDisk;
import io.apiserverupdater.bootstrap.files.LockFile;
import io.apiserverupdater.bootstrap.files.LockTimeoutException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostsFileStoreTest {
  private static final Duration DEADLINE = Duration.ofSeconds(20);
  private static final String NAME = "apiserver.cluster.local";
  private static final String BEFORE = "127.0.0.1 localhost\n10.9.9.9 registry.local\n# end";
  private static final HostsEntry ENTRY = entry("10.0.0.11");

  @TempDir Path folder;
  private Path etc;
  private Path hosts;
  private Path state;
  private final List<String> warnings = new ArrayList<>();

  @BeforeEach
  void writeHosts() throws IOException {
    etc = Files.createDirectory(folder.resolve("etc")).toRealPath();
    hosts = etc.resolve("hosts");
    state = folder.resolve("state");
    Files.writeString(hosts, BEFORE);
  }

  private HostsFileStore store() {
    return store(new Disk());
  }

  private HostsFileStore store(Disk disk) {
    return new HostsFileStore(disk, hosts, state, warnings::add);
  }

  private boolean point(HostsFileStore store) throws Exception {
    return store.change(file -> file.point(ENTRY), DEADLINE).differs();
  }

  private static void assertFails(String words, Executable executable) {
    String message = String.valueOf(assertThrows(IOException.class, executable).getMessage());
    assertTrue(message.contains(words), message);
  }

  private static String pointed(String content) throws HostsFileException {
    return text(HostsFile.parse(content.getBytes(UTF_8)).point(ENTRY));
  }

  private static String text(HostsFile file) {
    return new String(file.bytes(), UTF_8);
  }

  @Test
  void pointsAndRestores() throws Exception {
    assertTrue(point(store()));
    assertEquals(pointed(BEFORE), Files.readString(hosts));
    assertEquals(ENTRY, store().read().entry().orElseThrow());
    assertTrue(store().change(HostsFile::restore, DEADLINE).differs());
    assertEquals(BEFORE, Files.readString(hosts));
    assertEquals(Set.of("hosts"), DiskScenarios.names(etc));
    assertEquals(List.of(), warnings);
  }

  @Test
  void writesNothingWhenNothingDiffers() throws Exception {
    Files.writeString(hosts, pointed(BEFORE));
    Object inode = Files.readAttributes(hosts, "unix:ino,ctime,lastModifiedTime");
    assertFalse(point(store()));
    assertEquals(inode, Files.readAttributes(hosts, "unix:ino,ctime,lastModifiedTime"));
    assertFalse(Files.exists(state));
  }

  @Test
  void dryRunWritesNothing() throws Exception {
    HostsFileStore.Change change = store().dryRun(file -> file.point(ENTRY));
    assertTrue(change.differs());
    assertEquals(pointed(BEFORE), text(change.after()));
    assertEquals(BEFORE, Files.readString(hosts));
    assertFalse(Files.exists(state));
  }

  @Test
  void keepsModeOwnerAndExtendedAttributes() throws Exception {
    Files.setPosixFilePermissions(hosts, PosixFilePermissions.fromString("rw-rw-r--"));
    boolean root = (int) Files.getAttribute(folder, "unix:uid") == 0;
    if (root) {
      Files.setAttribute(hosts, "unix:uid", 1234);
      Files.setAttribute(hosts, "unix:gid", 4321);
    }
    UserDefinedFileAttributeView view =
        Files.getFileAttributeView(hosts, UserDefinedFileAttributeView.class);
    boolean attributes = true;
    try {
      view.write("note", UTF_8.encode("ours"));
    } catch (IOException e) {
      attributes = false;
    }
    point(store());
    assertEquals("rw-rw-r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(hosts)));
    if (root) {
      assertEquals(1234, Files.getAttribute(hosts, "unix:uid"));
      assertEquals(4321, Files.getAttribute(hosts, "unix:gid"));
    }
    assertEquals(
        attributes ? List.of("note") : List.of(),
        Files.getFileAttributeView(hosts, UserDefinedFileAttributeView.class).list());
  }

  @Test
  void followsSymbolicLinks() throws Exception {
    Path real = Files.createDirectories(folder.resolve("real")).resolve("the-hosts");
    Files.move(hosts, real);
    Files.createSymbolicLink(etc.resolve("between"), Path.of("../real/the-hosts"));
    Files.createSymbolicLink(hosts, Path.of("between"));
    point(store());
    assertTrue(Files.isSymbolicLink(hosts));
    assertEquals(pointed(BEFORE), Files.readString(real));
    assertEquals(Set.of("the-hosts"), DiskScenarios.names(folder.resolve("real")));
  }

  @Test
  void makesOneWithLocalhostWhereThereIsNone() throws Exception {
    Files.delete(hosts);
    assertEquals(Optional.empty(), store().read().entry());
    assertFalse(Files.exists(hosts));
    point(store());
    String content = Files.readString(hosts);
    assertTrue(
        content.startsWith("127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n"),
        content);
    assertTrue(content.contains(NAME), content);
    assertEquals("rw-r--r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(hosts)));
    assertTrue(warnings.toString().contains(hosts + " was missing"), warnings::toString);
  }

  @Test
  void saysWhatIsMissing() throws Exception {
    Files.delete(hosts);
    Files.createSymbolicLink(hosts, Path.of("nowhere"));
    assertFails("symbolic link to a file", () -> store().read());
    Files.delete(hosts);
    Files.createDirectory(hosts);
    assertFails("not a regular file", () -> store().read());
    assertFalse(Files.exists(state));
  }

  @Test
  void refusesWhatIsNoHostsFileBySize() throws Exception {
    byte[] content = new byte[HostsFileStore.MAX_BYTES + 1];
    Files.write(hosts, content);
    assertFails("expected at most 4194304", () -> store().read());
    Files.write(hosts, Arrays.copyOf(content, HostsFileStore.MAX_BYTES));
    point(store());
  }

  @Test
  void namesTheFileWhenItRefuses() throws Exception {
    Files.writeString(hosts, "10.0.0.9 " + NAME + "\n");
    HostsFileException refusal = assertThrows(HostsFileException.class, () -> point(store()));
    assertEquals(
        hosts
            + ": line 1 already has an entry for apiserver.cluster.local: \"10.0.0.9"
            + " apiserver.cluster.local\". Remove the name there, or use --adopt, which comments"
            + " it out; \"restore\" brings it back.",
        refusal.getMessage());
    assertEquals("10.0.0.9 " + NAME + "\n", Files.readString(hosts));
  }

  @Test
  void clearsAwayWhatACrashLeft() throws Exception {
    Files.writeString(etc.resolve(".hosts.apiserver-bootstrap-1f"), "half");
    Files.writeString(etc.resolve(".hosts.swp"), "an editor's");
    point(store());
    assertEquals(Set.of(".hosts.swp", "hosts"), DiskScenarios.names(etc));
  }

  @Test
  void waitsForAnotherWriterAndGivesUpInTime() throws Exception {
    Files.createDirectories(state);
    LockFile held = LockFile.acquire(state.resolve("lock"), DEADLINE);
    FutureTask<HostsFileStore.Change> waiting =
        new FutureTask<>(() -> store().change(f -> f.point(ENTRY), Duration.ofMillis(50)));
    Thread second = new Thread(waiting, "second-writer");
    second.start();
    ExecutionException failure = assertThrows(ExecutionException.class, waiting::get);
    assertTrue(failure.getCause() instanceof LockTimeoutException, failure.toString());
    assertEquals(BEFORE, Files.readString(hosts));
    held.close();
    second.join();
  }

  @Test
  void beginsAnewWhenSomebodyElseWritesMeanwhile() throws Exception {
    String theirs = "127.0.0.1 localhost\n10.5.5.5 new.local\n";
    List<Integer> copies = new ArrayList<>();
    Disk disk =
        new Disk() {
          @Override
          public void copy(Path from, Path to) throws IOException {
            super.copy(from, to);
            copies.add(1);
            if (copies.size() == 1) {
              Files.writeString(hosts, theirs);
            }
          }
        };
    point(store(disk));
    assertEquals(pointed(theirs), Files.readString(hosts));
    assertEquals(2, copies.size());
    assertEquals(Set.of("hosts"), DiskScenarios.names(etc));
  }

  @Test
  void givesUpOnAFileThatNeverStandsStill() throws Exception {
    Disk disk =
        new Disk() {
          @Override
          public void copy(Path from, Path to) throws IOException {
            super.copy(from, to);
            Files.writeString(hosts, Files.readString(hosts) + "#");
          }
        };
    assertFails("another program keeps writing it", () -> point(store(disk)));
    assertEquals(BEFORE + "#####", Files.readString(hosts));
  }

  @Test
  void saysThatAPowerLossMayUndoWhatCouldNotBeSynced() throws Exception {
    Disk disk =
        new Disk() {
          @Override
          public void syncDirectory(Path directory) throws IOException {
            throw new IOException("Input/output error");
          }
        };
    point(store(disk));
    assertEquals(pointed(BEFORE), Files.readString(hosts));
    assertTrue(warnings.get(0).contains("cannot be synced"), warnings::toString);
  }

  @Test
  void locksBesideTheFileWhenItHasNoStateDirectory() throws Exception {
    Files.writeString(state, "a file in the way");
    point(store());
    assertEquals(pointed(BEFORE), Files.readString(hosts));
    assertEquals(Set.of("hosts", ".hosts.apiserver-bootstrap.lock"), DiskScenarios.names(etc));
    assertTrue(warnings.get(0).startsWith("cannot lock in " + state), warnings::toString);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void failureAtAnyStepLeavesTheOldContent(boolean mountPoint) throws Exception {
    boolean more = true;
    int failures = 0;
    for (int step = 1; more; step++) {
      Files.writeString(hosts, BEFORE);
      FaultyDisk disk = new FaultyDisk(step, false, mountPoint);
      boolean changed = true;
      try {
        point(store(disk));
      } catch (IOException e) {
        changed = false;
        failures++;
        assertTrue(
            String.valueOf(e.getMessage()).contains("Its content is unchanged"), e::toString);
      }
      assertEquals(changed ? pointed(BEFORE) : BEFORE, Files.readString(hosts), "step " + step);
      more = disk.failed();
      // What could not even be deleted, the next one deletes.
      store(new FaultyDisk(0, false, mountPoint))
          .change(f -> f.point(entry("10.0.0.99")), DEADLINE);
      assertEquals(Set.of("hosts"), DiskScenarios.names(etc), "step " + step);
      assertEquals(Set.of("lock"), DiskScenarios.names(state), "step " + step);
    }
    assertTrue(failures >= (mountPoint ? 5 : 3), "only " + failures + " failures");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void deathAtAnyStepLeavesTheOldOrTheNewContent(boolean mountPoint) throws Exception {
    boolean more = true;
    boolean old = false;
    boolean young = false;
    boolean torn = false;
    for (int step = 1; more; step++) {
      Files.writeString(hosts, BEFORE);
      FaultyDisk disk = new FaultyDisk(step, true, mountPoint);
      try {
        point(store(disk));
      } catch (IOException e) {
        assertTrue(disk.failed(), String.valueOf(e.getMessage()));
      }
      more = disk.failed();
      String found = Files.readString(hosts);
      boolean whole = found.equals(BEFORE) || found.equals(pointed(BEFORE));
      assertTrue(whole || mountPoint, "step " + step + ": " + found);
      old |= found.equals(BEFORE);
      young |= found.equals(pointed(BEFORE));
      torn |= !whole;

      // The next start sees none of it.
      warnings.clear();
      Set<String> seen = new TreeSet<>();
      store(new FaultyDisk(0, false, mountPoint))
          .change(
              file -> {
                seen.add(text(file));
                return file.point(ENTRY);
              },
              DEADLINE);
      assertEquals(Set.of(whole ? found : BEFORE), seen, "step " + step);
      assertEquals(pointed(BEFORE), Files.readString(hosts), "step " + step);
      assertEquals(!whole, warnings.toString().contains("half written"), warnings::toString);
    }
    assertTrue(old && young, "old " + old + ", new " + young);
    assertEquals(mountPoint, torn);
  }

  @Test
  void writesInPlaceOnlyWhereARenameCannotWork() throws Exception {
    Object inode = Files.getAttribute(hosts, "unix:ino");
    point(store(new FaultyDisk(0, false, true)));
    assertEquals(inode, Files.getAttribute(hosts, "unix:ino"));
    assertEquals(pointed(BEFORE), Files.readString(hosts));
    store(new FaultyDisk(0, false, true)).change(HostsFile::restore, DEADLINE);
    assertEquals(BEFORE, Files.readString(hosts));
    assertEquals(Set.of("hosts"), DiskScenarios.names(etc));
    assertEquals(Set.of("lock"), DiskScenarios.names(state));
  }

  /** Torn so that nobody can read it: whoever looks first must not be told to edit it by hand. */
  @Test
  void mendsACutWriteBeforeAnybodyReadsIt() throws Exception {
    String whole = pointed("127.0.0.1 localhost\n") + "10.0.0.9 behind\n";
    String wanted = "127.0.0.1 localhost\n10.0.0.9 behind\n";
    String torn = wanted + whole.substring(wanted.length());
    Files.writeString(hosts, torn);
    String prefix = hosts.toString().substring(1).replace('/', '-');
    Files.createDirectories(state);
    Files.writeString(state.resolve(prefix + ".before"), whole);
    Files.writeString(state.resolve(prefix + ".after"), wanted);
    assertThrows(HostsFileException.class, () -> store().read());
    store().mend(DEADLINE);
    assertEquals(whole, Files.readString(hosts));
    assertTrue(warnings.toString().contains("half written"), warnings::toString);
    store().mend(DEADLINE);
    assertEquals(1, warnings.size(), warnings::toString);
  }

  @Test
  void leavesAFileAloneThatWasEditedAfterACutWrite() throws Exception {
    Files.writeString(hosts, BEFORE);
    String prefix = hosts.toString().substring(1).replace('/', '-');
    Files.createDirectories(state);
    Files.writeString(state.resolve(prefix + ".before"), "127.0.0.1 localhost\n");
    Files.writeString(state.resolve(prefix + ".after"), pointed("127.0.0.1 localhost\n"));
    point(store());
    assertEquals(pointed(BEFORE), Files.readString(hosts));
    assertEquals(Set.of("lock", prefix + ".before.unused"), DiskScenarios.names(state));
    assertTrue(warnings.get(0).contains("it is unchanged"), warnings::toString);
  }

  @Test
  void readOnlyFolderIsSaidAndChangesNothing() throws Exception {
    assumeTrue((int) Files.getAttribute(folder, "unix:uid") != 0, "root may write everywhere");
    Files.setPosixFilePermissions(etc, PosixFilePermissions.fromString("r-xr-xr-x"));
    assertFails("run this as root", () -> point(store()));
    assertEquals(BEFORE, Files.readString(hosts));
  }
}
