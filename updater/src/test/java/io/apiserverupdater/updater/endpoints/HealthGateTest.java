package io.apiserverupdater.updater.endpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Members are named by one letter; in a snapshot, a capital one is ready. */
class HealthGateTest {
  private static final Map<Character, String> ADDRESSES =
      Map.of('a', "192.0.2.1", 'b', "192.0.2.2", 'c', "192.0.2.3", 'd', "192.0.2.4");
  private static final int PORT = 6443;

  private final Map<Member, MemberHealth> health = new HashMap<>();
  private Map<AddressFamily, EndpointSlice> target = Map.of();
  private GateState state = GateState.INITIAL;
  private Optional<Duration> review = Optional.empty();

  // Where nanoTime may stand: about to wrap around.
  private long now = Long.MAX_VALUE - Duration.ofSeconds(5).toNanos();

  private static EndpointsSnapshot source(String letters) {
    return new EndpointsSnapshot(Map.of(AddressFamily.IPV4, members(letters)));
  }

  private static EndpointsSnapshot.Members members(String letters) {
    return new EndpointsSnapshot.Members(PORT, endpoints(letters.toUpperCase(Locale.ROOT)));
  }

  private static List<Endpoint> endpoints(String letters) {
    List<Endpoint> endpoints = new ArrayList<>();
    for (int i = 0; i < letters.length(); i++) {
      char letter = letters.charAt(i);
      endpoints.add(Endpoint.ready(address(letter)).withReady(Character.isUpperCase(letter)));
    }
    return endpoints;
  }

  private static String address(char letter) {
    return ADDRESSES.getOrDefault(Character.toLowerCase(letter), "");
  }

  private static Member member(char letter) {
    return new Member(address(letter), PORT);
  }

  private void ready(String letters) {
    letters.chars().forEach(letter -> health.put(member((char) letter), MemberHealth.READY));
  }

  private void unready(String letters, boolean answers) {
    for (int i = 0; i < letters.length(); i++) {
      char letter = letters.charAt(i);
      MemberHealth before = health.getOrDefault(member(letter), MemberHealth.UNKNOWN);
      health.put(
          member(letter),
          new MemberHealth(
              MemberHealth.State.UNREADY,
              answers,
              before.isReady() ? Optional.of(now) : before.fellAt(),
              ""));
    }
  }

  private void published(String letters) {
    target =
        Map.of(
            AddressFamily.IPV4,
            new EndpointSlice(
                "apiserver-ipv4", "IPv4", Map.of(), List.of(), endpoints(letters), "1"));
  }

  /** What is published of a source; "waits" while nothing is. */
  private String decide(String source) {
    HealthGate.Outcome outcome =
        HealthGate.decide(
            state,
            source(source),
            member -> health.getOrDefault(member, MemberHealth.UNKNOWN),
            target,
            now);
    state = outcome.state();
    review = outcome.reviewAfter();
    return outcome.snapshot().map(HealthGateTest::letters).orElse("waits");
  }

  private static EndpointsSnapshot.Members members(
      EndpointsSnapshot snapshot, AddressFamily family) {
    return Objects.requireNonNull(snapshot.members().get(family));
  }

  private static String letters(EndpointsSnapshot snapshot) {
    StringBuilder letters = new StringBuilder();
    for (Endpoint endpoint : members(snapshot, AddressFamily.IPV4).endpoints()) {
      char letter =
          ADDRESSES.entrySet().stream()
              .filter(entry -> entry.getValue().equals(endpoint.address()))
              .map(Map.Entry::getKey)
              .findFirst()
              .orElseThrow();
      letters.append(endpoint.ready() ? Character.toUpperCase(letter) : letter);
    }
    return letters.toString();
  }

