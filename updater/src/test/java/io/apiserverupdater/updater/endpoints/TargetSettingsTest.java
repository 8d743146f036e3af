package io.apiserverupdater.updater.endpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TargetSettingsTest {
  private static final TargetSettings APISERVERS = settings("default", "kubernetes");
  private static final TargetSettings OTHER = settings("edge", "api");

  private static TargetSettings settings(String namespace, String source) {
    return new TargetSettings(namespace, source, new TargetName("kube-system", "apiserver"), true);
  }

  private static EndpointSlice slice(String name, Map<String, String> labels) {
    return new EndpointSlice(name, "IPv4", labels, List.of(), List.of(), "1");
  }

  private static EndpointSlice labelled(String name, String service) {
    return slice(name, Map.of("kubernetes.io/service-name", service));
  }

  private static Arguments row(
      String situation, TargetSettings settings, String chosen, EndpointSlice... there) {
    return Arguments.of(situation, settings, List.of(there), chosen);
  }

  static List<Arguments> choices() {
    EndpointSlice own = labelled("kubernetes", "kubernetes");
    EndpointSlice written = labelled("kubernetes-nw6h9", "kubernetes");
    return List.of(
        row("what the apiservers write", APISERVERS, "[kubernetes]", own),
        row("the same without a label", APISERVERS, "[kubernetes]", slice("kubernetes", Map.of())),
        row("another writer's", APISERVERS, "[kubernetes-nw6h9]", written),
        row("both: the apiservers themselves count", APISERVERS, "[kubernetes]", written, own),
        row("another Service's", APISERVERS, "[]", labelled("kubernetes", "dns")),
        row("neither name nor label", APISERVERS, "[]", slice("kubernetes-x", Map.of())),
        row(
            "by label",
            OTHER,
            "[api-1, api-2]",
            labelled("api-1", "api"),
            labelled("api-2", "api")),
        row("the name alone", OTHER, "[]", slice("api", Map.of())));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("choices")
  void choosesTheSlicesOfTheSource(
      String situation, TargetSettings settings, List<EndpointSlice> there, String chosen) {
    List<String> names = settings.ofSource(there).stream().map(EndpointSlice::name).toList();
    assertEquals(chosen, names.toString(), situation);
  }
}
