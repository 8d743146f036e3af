package io.apiserverupdater.updater.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.export.Export.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExportTest {
  private static final String OLD = "10.0.0.10:6443\n";

  @TempDir Path folder;
  private Optional<Export> last = Optional.empty();

  private static List<EndpointSlice> members(String... addresses) {
    return List.of(
        new EndpointSlice(
            "kubernetes",
            "IPv4",
            Map.of(),
            List.of(new Port("https", 6443, Port.TCP)),
            Stream.of(addresses).map(Endpoint::ready).toList(),
            "1"));
  }

  private Path file() {
    return folder.resolve("servers");
  }

  /** As in a process that was started when the one before had ended. */
  private Export export(Format format, String check, String... onChange) throws IOException {
    if (last.isPresent()) {
      last.get().close();
    }
    Export export = atTheSameTime(format, check, onChange);
    last = Optional.of(export);
    return export;
  }

  private Export atTheSameTime(Format format, String check, String... onChange) {
    return new Export(
        new ExportRule(
            "default/kubernetes",
            Optional.empty(),
            Optional.empty(),
            format,
            "apiserver",
            Format.HealthCheck.READYZ),
        file(),
        check.isEmpty() ? Optional.empty() : Optional.of(command(check.split(" ", -1))),
        onChange.length == 0 ? Optional.empty() : Optional.of(command(onChange)));
  }

  private static HostCommand command(String... words) {
    return new HostCommand(List.of(words));
  }

  /** A command that adds a line to a file, so that its runs can be counted. */
  private String[] counted() {
    return new String[] {"sh", "-c", "echo >>" + folder.resolve("told")};
  }

  private int told() throws IOException {
    Path told = folder.resolve("told");
    return Files.exists(told) ? Files.readAllLines(told).size() : 0;
  }

  /** What lies in the folder besides the file, its lock and the count. */
  private List<String> leftovers() throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      files
          .map(it -> it.getFileName().toString())
          .filter(it -> it.startsWith(".") && !it.endsWith(".lock"))
          .forEach(names::add);
    }
    return names;
  }

  @Test
  void writesTellsOnceAndLeavesNothingBehind() throws Exception {
    Export export = export(Format.LIST, "grep -q 10.0.0.11 {}", counted());
    assertInstanceOf(Result.Written.class, export.bringInStep(members("10.0.0.11")));
    assertEquals("10.0.0.11:6443\n", Files.readString(file()));
    assertInstanceOf(Result.Unchanged.class, export.bringInStep(members("10.0.0.11")));
    assertEquals(1, told());
    assertEquals(List.of(), leftovers());
  }

  @Test
  void emptySourceLeavesTheFile() throws Exception {
    Files.writeString(file(), OLD);
    Export export = export(Format.LIST, "", counted());
    assertInstanceOf(Result.Refused.class, export.bringInStep(members()));
    assertEquals(OLD, Files.readString(file()));
    assertEquals(0, told());
  }

  @Test
  void failedCheckLeavesTheFileAndSaysWhatTheBalancerSays() throws Exception {
    Files.writeString(file(), OLD);
    Export export = export(Format.LIST, "ls {} /nonexistent", counted());
    Result.Failed failed =
        assertInstanceOf(Result.Failed.class, export.bringInStep(members("10.0.0.11")));
    assertEquals("check", failed.step());
    assertTrue(failed.reason().contains("ended with exit code 2: "), failed.reason());
    assertTrue(failed.reason().contains("/nonexistent"), failed.reason());
    assertFalse(failed.reason().contains("\n"), failed.reason());
    assertEquals(OLD, Files.readString(file()));
    assertEquals(0, told());
    assertEquals(List.of(), leftovers());
  }

  /** As one whose debug log is on; a reader of all of it would need as much memory. */
  @Test
  void onlyTheEndIsReadOfWhatABalancerSays() throws Exception {
    // A file with a hole: nobody writes 3 GB.
    String said = "/proc/self/fd/1";
    Path check = folder.resolve("check");
    Files.writeString(
        check, "truncate --size 3G " + said + "; echo this is why >>" + said + "; exit 1");
    Result.Failed failed =
        assertInstanceOf(
            Result.Failed.class,
            export(Format.LIST, "sh " + check).bringInStep(members("10.0.0.11")));
    assertTrue(failed.reason().endsWith("this is why"), failed.reason());
  }

  /** HAProxy reads the whole folder, and what one file lacks may be in another one. */
  @Test
  void fileIsCheckedWithTheOthersOfItsFolder() throws Exception {
    for (String name : List.of("b.cfg", "a.cfg", ".a.cfg.new", "readme", "haproxy.cfg.old")) {
      Files.writeString(folder.resolve(name), "");
    }
    Path read = folder.resolve("read");
    Path check = folder.resolve("check");
    Files.writeString(check, "echo \"$@\" >" + read);
    String command = "sh " + check + " -f {} {others}";
    assertInstanceOf(
        Result.Written.class, export(Format.LIST, command).bringInStep(members("10.0.0.11")));
    assertEquals(
        "-f .servers.new -f a.cfg -f b.cfg\n", Files.readString(read).replace(folder + "/", ""));
    // The main configuration is named in the command, and may include nothing of its folder.
    Files.writeString(folder.resolve("haproxy.cfg"), "");
    assertInstanceOf(
        Result.Written.class, export(Format.LIST, command).bringInStep(members("10.0.0.12")));
    assertEquals("-f .servers.new\n", Files.readString(read).replace(folder + "/", ""));
  }

  @Test
  void fragmentIsCheckedWithWhatIncludesIt() throws Exception {
    String included = "include." + folder.resolve(".servers.new");
    Export export = export(Format.NGINX, "grep -q " + included + " {}");
    assertInstanceOf(Result.Written.class, export.bringInStep(members("10.0.0.11")));
  }

  @Test
  void balancerThatCouldNotBeToldIsToldLaterByAnotherProcessToo() throws Exception {
    Export failing = export(Format.LIST, "", "false");
    Result.Failed failed =
        assertInstanceOf(Result.Failed.class, failing.bringInStep(members("10.0.0.11")));
    assertEquals("on-change", failed.step());
    assertEquals("10.0.0.11:6443\n", Files.readString(file()));
    Export next = export(Format.LIST, "", counted());
    assertInstanceOf(Result.Written.class, next.bringInStep(members("10.0.0.11")));
    assertInstanceOf(Result.Unchanged.class, next.bringInStep(members("10.0.0.11")));
    assertEquals(1, told());
    assertEquals(List.of(), leftovers());
  }

  /** The file that is in place is news to the balancer, whatever becomes of the next one. */
  @Test
  void balancerIsToldWhileNothingNewCanBeWritten() throws Exception {
    export(Format.LIST, "", "false").bringInStep(members("10.0.0.11"));
    Export checking = export(Format.LIST, "false", counted());
    Result.Failed failed =
        assertInstanceOf(Result.Failed.class, checking.bringInStep(members("10.0.0.12")));
    assertEquals("check", failed.step());
    assertEquals(1, told());
    export(Format.LIST, "", "false").bringInStep(members("10.0.0.13"));
    assertInstanceOf(
        Result.Refused.class, export(Format.LIST, "", counted()).bringInStep(members()));
    assertEquals(2, told());
    assertEquals(List.of(), leftovers());
  }

  @Test
  void fileInAnotherEncodingIsSomebodyElses() throws Exception {
    Files.write(file(), new byte[] {'#', ' ', (byte) 0xfc, '\n'});
    Result.Refused refused =
        assertInstanceOf(
            Result.Refused.class, export(Format.HAPROXY, "").bringInStep(members("10.0.0.11")));
    assertEquals("ForeignFile", refused.refusals().get(0).reason());
  }

  /** Not everybody who may write into the folder may write everywhere, as root may. */
  @ParameterizedTest
  @ValueSource(strings = {".servers.new", ".servers.check", ".servers.changed", ".servers.lock"})
  void linkBesideTheFileIsNotFollowed(String name) throws Exception {
    Path other = folder.resolve("other");
    Files.writeString(other, "of somebody else");
    Files.createSymbolicLink(folder.resolve(name), other);
    Result unusedResult =
        export(Format.NGINX, "grep -q include {}", counted()).bringInStep(members("10.0.0.11"));
    assertEquals("of somebody else", Files.readString(other));
  }

  /** As {@code --output=/dev/stdout} in front of a pipe: to read it would never end. */
  @Test
  void whatIsNoFileIsNotRead() throws Exception {
    assertEquals(0, new ProcessBuilder("mkfifo", file().toString()).start().waitFor());
    Result.Failed failed =
        assertTimeoutPreemptively(
            Duration.ofSeconds(10),
            () ->
                assertInstanceOf(
                    Result.Failed.class,
                    export(Format.LIST, "").bringInStep(members("10.0.0.11"))));
    assertTrue(failed.reason().contains("expected a regular file"), failed.reason());
  }

  @Test
  void programThatIsNotThereIsTold() throws Exception {
    Export export = export(Format.LIST, "no-such-balancer -c {}");
    Result.Failed failed =
        assertInstanceOf(Result.Failed.class, export.bringInStep(members("10.0.0.11")));
    assertTrue(failed.reason().contains("no-such-balancer"), failed.reason());
    assertFalse(Files.exists(file()));
  }

  @Test
  void folderThatIsNotThereIsTold() throws Exception {
    Files.delete(folder);
    Result.Failed failed =
        assertInstanceOf(
            Result.Failed.class, export(Format.LIST, "").bringInStep(members("10.0.0.11")));
    assertEquals("write", failed.step());
    Files.createDirectory(folder);
  }

  @Test
  void modeIsKeptAndANewFileCanBeReadByAll() throws Exception {
    Export export = export(Format.LIST, "");
    assertInstanceOf(Result.Written.class, export.bringInStep(members("10.0.0.11")));
    assertEquals("rw-r--r--", mode());
    Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-rw----"));
    assertInstanceOf(Result.Written.class, export.bringInStep(members("10.0.0.12")));
    assertEquals("rw-rw----", mode());
  }

  private String mode() throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file()));
  }

  @Test
  void symbolicLinkStaysOne() throws Exception {
    Path real = folder.resolve("real");
    Files.writeString(real, OLD);
    Files.createSymbolicLink(file(), real);
    assertInstanceOf(
        Result.Written.class, export(Format.LIST, "").bringInStep(members("10.0.0.11")));
    assertTrue(Files.isSymbolicLink(file()));
    assertEquals("10.0.0.11:6443\n", Files.readString(real));
  }

  @Test
  void linkThatLeadsToNothingYetStaysOneToo() throws Exception {
    Path real = folder.resolve("real");
    Files.createSymbolicLink(folder.resolve("middle"), Path.of("real"));
    Files.createSymbolicLink(file(), folder.resolve("middle"));
    assertInstanceOf(
        Result.Written.class, export(Format.LIST, "").bringInStep(members("10.0.0.11")));
    assertTrue(Files.isSymbolicLink(file()));
    assertEquals("10.0.0.11:6443\n", Files.readString(real));
  }

  /** A unit whose --output was copied from another one, or a person beside the unit. */
  @Test
  void onlyOneProcessWritesAFile() throws Exception {
    Export first = export(Format.LIST, "");
    assertInstanceOf(Result.Written.class, first.bringInStep(members("10.0.0.11")));
    Export second = atTheSameTime(Format.LIST, "");
    assertInstanceOf(Result.Unchanged.class, second.bringInStep(members("10.0.0.11")));
    Result.Failed failed =
        assertInstanceOf(Result.Failed.class, second.bringInStep(members("10.0.0.12")));
    assertEquals("write", failed.step());
    assertTrue(failed.reason().contains("another process writes this file"), failed.reason());
    assertTrue(failed.reason().contains(".servers.lock"), failed.reason());
    assertEquals("10.0.0.11:6443\n", Files.readString(file()));
    assertInstanceOf(Result.Written.class, first.bringInStep(members("10.0.0.13")));
    first.close();
    assertInstanceOf(Result.Written.class, second.bringInStep(members("10.0.0.12")));
    second.close();
  }

  /** Else a stranger could lock it, and the file would stay as it is. */
  @Test
  void onlyTheOwnerMayOpenTheLock() throws Exception {
    assertInstanceOf(
        Result.Written.class, export(Format.LIST, "").bringInStep(members("10.0.0.11")));
    assertEquals(
        PosixFilePermissions.fromString("rw-------"),
        Files.getPosixFilePermissions(folder.resolve(".servers.lock")));
  }

  /** As after a crash before the rename. */
  @Test
  void leftoverIsReplaced() throws Exception {
    Files.writeString(folder.resolve(".servers.new"), "half");
    assertInstanceOf(
        Result.Written.class, export(Format.LIST, "").bringInStep(members("10.0.0.11")));
    assertEquals("10.0.0.11:6443\n", Files.readString(file()));
    assertEquals(List.of(), leftovers());
  }
}
