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
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

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

  /** They say that they are not ready. */
  private void refuse(String letters) {
    unready(letters, true);
  }

  /** They do not answer. */
  private void silence(String letters) {
    unready(letters, false);
  }

  private void pass(long millis) {
    now += Duration.ofMillis(millis).toNanos();
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

  private GateState.Mode mode() {
    return state.mode(AddressFamily.IPV4);
  }

  private void normal(String letters) {
    ready(letters);
    assertEquals(letters.toUpperCase(Locale.ROOT), decide(letters));
  }

  @Nested
  class Normally {
    @Test
    void readyMembersAreReady() {
      ready("abc");
      assertEquals("ABC", decide("abc"));
    }

    @Test
    void whoComesUnreadyIsNotListedBeforeItIsReady() {
      normal("ac");
      refuse("b");
      assertEquals("AC", decide("abc"));
      ready("b");
      assertEquals("ABC", decide("abc"));
    }

    @Test
    void whoLeavesUnreadyAndReturnsUnreadyChangesNothingMore() {
      normal("abc");
      refuse("b");
      assertEquals("AbC", decide("abc"));
      assertEquals("AC", decide("ac"));
      assertEquals("AC", decide("abc"));
      assertEquals("AC", decide("ac"));
      ready("b");
      assertEquals("ABC", decide("abc"));
    }

    @Test
    void newLeaderListsWhomTheOldOneListed() {
      published("aBC");
      ready("bc");
      refuse("a");
      assertEquals("aBC", decide("abc"));
    }

    @Test
    void unreadyMembersStayListed() {
      ready("ac");
      refuse("b");
      assertEquals("AbC", decide("abc"));
      silence("c");
      assertEquals("Abc", decide("abc"));
    }

    @Test
    void whatTheSourceCallsUnreadyIsNotMadeReady() {
      ready("ab");
      HealthGate.Outcome outcome =
          HealthGate.decide(
              GateState.INITIAL,
              new EndpointsSnapshot(
                  Map.of(AddressFamily.IPV4, new EndpointsSnapshot.Members(PORT, endpoints("Ab")))),
              health::get,
              target,
              now);
      assertEquals("Ab", letters(outcome.snapshot().orElseThrow()));
    }

    @Test
    void thoseWhoLeaveTheSourceAreGone() {
      normal("abc");
      assertEquals("AB", decide("ab"));
    }

    @Test
    void portAndTopologyAreTheSources() {
      Endpoint rich = new Endpoint("192.0.2.1", true, Optional.of("cp1"), Optional.of("zone-1"));
      ready("a");
      HealthGate.Outcome outcome =
          HealthGate.decide(
              GateState.INITIAL,
              new EndpointsSnapshot(
                  Map.of(AddressFamily.IPV4, new EndpointsSnapshot.Members(PORT, List.of(rich)))),
              health::get,
              target,
              now);
      assertEquals(
          new EndpointsSnapshot.Members(PORT, List.of(rich)),
          outcome.snapshot().orElseThrow().members().get(AddressFamily.IPV4));
    }
  }

  @Nested
  class AtFirst {
    @Test
    void waitsUntilEveryMemberIsJudged() {
      assertEquals("waits", decide("abc"));
      ready("ab");
      assertEquals("waits", decide("abc"));
      silence("c");
      assertEquals("ABc", decide("abc"));
    }

    @Test
    void laterANewMemberIsListedOnceItIsJudged() {
      normal("ab");
      assertEquals("AB", decide("abc"));
      ready("c");
      assertEquals("ABC", decide("abc"));
    }

    @Test
    void waitsWhenAllMembersAreNew() {
      normal("ab");
      assertEquals("waits", decide("cd"));
      ready("c");
      assertEquals("C", decide("cd"));
    }

    @Test
    void cutOffFromTheStartItLeavesWhatIsPublished() {
      published("Ab");
      silence("abc");
      assertEquals("AbC", decide("abc"));
      assertEquals(GateState.Mode.HOLD, mode());
    }

    @Test
    void cutOffFromTheStartWithoutATargetItFollowsTheSource() {
      silence("abc");
      assertEquals("ABC", decide("abc"));
    }

    @Test
    void neverHoldsATargetWithoutAReadyMember() {
      published("abc");
      silence("abc");
      assertEquals("ABC", decide("abc"));
    }
  }

  @Nested
  class FailsOpen {
    @Test
    void whenNoneIsReadyAndOneSaysSo() {
      normal("abc");
      silence("ab");
      assertEquals("abC", decide("abc"));
      refuse("c");
      assertEquals("ABC", decide("abc"));
      assertEquals(GateState.Mode.FAIL_OPEN, mode());
      assertTrue(state.isAny(GateState.Mode.FAIL_OPEN));
    }

    @Test
    void andStaysSoWhenTheyFallSilent() {
      normal("abc");
      refuse("abc");
      decide("abc");
      silence("abc");
      assertEquals("ABC", decide("abc"));
      assertEquals(GateState.Mode.FAIL_OPEN, mode());
    }

    @Test
    void untilAllAreReady() {
      normal("abc");
      refuse("abc");
      decide("abc");
      ready("abc");
      assertEquals("ABC", decide("abc"));
      assertEquals(GateState.Mode.NORMAL, mode());
    }

    @Test
    void untilSomeHaveBeenReadyForAWhile() {
      normal("abc");
      refuse("abc");
      decide("abc");
      ready("a");
      assertEquals("ABC", decide("abc"));
      assertEquals(Optional.of(HealthGate.SETTLE), review);
      pass(300);
      assertEquals("ABC", decide("abc"));
      assertEquals(Optional.of(HealthGate.SETTLE.minusMillis(300)), review);
      pass(100);
      assertEquals("Abc", decide("abc"));
      assertEquals(GateState.Mode.NORMAL, mode());
      assertEquals(Optional.empty(), review);
    }

    @Test
    void andTheWhileBeginsAnewWhenNoneIsReadyInBetween() {
      normal("abc");
      refuse("abc");
      decide("abc");
      ready("a");
      decide("abc");
      pass(300);
      refuse("a");
      assertEquals("ABC", decide("abc"));
      pass(50);
      ready("a");
      decide("abc");
      pass(200);
      assertEquals("ABC", decide("abc"));
    }
  }

  @Nested
  class Holds {
    @Test
    void whatWasPublishedBeforeTheyAllFellSilentTogether() {
      normal("abcd");
      refuse("d");
      assertEquals("ABCd", decide("abcd"));
      pass(60_000);
      silence("a");
      assertEquals("aBCd", decide("abcd"));
      pass(700);
      silence("b");
      assertEquals("abCd", decide("abcd"));
      pass(700);
      silence("cd");
      assertEquals("ABCd", decide("abcd"));
      assertEquals(GateState.Mode.HOLD, mode());
    }

    @Test
    void theLastReadyOneWhenTheOthersHadGoneBefore() {
      normal("abc");
      silence("ab");
      decide("abc");
      pass(60_000);
      silence("c");
      assertEquals("abC", decide("abc"));
    }

    @Test
    void forAsLongAsItLasts() {
      normal("abc");
      silence("abc");
      assertEquals("ABC", decide("abc"));
      pass(600_000);
      assertEquals("ABC", decide("abc"));
    }

    @Test
    void andDoesNotTurnIntoFailingOpen() {
      normal("abc");
      silence("ab");
      decide("abc");
      pass(60_000);
      silence("c");
      decide("abc");
      refuse("a");
      assertEquals("abC", decide("abc"));
      assertEquals(GateState.Mode.HOLD, mode());
    }

    @Test
    void followsTheSourceAsToWhoIsAMember() {
      normal("abc");
      silence("abc");
      decide("abc");
      silence("d");
      assertEquals("ABD", decide("abd"));
    }

    @Test
    void untilAllAreReadyAgain() {
      normal("abc");
      silence("abc");
      decide("abc");
      ready("abc");
      assertEquals("ABC", decide("abc"));
      assertEquals(GateState.Mode.NORMAL, mode());
    }
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
    refuse("b");
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
