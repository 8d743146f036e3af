package io.apiserverupdater.updater.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.export.ExportRule.Decision;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExportRuleTest {
  private static final Port HTTPS = new Port("https", 6443, Port.TCP);
  private static final EndpointSlice V4 =
      slice("IPv4", List.of(HTTPS), on("10.0.0.9", "a"), on("10.0.0.11", "b"));
  private static final EndpointSlice V6 = slice("IPv6", List.of(HTTPS), on("fd00::1", "a"));

  private static EndpointSlice slice(String type, List<Port> ports, Endpoint... endpoints) {
    return new EndpointSlice(type, type, Map.of(), ports, List.of(endpoints), "1");
  }

  private static Endpoint on(String address, String node) {
    return new Endpoint(address, true, Optional.of(node), Optional.empty());
  }

  private static ExportRule rule(Optional<String> port, Optional<AddressFamily> family) {
    return new ExportRule(
        "default/kubernetes", port, family, Format.LIST, "apiserver", Format.HealthCheck.READYZ);
  }

  private static ExportRule rule() {
    return rule(Optional.empty(), Optional.empty());
  }

  private static List<Server> servers(ExportRule rule, EndpointSlice... slices) {
    return assertInstanceOf(Decision.Write.class, rule.decide(List.of(slices), Optional.empty()))
        .servers();
  }

  private static String refusal(ExportRule rule, EndpointSlice... slices) {
    return assertInstanceOf(Decision.Refuse.class, rule.decide(List.of(slices), Optional.of("old")))
        .refusals()
        .get(0)
        .reason();
  }

  @Test
  void listsEveryMemberReadyOrNotInOneOrder() {
    EndpointSlice slice =
        slice(
            "IPv4",
            List.of(HTTPS),
            Endpoint.ready("10.0.0.12"),
            Endpoint.ready("10.0.0.11").withReady(false));
    assertEquals(
        "[10.0.0.11:6443, 10.0.0.12:6443, [fd00::1]:6443]", servers(rule(), V6, slice).toString());
  }

  @Test
  void fileThatSaysItAlreadyIsLeftAlone() {
    Optional<String> current = Optional.of("10.0.0.11:6443\n10.0.0.9:6443\n");
    assertInstanceOf(Decision.UpToDate.class, rule().decide(List.of(V4), current));
    assertInstanceOf(Decision.Write.class, rule().decide(List.of(V4, V6), current));
  }

  @Test
  void serverIsNamedForItsNodeIfItIsTheOnlyOneThere() {
    assertEquals(List.of("b", "a"), servers(rule(), V4).stream().map(Server::name).toList());
    assertEquals(
        List.of("b", "10.0.0.9", "fd00::1"),
        servers(rule(), V4, V6).stream().map(Server::name).toList());
  }

  /** It is written into a configuration. */
  @ParameterizedTest
  @CsvSource({"'a b'", "'a\n}'", "A_B"})
  void nodeNameThatIsNoneIsNotUsed(String node) {
    EndpointSlice slice = slice("IPv4", List.of(HTTPS), on("10.0.0.11", node));
    assertEquals("10.0.0.11", servers(rule(), slice).get(0).name());
  }

  @Test
  void oneFamilyCanBeChosen() {
    assertEquals(
        "[[fd00::1]:6443]",
        servers(rule(Optional.empty(), Optional.of(AddressFamily.IPV6)), V4, V6).toString());
  }

  @ParameterizedTest
  @CsvSource({"http, 80", "80, 80", "https, 443", ", 443"})
  void portIsChosenByNameOrNumber(String port, int expected) {
    EndpointSlice ingress =
        slice(
            "IPv4",
            List.of(new Port("http", 80, Port.TCP), new Port("https", 443, Port.TCP)),
            on("10.0.0.11", "b"));
    assertEquals(
        expected,
        servers(rule(Optional.ofNullable(port), Optional.empty()), ingress).get(0).port());
  }

  @Test
  void emptySourceIsRefused() {
    assertEquals("EmptySource", refusal(rule()));
    assertEquals("EmptySource", refusal(rule(), slice("IPv4", List.of(HTTPS))));
    assertEquals(
        "EmptySource", refusal(rule(Optional.empty(), Optional.of(AddressFamily.IPV6)), V4));
  }

  /**
   * A person may name the wrong file, and its loss is worse than a balancer that is not updated.
   */
  @Test
  void fileOfAnotherWriterIsLeftAlone() {
    for (Format format : Format.values()) {
      ExportRule rule =
          new ExportRule(
              "a/b", Optional.empty(), Optional.empty(), format, "x", Format.HealthCheck.TCP);
      String foreign = "global\n    maxconn 100\n";
      assertEquals(
          "ForeignFile",
          assertInstanceOf(Decision.Refuse.class, rule.decide(List.of(V4), Optional.of(foreign)))
              .refusals()
              .get(0)
              .reason());
      String own =
          assertInstanceOf(Decision.Write.class, rule.decide(List.of(V6), Optional.empty())).text();
      assertInstanceOf(Decision.Write.class, rule.decide(List.of(V4), Optional.of(own)));
      assertInstanceOf(Decision.Write.class, rule.decide(List.of(V4), Optional.of("")));
    }
  }

  @Test
  void listOfManyServersIsRecognized() {
    Optional<String> many = Optional.of("10.0.0.1:6443\n".repeat(50_000));
    assertInstanceOf(Decision.Write.class, rule().decide(List.of(V4), many));
  }

  @Test
  void sourceWithoutAClearPortIsRefused() {
    assertEquals("SourcePortUnclear", refusal(rule(Optional.of("web"), Optional.empty()), V4));
  }

  /** To leave one out would take it from the balancer. */
  @Test
  void addressThatNobodyCanConnectToIsRefused() {
    EndpointSlice slice =
        slice("IPv4", List.of(HTTPS), on("10.0.0.011", "a"), on("10.0.0.12", "b"));
    assertEquals("UnusableAddress", refusal(rule(), slice));
  }

  @Test
  void refusalNamesSourceAndFamily() {
    Decision decision =
        rule(Optional.empty(), Optional.of(AddressFamily.IPV6))
            .decide(List.of(V4), Optional.empty());
    String message = assertInstanceOf(Decision.Refuse.class, decision).refusals().get(0).message();
    assertTrue(message.equals("default/kubernetes has no IPv6 address"), message);
  }
}
