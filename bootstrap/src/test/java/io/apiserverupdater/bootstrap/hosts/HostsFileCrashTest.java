package io.apiserverupdater.bootstrap.hosts;

import static io.apiserverupdater.bootstrap.hosts.DiskScenarios.pointed;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.candidates.CandidateListStore;
import io.apiserverupdater.bootstrap.files.FaultyDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real processes that write at the same time, killed at random moments. */
class HostsFileCrashTest {
  private static final Duration DEADLINE = Duration.ofSeconds(30);
  private static final String BEFORE = "127.0.0.1 localhost\n" + "# filler\n".repeat(500) + "# end";

  /** In all, for each kind of write; {@code ./bench fuzz} asks for more. */
  private static final int KILLS = Integer.getInteger("kills", 20);

  private static final int AT_ONCE = 4;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void killedWritersLeaveTheOldOrTheNewContent(boolean inPlace) throws Exception {
    Path etc = Files.createDirectory(folder.resolve("etc"));
    Path hosts = Files.writeString(etc.resolve("hosts"), BEFORE);
    Path state = folder.resolve("state");
    List<String> warnings = new ArrayList<>();
    HostsFileStore store =
        new HostsFileStore(new FaultyDisk(0, false, inPlace), hosts, state, warnings::add);
    CandidateListStore candidates = new CandidateListStore(state, warnings::add);
    List<ApiserverAddress> seeds = List.of(ApiserverAddress.parse("10.0.0.9", 6443).orElseThrow());
    Set<String> whole = Set.of(BEFORE, pointed(BEFORE, 11), pointed(BEFORE, 12));
    Random random = new Random(42);
    int refreshed = 0;
    for (int killed = 0; killed < KILLS; killed += AT_ONCE) {
      List<Process> writers = new ArrayList<>();
      try {
        for (int i = 0; i < AT_ONCE; i++) {
          writers.add(CrashWriter.start(hosts, state, inPlace));
        }
        for (Process writer : writers) {
          assertEquals("ready", writer.inputReader().readLine());
        }
        for (Process writer : writers) {
          // Until the moment comes, the writer must not have ended by itself.
          assertFalse(writer.waitFor(random.nextInt(8_000), TimeUnit.MICROSECONDS));
          writer.destroyForcibly();
        }
      } finally {
        for (Process writer : writers) {
          writer.destroyForcibly().waitFor();
        }
      }
      String found = Files.readString(hosts);
      assertTrue(inPlace || whole.contains(found), found);
      warnings.clear();
      Set<String> seen = new TreeSet<>();
      store.change(
          file -> {
            seen.add(new String(file.bytes(), ISO_8859_1));
            return file;
          },
          DEADLINE);
      assertTrue(whole.containsAll(seen), seen::toString);
      refreshed += candidates.read(seeds).refreshed().isEmpty() ? 0 : 1;
      assertTrue(
          warnings.stream().allMatch(warning -> warning.contains("half written")),
          warnings::toString);
    }
    assertTrue(refreshed > 0, "no list was ever written");
    HostsEntry last = HostsFileTest.entry("10.0.0.99");
    store.change(file -> file.point(last), DEADLINE);
    store.change(HostsFile::restore, DEADLINE);
    assertEquals(BEFORE, Files.readString(hosts));
    assertEquals(Set.of("hosts"), DiskScenarios.names(etc));
    candidates.refresh(seeds, seeds, Instant.EPOCH, DEADLINE);
    assertEquals(
        Set.of("control-planes", "control-planes.previous", "lock"), DiskScenarios.names(state));
  }
}
