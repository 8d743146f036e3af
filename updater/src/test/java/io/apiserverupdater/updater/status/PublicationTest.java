package io.apiserverupdater.updater.status;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.ServedObjects;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.status.StatusReport.Listing;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class PublicationTest {
  private static final MirrorRule RULE =
      new MirrorRule("default/kubernetes", new TargetName("kube-system", "apiserver"), false);
  private static final Endpoint ONE = Endpoint.ready("192.0.2.1");
  private static final Endpoint TWO = Endpoint.ready("192.0.2.2");
  private static final Endpoint TWO_UNREADY = TWO.withReady(false);

  private static ObservedState state(List<Endpoint> source, Endpoint... target) {
    EndpointSlice written = ServedObjects.target(Arrays.asList(target));
    return new ObservedState(
        source.isEmpty() ? List.of() : List.of(ServedObjects.source(source)),
        Optional.of(ServedObjects.service()),
        target.length == 0 ? Map.of() : Map.of(AddressFamily.IPV4, written),
        Optional.empty());
  }

  private static Function<Member, Listing> gate(Map<String, Boolean> flags) {
    return Publication.decided(
        new GateState(
            Map.of(
                AddressFamily.IPV4,
                new GateState.Family(GateState.Mode.NORMAL, flags, Optional.empty()))));
  }

  private static final Function<Member, Listing> UNDECIDED = Publication.decided(GateState.INITIAL);

  private static Publication of(ObservedState state, Function<Member, Listing> wanted) {
    return Publication.of(RULE, state, wanted, member -> Optional.empty());
  }

  private static List<Listing> published(Publication publication) {
    return publication.members().values().stream().map(it -> it.published()).toList();
  }

  @Test
  void inStepHasNoDifference() {
    Publication publication =
        of(
            state(List.of(ONE, TWO), ONE, TWO_UNREADY),
            gate(Map.of("192.0.2.1", true, "192.0.2.2", false)));
    assertEquals(List.of(), publication.differences());
    assertEquals(List.of(Listing.READY, Listing.NOT_READY), published(publication));
    assertEquals(
        List.of("192.0.2.1:6443", "192.0.2.2:6443"),
        publication.members().values().stream().map(it -> it.address()).toList());
  }

  @Test
  void otherReadinessThanTheGateDecidedOnDiffers() {
    Publication publication =
        of(state(List.of(ONE, TWO), ONE, TWO), gate(Map.of("192.0.2.1", true, "192.0.2.2", false)));
    assertEquals(
        List.of(
            "update EndpointSlice apiserver-ipv4: 192.0.2.2:6443 is published as ready, expected"
                + " not ready"),
        publication.differences());
  }

  @Test
  void memberThatWaitsForItsFirstProbesNeedNotBeListed() {
    Publication publication = of(state(List.of(ONE, TWO), ONE), gate(Map.of("192.0.2.1", true)));
    assertEquals(List.of(), publication.differences());
    assertEquals(List.of(Listing.READY, Listing.ABSENT), published(publication));
  }

  @Test
  void drainedMemberIsNotReadyAsAPersonWants() {
    Instant until = Instant.parse("2026-01-02T03:04:05Z");
    ObservedState state = state(List.of(ONE, TWO), ONE, TWO_UNREADY);
    Function<Member, Listing> ready = gate(Map.of("192.0.2.1", true, "192.0.2.2", true));
    Publication publication =
        Publication.of(
            RULE,
            state,
            ready,
            member -> member.address().equals("192.0.2.2") ? Optional.of(until) : Optional.empty());
    assertEquals(List.of(), publication.differences());
    assertEquals(
        Optional.of(until), List.copyOf(publication.members().values()).get(1).drainedUntil());
  }

  @Test
  void missingAndLeftOverAddressesDiffer() {
    Publication missing =
        of(state(List.of(ONE, TWO), ONE), gate(Map.of("192.0.2.1", true, "192.0.2.2", true)));
    assertEquals(
        List.of("update EndpointSlice apiserver-ipv4: 192.0.2.2:6443 is not listed"),
        missing.differences());

    Publication left = of(state(List.of(ONE), ONE, TWO), gate(Map.of("192.0.2.1", true)));
    assertEquals(
        List.of(
            "update EndpointSlice apiserver-ipv4: 192.0.2.2:6443 is listed, but is not in the"
                + " source"),
        left.differences());
    assertEquals(Listing.ABSENT, List.copyOf(left.members().values()).get(1).source());
  }

  @Test
  void whereNobodyDecidesEachMemberHasOnlyToBeListed() {
    assertEquals(
        List.of(), of(state(List.of(ONE, TWO), ONE, TWO_UNREADY), UNDECIDED).differences());
    assertEquals(
        List.of("update EndpointSlice apiserver-ipv4: 192.0.2.2:6443 is not listed"),
        of(state(List.of(ONE, TWO), ONE), UNDECIDED).differences());
    assertEquals(
        List.of("create EndpointSlice apiserver-ipv4"),
        of(state(List.of(ONE)), UNDECIDED).differences());
  }

  @Test
  void otherFieldsDifferToo() {
    ObservedState state = state(List.of(ONE), ONE);
    EndpointSlice unlabelled =
        new EndpointSlice(
            "apiserver-ipv4",
            "IPv4",
            Map.of(),
            List.of(new Port("https", 6443, Port.TCP)),
            List.of(ONE),
            "7");
    ObservedState other =
        new ObservedState(
            state.source(),
            state.service(),
            Map.of(AddressFamily.IPV4, unlabelled),
            Optional.empty());
    assertEquals(
        List.of("update EndpointSlice apiserver-ipv4: its ports, labels or other fields differ"),
        of(other, gate(Map.of("192.0.2.1", true))).differences());
  }

  @Test
  void refusalsHaveTheirRemedyAndTheTargetIsShownAllTheSame() {
    Publication empty = of(state(List.of(), ONE), gate(Map.of("192.0.2.1", true)));
    assertEquals(1, empty.refusals().size());
    assertTrue(
        empty.refusals().get(0).startsWith("EmptySource: the source default/kubernetes has no"));
    assertEquals(List.of(Listing.READY), published(empty));
    assertEquals(List.of(), empty.differences());

    Publication leftOut =
        of(state(List.of(Endpoint.ready("010.0.0.1"), ONE), ONE), gate(Map.of("192.0.2.1", true)));
    assertTrue(leftOut.refusals().get(0).startsWith("UnusableAddress: "), leftOut::toString);
    assertEquals(List.of(), leftOut.differences());
  }
}
