package io.apiserverupdater.updater.endpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Members are named by one letter; in a snapshot, a capital one is ready. */
class DrainsTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final Instant LATER = NOW.plusSeconds(600);
  private static final String IN_TEN_MINUTES = "2026-01-02T03:14:05Z";
  private static final int PORT = 6443;

  private static String address(char letter) {
    return "192.0.2." + (Character.toLowerCase(letter) - 'a' + 1);
  }

  private static EndpointsSnapshot snapshot(String letters) {
    List<Endpoint> endpoints =
        letters
            .chars()
            .mapToObj(
                letter ->
                    Endpoint.ready(address((char) letter)).withReady(Character.isUpperCase(letter)))
            .toList();
    return new EndpointsSnapshot(
        Map.of(AddressFamily.IPV4, new EndpointsSnapshot.Members(PORT, endpoints)));
  }

  private static String letters(EndpointsSnapshot snapshot) {
    return Objects.requireNonNull(snapshot.members().get(AddressFamily.IPV4)).endpoints().stream()
        .map(
            endpoint -> {
              char letter = (char) ('a' + endpoint.address().charAt(8) - '1');
              return String.valueOf(endpoint.ready() ? Character.toUpperCase(letter) : letter);
            })
        .collect(Collectors.joining());
  }

  private static Drains asked(String letters) {
    return new Drains(
        letters
            .chars()
            .mapToObj(letter -> new Drains.Drain(address((char) letter), LATER))
            .toList(),
        List.of());
  }

  private static GateState gate(GateState.Mode mode) {
    return new GateState(
        Map.of(AddressFamily.IPV4, new GateState.Family(mode, Map.of(), Optional.empty())));
  }

  private static Drains.Outcome apply(String asked, String members) {
    return asked(asked).apply(snapshot(members), GateState.INITIAL, NOW);
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "a, ABC, aBC",
        "ab, ABC, abC",
        // Who asks first is taken out first.
        "ba, AB, Ab",
        "ab, AB, aB",
        "abc, ABC, abC",
        // The last ready one stays, also when the others are not ready for another reason.
        "a, A, A",
        "a, Abc, Abc",
        "a, aBc, aBc",
        "ab, aBc, aBc",
        // Who is not ready anyway takes no ready one's place.
        "ab, aBC, abC",
        // Not a member.
        "d, ABC, ABC",
      })
  void takesOutAsLongAsAnotherStaysReady(String asked, String members, String published) {
    assertEquals(published, letters(apply(asked, members).snapshot()));
  }

  /** Of up to four members, in each state, with each list of drains. */
  @ParameterizedTest
  @EnumSource
  void neverLeavesAFamilyWithoutAReadyMemberThatHadOne(GateState.Mode mode) {
    for (String members : List.of("a", "A", "ab", "aB", "AB", "abc", "Abc", "aBC", "ABC", "ABcD")) {
      for (String asked : lists("abcd")) {
        Drains.Outcome outcome = asked(asked).apply(snapshot(members), gate(mode), NOW);
        String published = letters(outcome.snapshot());
        String what = asked + " of " + members + ": " + published;
        assertEquals(
            members.equals(members.toLowerCase(Locale.ROOT)),
            published.equals(published.toLowerCase(Locale.ROOT)),
            what);
        assertEquals(members.toUpperCase(Locale.ROOT), published.toUpperCase(Locale.ROOT), what);
        for (int i = 0; i < members.length(); i++) {
          boolean turned = members.charAt(i) != published.charAt(i);
          assertTrue(!turned || Character.isUpperCase(members.charAt(i)), what);
          assertTrue(!turned || asked.indexOf(published.charAt(i)) >= 0, what);
        }
      }
    }
  }

  /** Every choice of some of the letters, in every order. */
  private static List<String> lists(String letters) {
    List<String> lists = new ArrayList<>(List.of(""));
    for (int i = 0; i < letters.length(); i++) {
      String rest = letters.substring(0, i) + letters.substring(i + 1);
      char first = letters.charAt(i);
      lists(rest).forEach(further -> lists.add(first + further));
    }
    return lists;
  }

  @Test
  void countsWhileTheGateHoldsAndNotWhileItFailsOpen() {
    assertEquals(
        "aBC",
        letters(asked("a").apply(snapshot("ABC"), gate(GateState.Mode.HOLD), NOW).snapshot()));
    Drains.Outcome open = asked("a").apply(snapshot("ABC"), gate(GateState.Mode.FAIL_OPEN), NOW);
    assertEquals("ABC", letters(open.snapshot()));
    assertEquals(Map.of(), open.drained());
    assertEquals(
        List.of("DrainOfLastReady"), open.setAside().stream().map(Refusal::reason).toList());
  }

  @Test
  void tellsWhoIsOutAndUntilWhenAndWhoIsNot() {
    Drains.Outcome outcome = apply("ab", "AB");
    assertEquals(Map.of(new Member("192.0.2.1", PORT), LATER), outcome.drained());
    assertEquals(1, outcome.setAside().size());
    assertEquals(
        "member 192.0.2.2:6443 is to be drained, and no other member is ready",
        outcome.setAside().get(0).message());
  }

  @Test
  void endsByItself() {
    Drains drains = Drains.of("192.0.2.1=" + IN_TEN_MINUTES);
    Instant end = Instant.parse(IN_TEN_MINUTES);
    assertEquals(
        "aB",
        letters(drains.apply(snapshot("AB"), GateState.INITIAL, end.minusMillis(1)).snapshot()));
    Drains.Outcome over = drains.apply(snapshot("AB"), GateState.INITIAL, end);
    assertEquals("AB", letters(over.snapshot()));
    assertEquals(Optional.empty(), over.reviewAfter());
  }

  @Test
  void isLookedAtAgainWhenTheFirstOneEndsAndNowAndThen() {
    Drains soon = Drains.of("192.0.2.1=" + IN_TEN_MINUTES + ",192.0.2.2=2026-01-02T03:04:12Z");
    assertEquals(
        Optional.of(Duration.ofSeconds(7)),
        soon.apply(snapshot("ABC"), GateState.INITIAL, NOW).reviewAfter());
    assertEquals(Optional.of(Duration.ofSeconds(30)), apply("a", "ABC").reviewAfter());
    assertEquals(Optional.empty(), apply("", "ABC").reviewAfter());
  }

  @Test
  void eachFamilyKeepsAReadyMemberOfItsOwn() {
    EndpointsSnapshot both =
        new EndpointsSnapshot(
            Map.of(
                AddressFamily.IPV4,
                new EndpointsSnapshot.Members(
                    PORT, List.of(Endpoint.ready("192.0.2.1"), Endpoint.ready("192.0.2.2"))),
                AddressFamily.IPV6,
                new EndpointsSnapshot.Members(PORT, List.of(Endpoint.ready("2001:db8::1")))));
    Drains.Outcome outcome =
        Drains.of("2001:DB8:0::1=" + IN_TEN_MINUTES + ",192.0.2.1=" + IN_TEN_MINUTES)
            .apply(both, GateState.INITIAL, NOW);
    assertEquals(Map.of(new Member("192.0.2.1", PORT), LATER), outcome.drained());
    assertTrue(outcome.setAside().get(0).message().contains("[2001:db8::1]:6443"));
  }

  @Test
  void readsWhatItWrites() {
    Drains drains =
        Drains.NONE
            .with(new Drains.Drain("192.0.2.1", LATER.plusNanos(5)), NOW)
            .with(new Drains.Drain("2001:db8::1", LATER), NOW);
    assertEquals("192.0.2.1=2026-01-02T03:14:05Z,2001:db8::1=2026-01-02T03:14:05Z", drains.text());
    assertEquals(drains.text(), Drains.of(drains.text()).text());
    assertEquals(List.of(), Drains.of(drains.text()).refusals());
    assertEquals("", drains.without("192.0.2.1", NOW).without("2001:DB8::1", NOW).text());
  }

  /** Else who has been drained first, and is perhaps down, would be the one who has to serve. */
  @Test
  void whoIsDrainedForLongerKeepsThePlace() {
    Drains.Drain longer = new Drains.Drain(address('a'), LATER.plusSeconds(1));
    Drains drains = asked("ab").with(longer, NOW);
    assertEquals(List.of(longer, new Drains.Drain(address('b'), LATER)), drains.asked());
    assertEquals("aBc", letters(drains.apply(snapshot("ABc"), GateState.INITIAL, NOW).snapshot()));
    // One that is over begins again.
    assertEquals(address('b'), asked("ab").with(longer, LATER).asked().get(0).address());
  }

  /** Whether a drain is over is for the updater's clock to say, and this may be another one. */
  @Test
  void dropsWhatHasBeenOverForADay() {
    Drains drains = Drains.of("192.0.2.1=" + IN_TEN_MINUTES);
    Drains.Drain other = new Drains.Drain("192.0.2.2", LATER.plusSeconds(86_400));
    assertEquals(2, drains.with(other, LATER.plusSeconds(86_399)).asked().size());
    assertEquals(other.toString(), drains.with(other, LATER.plusSeconds(86_400)).text());
    assertEquals(drains, drains.without("192.0.2.2", LATER.plusSeconds(86_399)));
  }

  @Test
  void readsWhatAPersonWrites() {
    Drains drains = Drains.of(" 192.0.2.1=2026-01-02T03:14:05Z , 192.0.2.2=2026-01-02T03:14:05Z,");
    assertEquals(2, drains.asked().size());
    assertEquals(List.of(), drains.refusals());
    assertEquals(Drains.NONE, Drains.of(""));
    assertEquals(Drains.NONE, Drains.of(" , "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "192.0.2.1",
        "192.0.2.1=",
        "=2026-01-02T03:14:05Z",
        "192.0.2.1=30m",
        "192.0.2.1=2026-01-02",
        "192.0.2.1=2026-01-02T03:14:05",
        "192.0.2.1=2026-01-02T03:14:05+00:00",
        "192.0.2.1=2026-01-02t03:14:05z",
        "192.0.2.1=2026-02-30T03:14:05Z",
        "192.0.2.1=2026-01-02T25:14:05Z",
        "192.0.2.1 = 2026-01-02T03:14:05Z",
        "192.0.2.1:6443=2026-01-02T03:14:05Z",
        "192.0.2.01=2026-01-02T03:14:05Z",
        "192.0.2=2026-01-02T03:14:05Z",
        "node-1=2026-01-02T03:14:05Z",
        "[2001:db8::1]=2026-01-02T03:14:05Z",
        "192.0.2.1=2026-01-02T03:14:05Z;192.0.2.2=2026-01-02T03:14:05Z",
        "192.0.2.1=2026-01-02T03:14:05Z=2026-01-02T03:14:05Z",
        "192.0.2.0/24=2026-01-02T03:14:05Z",
      })
  void drainsNobodyByAnEntryThatCannotBeRead(String entry) {
    Drains drains = Drains.of(entry + ",192.0.2.9=" + IN_TEN_MINUTES);
    assertEquals(List.of(new Drains.Drain("192.0.2.9", LATER)), drains.asked());
    assertEquals(1, drains.refusals().size());
    assertEquals("UnreadableDrain", drains.refusals().get(0).reason());
    assertTrue(drains.refusals().get(0).message().contains('"' + entry + '"'));
  }

  @Test
  void takesTheFirstOfTwoEndsAndSaysSo() {
    Drains drains = Drains.of("192.0.2.1=" + IN_TEN_MINUTES + ",192.0.2.1=2027-01-01T00:00:00Z");
    assertEquals(List.of(new Drains.Drain("192.0.2.1", LATER)), drains.asked());
    assertEquals(1, drains.refusals().size());
    assertEquals("", drains.without("192.0.2.1", NOW).text());
  }

  @Test
  void keepsWhatItCannotReadOfOthers() {
    Drains drains = Drains.of("192.0.2.1,192.0.2.1 = 30m,192.0.2.2=30m,maintenance");
    assertTrue(drains.hasEntryOf("192.0.2.1"));
    assertFalse(drains.hasEntryOf("192.0.2.3"));
    assertEquals("192.0.2.2=30m,maintenance", drains.without("192.0.2.1", NOW).text());
    assertEquals(
        "192.0.2.2=" + IN_TEN_MINUTES + ",192.0.2.1,192.0.2.1 = 30m,maintenance",
        drains.with(new Drains.Drain("192.0.2.2", LATER), NOW).text());
  }

  @Test
  void readsNoMoreThanAnyClusterHas() {
    StringBuilder many = new StringBuilder();
    for (int i = 0; i < 101; i++) {
      many.append("192.0.2.").append(i).append('=').append(IN_TEN_MINUTES).append(',');
    }
    Drains drains = Drains.of(many.toString());
    assertEquals(100, drains.asked().size());
    assertEquals(1, drains.refusals().size());
  }
}