  /**
   * Carries out the steps of a table's row, one after the other: who turns {@code ready}, says that
   * he is not ({@code refuse}) or falls silent ({@code silence}), what is {@code published}, how
   * many milliseconds {@code pass}; and {@code abc=AbC}: of the source abc, AbC is to be published.
   */
  private void play(String situation, String steps) {
    for (String step : steps.strip().split("\\s+", -1)) {
      String[] parts = step.split("[:=]", 2);
      String what = parts[1];
      String where = situation + ", at " + step;
      switch (parts[0]) {
        case "ready" -> ready(what);
        case "refuse" -> unready(what, true);
        case "silence" -> unready(what, false);
        case "published" -> published(what);
        case "pass" -> now += Duration.ofMillis(Long.parseLong(what)).toNanos();
        case "decide" -> decide(what);
        case "mode" -> assertEquals(what, state.mode(AddressFamily.IPV4).name(), where);
        case "any" -> assertTrue(state.isAny(GateState.Mode.valueOf(what)), where);
        case "review" -> assertEquals(what, review.map(Duration::toString).orElse("none"), where);
        default -> assertEquals(what, decide(parts[0]), where);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ready members are ready | ready:abc abc=ABC
          who comes unready is not listed before it is ready |\
            ready:ac ac=AC refuse:b abc=AC ready:b abc=ABC
          who leaves unready and returns unready changes nothing more |\
            ready:abc abc=ABC refuse:b abc=AbC ac=AC abc=AC ac=AC ready:b abc=ABC
          a new leader lists whom the old one listed | published:aBC ready:bc refuse:a abc=aBC
          unready members stay listed | ready:ac refuse:b abc=AbC silence:c abc=Abc
          those who leave the source are gone | ready:abc abc=ABC ab=AB
          # At first.
          waits until every member is judged |\
            abc=waits ready:ab abc=waits silence:c abc=ABc
          later a new member is listed once it is judged | ready:ab ab=AB abc=AB ready:c abc=ABC
          waits when all members are new | ready:ab ab=AB cd=waits ready:c cd=C
          cut off from the start, it leaves what is published |\
            published:Ab silence:abc abc=AbC mode:HOLD
          cut off from the start without a target, it follows the source | silence:abc abc=ABC
          never holds a target without a ready member | published:abc silence:abc abc=ABC
          # SETTLE is the 0.4 s after which those who are ready are believed again.
          fails open when none is ready and one says so |\
            ready:abc abc=ABC silence:ab abc=abC refuse:c abc=ABC mode:FAIL_OPEN any:FAIL_OPEN
          fails open still when they fall silent |\
            ready:abc abc=ABC refuse:abc decide:abc silence:abc abc=ABC mode:FAIL_OPEN
          fails open until all are ready |\
            ready:abc abc=ABC refuse:abc decide:abc ready:abc abc=ABC mode:NORMAL
          fails open until some have been ready for a while |\
            ready:abc abc=ABC refuse:abc decide:abc ready:a abc=ABC review:PT0.4S \
            pass:300 abc=ABC review:PT0.1S pass:100 abc=Abc mode:NORMAL review:none
          the wait starts over when none is ready in between |\
            ready:abc abc=ABC refuse:abc decide:abc ready:a decide:abc \
            pass:300 refuse:a abc=ABC pass:50 ready:a decide:abc pass:200 abc=ABC
          holds what was published before they all fell silent together |\
            ready:abcd abcd=ABCD refuse:d abcd=ABCd pass:60000 silence:a abcd=aBCd \
            pass:700 silence:b abcd=abCd pass:700 silence:cd abcd=ABCd mode:HOLD
          holds the last ready one when the others had gone before |\
            ready:abc abc=ABC silence:ab decide:abc pass:60000 silence:c abc=abC
          holds for as long as the silence lasts |\
            ready:abc abc=ABC silence:abc abc=ABC pass:600000 abc=ABC
          holds and does not turn into failing open |\
            ready:abc abc=ABC silence:ab decide:abc pass:60000 silence:c decide:abc \
            refuse:a abc=abC mode:HOLD
          holds, but follows the source as to who is a member |\
            ready:abc abc=ABC silence:abc decide:abc silence:d abd=ABD
          holds until all are ready again |\
            ready:abc abc=ABC silence:abc decide:abc ready:abc abc=ABC mode:NORMAL
          """)
  void decides(String situation, String steps) {
    assertEquals(Duration.ofMillis(400), HealthGate.SETTLE);
    play(situation, steps);
  }

  private EndpointsSnapshot decide(List<Endpoint> source) {
    EndpointsSnapshot.Members members = new EndpointsSnapshot.Members(PORT, source);
    EndpointsSnapshot snapshot = new EndpointsSnapshot(Map.of(AddressFamily.IPV4, members));
    return HealthGate.decide(GateState.INITIAL, snapshot, health::get, target, now)
        .snapshot()
        .orElseThrow();
  }

  @Test
  void whatTheSourceCallsUnreadyIsNotMadeReady() {
    ready("ab");
    assertEquals("Ab", letters(decide(endpoints("Ab"))));
  }

  @Test
  void portAndTopologyAreTheSources() {
    Endpoint rich = new Endpoint("192.0.2.1", true, Optional.of("cp1"), Optional.of("zone-1"));
    ready("a");
    assertEquals(
        new EndpointsSnapshot.Members(PORT, List.of(rich)),
        decide(List.of(rich)).members().get(AddressFamily.IPV4));
  }

  @Test
  void eachFamilyIsJudgedForItself() {
    EndpointsSnapshot both =
        new EndpointsSnapshot(
            Map.of(
                AddressFamily.IPV4,
                members("ab"),
                AddressFamily.IPV6,
                new EndpointsSnapshot.Members(PORT, List.of(Endpoint.ready("2001:db8::1")))));
    ready("a");
    unready("b", true);
    health.put(
        new Member("2001:db8::1", PORT),
        new MemberHealth(MemberHealth.State.UNREADY, false, Optional.empty(), ""));
    HealthGate.Outcome outcome =
        HealthGate.decide(GateState.INITIAL, both, health::get, target, now);
    EndpointsSnapshot snapshot = outcome.snapshot().orElseThrow();
    assertEquals("Ab", letters(snapshot));
    assertTrue(members(snapshot, AddressFamily.IPV6).endpoints().get(0).ready());
    assertEquals(GateState.Mode.NORMAL, outcome.state().mode(AddressFamily.IPV4));
    assertEquals(GateState.Mode.HOLD, outcome.state().mode(AddressFamily.IPV6));
  }
}
