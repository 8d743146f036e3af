package io.apiserverupdater.bootstrap.candidates;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The control planes that a node may try at boot. The seeds, which a person configured, always
 * belong to them: a list that was cached and went stale must not lock a node out (k3s#11349). So do
 * those seen at the last refresh, and after them those seen earlier: control planes move while a
 * node is down.
 *
 * @param seeds as configured; those given by name are missing while nobody knows their addresses
 * @param refreshed what the cluster said last; empty when it was never asked
 * @param previous what it said before and no longer does, the newest first
 * @param refreshedAt by the node's clock, which may be wrong at boot
 * @param seedsThen the seeds that were configured at that time
 */
public record CandidateList(
    List<ApiserverAddress> seeds,
    List<ApiserverAddress> refreshed,
    List<ApiserverAddress> previous,
    Optional<Instant> refreshedAt,
    List<ApiserverAddress> seedsThen) {
  /** Of each kind; a boot that tries more does not end in time. */
  static final int MAX = 16;

  public CandidateList {
    seeds = List.copyOf(seeds);
    refreshed = List.copyOf(refreshed);
    previous = List.copyOf(previous);
    seedsThen = List.copyOf(seedsThen);
  }

  public static CandidateList ofSeeds(List<ApiserverAddress> seeds) {
    return new CandidateList(seeds, List.of(), List.of(), Optional.empty(), List.of());
  }

  /**
   * All of them, each once, in groups, the likeliest first: what is newer goes before what is
   * older. That is the last refresh, unless the seeds were configured again after it. Groups may be
   * empty.
   */
  public List<List<ApiserverAddress>> inGroups() {
    boolean seedsAreNewer = !sameMembers(seeds, seedsThen);
    List<ApiserverAddress> known = new ArrayList<>();
    return List.of(
        addNew(known, seedsAreNewer ? seeds : refreshed),
        addNew(known, seedsAreNewer ? refreshed : seeds),
        addNew(known, previous));
  }

  /** The groups behind each other. */
  public List<ApiserverAddress> inOrder() {
    return inGroups().stream().flatMap(List::stream).toList();
  }

  /**
   * The list after a refresh. Those that are no longer named are kept as previous ones.
   *
   * @param found what the cluster says; when it is empty, this list stays as it is: a cluster that
   *     answers has at least the apiserver that answers (MicroK8s#4197)
   */
  public CandidateList refresh(List<ApiserverAddress> found, Instant now) {
    if (found.isEmpty()) {
      return this;
    }
    List<ApiserverAddress> known = new ArrayList<>();
    List<ApiserverAddress> current = addNew(known, found);
    List<ApiserverAddress> older = new ArrayList<>(addNew(known, refreshed));
    older.addAll(addNew(known, previous));
    return new CandidateList(seeds, first(current), first(older), Optional.of(now), seeds);
  }

  /** Returns those of the second list that were not in the first, which holds them now. */
  private static List<ApiserverAddress> addNew(
      List<ApiserverAddress> all, List<ApiserverAddress> more) {
    List<ApiserverAddress> added = new ArrayList<>();
    for (ApiserverAddress address : more) {
      if (!all.contains(address)) {
        all.add(address);
        added.add(address);
      }
    }
    return added;
  }

  private static List<ApiserverAddress> first(List<ApiserverAddress> addresses) {
    return addresses.subList(0, Math.min(MAX, addresses.size()));
  }

  private static boolean sameMembers(List<ApiserverAddress> a, List<ApiserverAddress> b) {
    return a.containsAll(b) && b.containsAll(a);
  }
}
