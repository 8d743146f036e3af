package io.apiserverupdater.updater.kube.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResourceCacheTest {
  private final ResourceCache<String> cache = new ResourceCache<>();

  private static ResourceCache.Versioned<String> object(String name, int version) {
    return new ResourceCache.Versioned<>(name, "" + version, name + "@" + version);
  }

  /** A list that is answered as soon as it is asked for. */
  private void list(int version, List<ResourceCache.Versioned<String>> objects) {
    cache.replace(objects, "" + version, cache.now());
  }

  private List<String> contents() {
    return cache.all().stream().map(ResourceCache.Versioned::object).sorted().toList();
  }

  @Test
  void isKnownFromTheFirstListOn() {
    assertFalse(cache.isKnown());
    cache.put(object("a", 1));
    assertFalse(cache.isKnown(), "one object says nothing of the others");
    list(5, List.of());
    assertTrue(cache.isKnown());
  }

  @Test
  void listReplacesWhatWasThere() {
    list(5, List.of(object("a", 1), object("b", 2)));
    list(8, List.of(object("b", 6), object("c", 7)));
    assertEquals(List.of("b@6", "c@7"), contents());
    assertEquals(Optional.empty(), cache.get("a"));
  }

  @Test
  void objectWrittenWhileTheListWasUnderWayStays() {
    list(5, List.of(object("a", 3)));
    long asked = cache.now();
    cache.put(object("a", 9));
    cache.put(object("b", 10));
    cache.replace(List.of(object("a", 3)), "8", asked);
    assertEquals(List.of("a@9", "b@10"), contents());
  }

  @Test
  void objectWrittenMeanwhileAndGoneByTheListIsGone() {
    long asked = cache.now();
    cache.put(object("a", 9));
    cache.replace(List.of(), "10", asked);
    assertEquals(List.of(), contents());
  }

  @Test
  void objectDeletedWhileTheListWasUnderWayStaysDeleted() {
    list(5, List.of(object("a", 3)));
    long asked = cache.now();
    cache.remove("a", "9");
    cache.replace(List.of(object("a", 3)), "8", asked);
    assertEquals(List.of(), contents());
  }

  @Test
  void objectMadeAnewIsSeenInTheNextList() {
    list(5, List.of(object("a", 3)));
    long asked = cache.now();
    cache.remove("a", "9");
    cache.replace(List.of(object("a", 11)), "12", asked);
    assertEquals(List.of("a@11"), contents());
  }

  @Test
  void listAfterARestoredBackupIsBelievedThoughItsVersionsAreLower() {
    list(500, List.of(object("a", 400), object("b", 401)));
    cache.put(object("a", 510));
    cache.remove("c", "511");
    list(300, List.of(object("a", 250), object("c", 251)));
    assertEquals(List.of("a@250", "c@251"), contents());
    cache.put(object("a", 301));
    assertEquals(List.of("a@301", "c@251"), contents());
  }

  @Test
  void olderEventChangesNothing() {
    cache.put(object("a", 9));
    cache.put(object("a", 8));
    assertEquals(List.of("a@9"), contents());
    cache.remove("a", "8");
    assertEquals(List.of("a@9"), contents());
  }

  @Test
  void olderEventDoesNotBringDeletedObjectBack() {
    cache.put(object("a", 3));
    cache.remove("a", "9");
    cache.put(object("a", 8));
    assertEquals(List.of(), contents());
    cache.put(object("a", 10));
    assertEquals(List.of("a@10"), contents());
  }

  @Test
  void lateEventOfTheDeletedVersionDoesNotBringItBack() {
    // A deletion of ours knows only the version that it has deleted.
    cache.put(object("a", 7));
    cache.remove("a", "7");
    cache.put(object("a", 7));
    assertEquals(List.of(), contents());
  }

  @Test
  void listWithTheDeletedVersionDoesNotBringItBack() {
    cache.put(object("a", 7));
    long asked = cache.now();
    cache.remove("a", "7");
    cache.replace(List.of(object("a", 7)), "8", asked);
    assertEquals(List.of(), contents());
  }

  @Test
  void versionsThatAreNoNumbersAreTakenAsTheyCome() {
    cache.put(new ResourceCache.Versioned<>("a", "x", "first"));
    cache.put(new ResourceCache.Versioned<>("a", "y", "second"));
    assertEquals(List.of("second"), contents());
    cache.remove("a", "z");
    assertEquals(List.of(), contents());
    cache.put(new ResourceCache.Versioned<>("a", "w", "third"));
    assertEquals(List.of("third"), contents());
  }

  @ParameterizedTest
  @CsvSource({
    "10, 9, true",
    "9, 10, false",
    "9, 9, false",
    "x, 1, false",
    "1, x, false",
    "'', '', false"
  })
  void numbersAreComparedAsNumbers(String version, String than, boolean newer) {
    assertEquals(newer, ResourceCache.isNewer(version, than));
  }

  /** The events of a history, told out of order: by a watch, and by the answers to our writes. */
  @Test
  void endsRightWhateverTheOrder() {
    for (int seed = 0; seed < 2000; seed++) {
      Random random = new Random(seed);
      ResourceCache<String> tested = new ResourceCache<>();
      Map<String, ResourceCache.Versioned<String>> truth = new TreeMap<>();
      List<Runnable> news = new ArrayList<>();
      for (int version = 1; version <= 12; version++) {
        String name = List.of("a", "b", "c").get(random.nextInt(3));
        String deletion = Integer.toString(version);
        if (truth.containsKey(name) && random.nextInt(3) == 0) {
          truth.remove(name);
          news.add(() -> tested.remove(name, deletion));
        } else {
          ResourceCache.Versioned<String> object = object(name, version);
          truth.put(name, object);
          news.add(() -> tested.put(object));
        }
      }
      Collections.shuffle(news, random);
      news.forEach(Runnable::run);
      assertEquals(Set.copyOf(truth.values()), Set.copyOf(tested.all()), "seed " + seed);
    }
  }

  @Test
  void tellsWhatIsNews() {
    assertTrue(cache.put(object("a", 7)));
    assertFalse(cache.put(object("a", 7)), "the event of our own write");
    assertFalse(cache.put(object("a", 6)));
    assertTrue(cache.put(object("a", 8)));
    // Versions begin again lower after etcd was restored from a backup.
    assertTrue(cache.put(new ResourceCache.Versioned<>("a", "8", "another one")));
    cache.remove("a", "9");
    assertFalse(cache.put(object("a", 8)), "deleted since");
    assertTrue(cache.put(object("a", 10)));
  }
}
