package io.apiserverupdater.bootstrap.candidates;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.files.Disk;
import io.apiserverupdater.bootstrap.files.FaultyDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CandidateListStoreTest {
  private static final Duration DEADLINE = Duration.ofSeconds(20);
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  private static final List<ApiserverAddress> SEEDS = list("10.0.0.1", "[fd00::1]:7443");
  private static final List<ApiserverAddress> FIRST = list("10.0.0.1", "10.0.0.2");
  private static final List<ApiserverAddress> SECOND = list("10.0.0.2", "10.0.0.3");

  @TempDir Path folder;
  private Path directory;
  private Path file;
  private Path previous;
  private final List<String> warnings = new ArrayList<>();

  private static List<ApiserverAddress> list(String... texts) {
    return Stream.of(texts).map(it -> ApiserverAddress.parse(it, 6443).orElseThrow()).toList();
  }

  @BeforeEach
  void name() {
    directory = folder.resolve("state");
    file = directory.resolve("control-planes");
    previous = directory.resolve("control-planes.previous");
  }

  private CandidateListStore store(Disk disk) {
    return new CandidateListStore(disk, directory, warnings::add);
  }

  private CandidateListStore store() {
    return store(new Disk());
  }

  private CandidateList refresh(List<ApiserverAddress> found) throws IOException {
    return store().refresh(SEEDS, found, NOW, DEADLINE);
  }

  @Test
  void withoutAFileTheSeedsAreTaken() {
    assertEquals(CandidateList.ofSeeds(SEEDS), store().read(SEEDS));
    assertEquals(List.of(), warnings);
    assertFalse(Files.exists(directory));
  }

  @Test
  void readsWhatItHasWritten() throws Exception {
    assertEquals(refresh(FIRST), store().read(SEEDS));
    CandidateList second = refresh(SECOND);
    assertEquals(second, store().read(SEEDS));
    assertEquals(list("10.0.0.1"), second.previous());
    assertEquals(List.of(), warnings);
  }

  // The control planes are given by names, and there is no DNS.
  @Test
  void whatIsKeptDoesWithoutSeeds() throws Exception {
    assertEquals(List.of(), store().read(List.of()).inOrder());
    CandidateList unusedFirst = refresh(FIRST);
    CandidateList unusedSecond = refresh(SECOND);
    CandidateList kept = store().read(List.of());
    assertEquals(List.of(List.of(), SECOND, list("10.0.0.1")), kept.inGroups());
    assertEquals(list("10.0.0.9"), kept.refresh(list("10.0.0.9"), NOW).refreshed());
  }

  @Test
  void isWrittenForPeople() throws Exception {
    refresh(FIRST);
    refresh(SECOND);
    assertEquals(
        List.of(
            "# Control planes that apiserver-bootstrap has seen; it writes this file itself."
                + " Configure",
            "# addresses in /etc/apiserver-bootstrap/bootstrap.conf: they count beside these.",
            "format 1",
            "refreshed 2026-11-21T12:00:00Z",
            "current 10.0.0.2:6443",
            "current 10.0.0.3:6443",
            "previous 10.0.0.1:6443",
            "seed 10.0.0.1:6443",
            "seed [fd00:0:0:0:0:0:0:1]:7443"),
        Files.readAllLines(file).subList(0, 9));
  }

  @Test
  void anEmptyAnswerWritesNothing() throws Exception {
    assertEquals(CandidateList.ofSeeds(SEEDS), refresh(List.of()));
    assertFalse(Files.exists(directory));
  }

  @Test
  void aDamagedListGivesWayToTheOneBeforeAndThatToTheSeeds() throws Exception {
    CandidateList first = refresh(FIRST);
    refresh(SECOND);
    byte[] good = Files.readAllBytes(file);
    for (int i = 0; i < good.length; i++) {
      byte[] damaged = good.clone();
      damaged[i] ^= 1;
      Files.write(file, damaged);
      assertEquals(first, store().read(SEEDS), "byte " + i);
      Files.write(file, Arrays.copyOf(good, i));
      assertEquals(first, store().read(SEEDS), "cut at " + i);
    }
    assertTrue(warnings.get(0).startsWith(file + " is not used: "), warnings.get(0));
    Files.write(previous, new byte[0]);
    assertEquals(CandidateList.ofSeeds(SEEDS), store().read(SEEDS));
  }

  @Test
  void aDamagedListDoesNotPushOutTheOneBefore() throws Exception {
    CandidateList first = refresh(FIRST);
    refresh(SECOND);
    Files.writeString(file, "current 10.6.6.6\n");
    CandidateList third = refresh(list("10.0.0.7"));
    assertEquals(FIRST, third.previous());
    Files.writeString(file, "");
    assertEquals(first, store().read(SEEDS));
  }

  @Test
  void whatAnotherVersionWroteIsNotUsed() throws Exception {
    refresh(FIRST);
    String body = Files.readString(file).replace("format 1", "format 2");
    body = body.substring(0, body.indexOf("checksum"));
    Files.writeString(file, body + "checksum " + CandidateListFormat.checksum(body) + "\n");
    assertEquals(CandidateList.ofSeeds(SEEDS), store().read(SEEDS));
    assertTrue(warnings.get(0).contains("another version"), warnings::toString);
  }

  @Test
  void failureOrDeathAtAnyStepLeavesTheOldOrTheNewList() throws Exception {
    for (boolean dies : new boolean[] {false, true}) {
      refresh(FIRST);
      CandidateList old = refresh(SECOND);
      List<ApiserverAddress> third = list("10.0.0.9");
      CandidateList young = old.refresh(third, NOW);
      boolean more = true;
      int failures = 0;
      for (int step = 1; more; step++) {
        FaultyDisk disk = new FaultyDisk(step, dies, false);
        boolean written = true;
        try {
          store(disk).refresh(SEEDS, third, NOW, DEADLINE);
        } catch (IOException e) {
          written = false;
          failures++;
        }
        more = disk.failed();
        CandidateList found = store().read(SEEDS);
        assertEquals(written ? young : old, found, "step " + step);
        refresh(SECOND);
        refresh(SECOND);
        assertEquals(
            Set.of("control-planes", "control-planes.previous", "lock"), names(), "step " + step);
        old = refresh(SECOND);
        young = old.refresh(third, NOW);
      }
      assertTrue(failures >= 4, "only " + failures + " failures");
    }
  }

  private Set<String> names() throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.list(directory)) {
      files.forEach(path -> names.add(path.getFileName().toString()));
    }
    return names;
  }
}
