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
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResourceCacheTest {
  private final ResourceCache<String, String> cache = new ResourceCache<>(text -> text);

  private static ResourceCache.Versioned<String> object(String name, int version) {
    return new ResourceCache.Versioned<>(name, "" + version, name + "@" + version);
  }

  private List<String> contents() {
    return cache.values().stream().sorted().toList();
  }

  @Test
  void isKnownFromTheFirstListOn() {
    assertFalse(cache.isKnown());
    cache.put(object("a", 1));
    assertFalse(cache.isKnown(), "one object says nothing of the others");
    cache.replace(List.of(), "5", cache.now());
    assertTrue(cache.isKnown());
  }

  private static List<ResourceCache.Versioned<String>> objects(String texts) {
    return Stream.of(texts.split(",", -1))
        .filter(text -> !text.isEmpty())
        .map(text -> text.split("@", -1))
        .map(parts -> object(parts[0], Integer.parseInt(parts[1])))
        .toList();
  }

  /**
   * A {@code list:5:a@1} is answered as soon as it is asked for, an {@code answer} is the one to
   * the list that was {@code asked} for before; {@code holds} and {@code lacks} are what is
   * checked.
   */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a list replaces what was there |\
            list:5:a@1,b@2 list:8:b@6,c@7 holds:b@6,c@7 lacks:a
          an object written while the list was under way stays |\
            list:5:a@3 asked: put:a@9 put:b@10 answer:8:a@3 holds:a@9,b@10
          an object written meanwhile and gone by the list is gone |\
            asked: put:a@9 answer:10: holds:
          an object deleted while the list was under way stays deleted |\
            list:5:a@3 asked: remove:a@9 answer:8:a@3 holds:
          a recreated object is seen in the next list |\
            list:5:a@3 asked: remove:a@9 answer:12:a@11 holds:a@11
          a list after a restored backup is believed though its versions are lower |\
            list:500:a@400,b@401 put:a@510 remove:c@511 \
            list:300:a@250,c@251 holds:a@250,c@251 put:a@301 holds:a@301,c@251
          an older event changes nothing |\
            put:a@9 put:a@8 holds:a@9 remove:a@8 holds:a@9
          an older event does not bring a deleted object back |\
            put:a@3 remove:a@9 put:a@8 holds: put:a@10 holds:a@10
          # A deletion of ours knows only the version that it has deleted.
          a late event of the deleted version does not bring it back |\
            put:a@7 remove:a@7 put:a@7 holds:
          a list with the deleted version does not bring it back |\
            put:a@7 asked: remove:a@7 answer:8:a@7 holds:
          """)
  void endsAsItShould(String situation, String steps) {
    long asked = cache.now();
    for (String step : steps.strip().split("\\s+", -1)) {
      String[] parts = step.split(":", -1);
      List<ResourceCache.Versioned<String>> objects =
          parts[0].equals("lacks") ? List.of() : objects(parts[parts.length - 1]);
      switch (parts[0]) {
        case "list" -> cache.replace(objects, parts[1], cache.now());
        case "asked" -> asked = cache.now();
        case "answer" -> cache.replace(objects, parts[1], asked);
        case "put" -> cache.put(objects.get(0));
        case "remove" -> cache.remove(objects.get(0).name(), objects.get(0).version());
        case "lacks" -> assertEquals(Optional.empty(), cache.get(parts[1]), situation);
        case "holds" ->
            assertEquals(
                objects.stream().map(ResourceCache.Versioned::object).toList(),
                contents(),
                situation + ", at " + step);
        default -> throw new IllegalArgumentException(step);
      }
    }
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

  @Test
  void convertsEachObjectOnceAndLateOnesNever() {
    List<String> converted = new ArrayList<>();
    ResourceCache<String, Integer> tested =
        new ResourceCache<>(
            text -> {
              converted.add(text);
              return text.length();
            });
    tested.put(object("a", 2));
    tested.put(object("a", 1));
    assertEquals(List.of(3), tested.values());
    assertEquals(Optional.of(3), tested.value("a"));
    assertEquals(List.of("a@2"), converted);
  }

  /** The events of a history, told out of order: by a watch, and by the answers to our writes. */
  @Test
  void endsRightWhateverTheOrder() {
    for (int seed = 0; seed < 2000; seed++) {
      Random random = new Random(seed);
      ResourceCache<String, String> tested = new ResourceCache<>(text -> text);
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
      assertEquals(
          truth.values().stream().map(ResourceCache.Versioned::object).toList(),
          tested.values().stream().sorted().toList(),
          "seed " + seed);
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
