package io.apiserverupdater.bootstrap.candidates;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CandidateListTest {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");

  private static List<ApiserverAddress> list(int... lastOctets) {
    return IntStream.of(lastOctets)
        .mapToObj(octet -> ApiserverAddress.parse("10.0.0." + octet, 6443).orElseThrow())
        .toList();
  }

  @Test
  void beforeTheFirstRefreshTheSeedsAreAll() {
    assertEquals(list(1, 2), CandidateList.ofSeeds(list(1, 2, 1)).inOrder());
  }

  @Test
  void whatTheClusterSaidLastGoesBeforeTheSeeds() {
    CandidateList refreshed = CandidateList.ofSeeds(list(1, 2, 3)).refresh(list(4, 3), NOW);
    assertEquals(List.of(list(4, 3), list(1, 2), list()), refreshed.inGroups());
    assertEquals(Optional.of(NOW), refreshed.refreshedAt());
  }

  @Test
  void seedsThatWereConfiguredAfterTheRefreshGoFirst() {
    CandidateList stale = CandidateList.ofSeeds(list(1)).refresh(list(1, 2), NOW);
    CandidateList configured =
        new CandidateList(
            list(9), stale.refreshed(), stale.previous(), stale.refreshedAt(), stale.seedsThen());
    assertEquals(List.of(list(9), list(1, 2), list()), configured.inGroups());
    assertEquals(List.of(list(2), list(9), list(1)), configured.refresh(list(2), NOW).inGroups());
  }

  @Test
  void theOrderOfTheSeedsIsNoNewConfiguration() {
    CandidateList cached = CandidateList.ofSeeds(list(1, 2)).refresh(list(5), NOW);
    CandidateList turned =
        new CandidateList(
            list(2, 1), cached.refreshed(), List.of(), cached.refreshedAt(), cached.seedsThen());
    assertEquals(list(5, 2, 1), turned.inOrder());
  }

  @Test
  void anEmptyAnswerChangesNothing() {
    CandidateList cached = CandidateList.ofSeeds(list(1)).refresh(list(2, 3), NOW);
    assertEquals(cached, cached.refresh(List.of(), NOW.plusSeconds(5)));
  }

  @Test
  void whatIsNoLongerNamedIsKeptAsPreviousTheNewestFirst() {
    CandidateList list =
        CandidateList.ofSeeds(list(1))
            .refresh(list(2, 3), NOW)
            .refresh(list(3), NOW)
            .refresh(list(4), NOW);
    assertEquals(list(4), list.refreshed());
    assertEquals(list(3, 2), list.previous());
    assertEquals(list(3), list.refresh(list(2, 4), NOW).previous());
  }

  @Test
  void neverGrowsBeyondItsBounds() {
    CandidateList list = CandidateList.ofSeeds(list(1));
    for (int i = 0; i < 100; i++) {
      list = list.refresh(list(i, i + 1, i + 2), NOW);
    }
    assertEquals(3, list.refreshed().size());
    assertEquals(CandidateList.MAX, list.previous().size());
    assertEquals(list(98), list.previous().subList(0, 1));
  }
}
