package io.apiserverupdater.updater.kube.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.models.V1EndpointSlice;
import io.kubernetes.client.openapi.models.V1Lease;
import io.kubernetes.client.openapi.models.V1LeaseSpec;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TimeZone;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Isolated("changes the default locale and time zone")
class KubeJsonTest {
  private static final String SLICE =
      """
      {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice",
       "metadata":{"name":"a","resourceVersion":"7","labels":{"x":"y"}},
       "addressType":"IPv4",
       "endpoints":[{"addresses":["192.0.2.1"],"conditions":{"ready":true,"serving":null}}],
       "ports":[{"name":"https","port":6443,"protocol":"TCP"}]}
      """;

  private static V1EndpointSlice slice(String json) throws KubeJson.MalformedException {
    return KubeJson.model(json, V1EndpointSlice.class);
  }

  private static JsonObject json(Object model) {
    return JsonParser.parseString(KubeJson.text(model)).getAsJsonObject();
  }

  @Test
  void unknownFieldsArePassedOver() throws Exception {
    V1EndpointSlice slice =
        slice(
            """
            {"metadata":{"name":"a","future":{"a":[1,{"b":null}]}},"addressType":"IPv4",
             "novelty":[1,2],"endpoints":[{"addresses":["192.0.2.1"],"mood":"good"}]}
            """);
    assertEquals("a", slice.getMetadata().getName());
    assertEquals("192.0.2.1", slice.getEndpoints().get(0).getAddresses().get(0));
  }

  private static KubeJson.Event<V1EndpointSlice> event(String line)
      throws KubeJson.MalformedException {
    return KubeJson.event(line, "ADDED"::equals, V1EndpointSlice.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}",
        "{\"object\":{\"metadata\":{\"name\":\"a\"}},\"type\":\"ADDED\"}",
        "{\"new\":[{}],\"type\":\"ADDED\",\"object\":{\"new\":1,\"metadata\":{\"name\":\"a\"}}}"
      })
  void eventBringsItsObjectInAnyOrder(String line) throws Exception {
    assertEquals("ADDED", event(line).type());
    assertEquals("a", event(line).object().orElseThrow().getMetadata().getName());
  }

  @Test
  void eventOfAnotherTypeBringsWhatItBrings() throws Exception {
    KubeJson.Event<V1EndpointSlice> event = event("{\"type\":\"ERROR\",\"object\":{\"code\":410}}");
    assertEquals("ERROR", event.type());
    assertEquals(Optional.empty(), event.object());
    assertEquals("{\"code\":410}", event.other().orElseThrow().toString());
  }

  @Test
  void eventMayBeWithoutAnything() throws Exception {
    assertEquals(new KubeJson.Event<>("", Optional.empty(), Optional.empty()), event("{}"));
    assertEquals(Optional.empty(), event("{\"type\":\"ADDED\",\"object\":null}").object());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{",
        "{\"type\":\"ADDED\",\"object\":{\"endpoints\":7}}",
        "{\"type\":\"ADDED\",\"object\":{}}{\"type\":\"ADDED\"}",
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":"
      })
  void malformedEventIsToldAsSuch(String line) {
    assertThrows(KubeJson.MalformedException.class, () -> event(line));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "7",
        "\"a\"",
        "{",
        "{}{}",
        "{} x",
        "{\"endpoints\":7}",
        "<html>"
      })
  void malformedObjectIsToldAsSuch(String text) {
    assertThrows(KubeJson.MalformedException.class, () -> slice(text));
  }

  @Test
  void objectThatIsTooDeepIsToldAsSuch() {
    String deep = "{\"future\":" + "[".repeat(100_000);
    assertThrows(KubeJson.MalformedException.class, () -> slice(deep));
  }

  @Test
  void whoSetWhichFieldIsNotRead() throws Exception {
    V1EndpointSlice slice = slice("{\"metadata\":{\"managedFields\":[{\"manager\":\"x\"}]}}");
    assertEquals(List.of(), slice.getMetadata().getManagedFields());
  }

  @Test
  void nullsAreTakenAsNulls() throws Exception {
    V1EndpointSlice slice = slice("{\"metadata\":null,\"endpoints\":null,\"ports\":null}");
    assertNull(slice.getMetadata());
    assertNull(slice.getEndpoints());
  }

  @ParameterizedTest
  @CsvSource({
    "2026-03-01T12:00:00.123456Z, 2026-03-01T12:00:00.123456Z",
    "2026-03-01T12:00:00Z, 2026-03-01T12:00:00.000000Z",
    "2026-03-01T12:00:00.123456789Z, 2026-03-01T12:00:00.123456Z",
    "2026-03-01T20:00:00+08:00, 2026-03-01T12:00:00.000000Z",
    "2026-03-01T23:30:00.5-01:00, 2026-03-02T00:30:00.500000Z",
  })
  void timesAreWrittenInUtcMicroseconds(String read, String written) throws Exception {
    V1Lease lease = KubeJson.model("{\"spec\":{\"renewTime\":\"" + read + "\"}}", V1Lease.class);
    assertTrue(KubeJson.text(lease).contains("\"renewTime\":\"" + written + "\""), written);
  }

  @Test
  void timesDoNotDependOnWhereWeAre() {
    Locale locale = Locale.getDefault();
    TimeZone zone = TimeZone.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kolkata"));
      OffsetDateTime time =
          Instant.parse("2026-03-01T12:00:00.5Z").atZone(zone.toZoneId()).toOffsetDateTime();
      assertEquals(
          "2026-03-01T12:00:00.500000Z",
          json(new V1LeaseSpec().renewTime(time)).get("renewTime").getAsString());
    } finally {
      Locale.setDefault(locale);
      TimeZone.setDefault(zone);
    }
  }

  @Test
  void whatWasReadAndWrittenIsTheSame() throws Exception {
    JsonObject once = json(slice(SLICE));
    JsonObject twice = json(slice(once.toString()));
    assertEquals(once, twice);
    assertEquals(
        "y", once.getAsJsonObject("metadata").getAsJsonObject("labels").get("x").getAsString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "null", "[]", "42", "\"text\"", "{", "{\"a\":}", "<html>", "{} {}"})
  void whatIsNoObjectIsMalformed(String text) {
    assertThrows(KubeJson.MalformedException.class, () -> KubeJson.object(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"metadata\":7}",
        "{\"metadata\":{\"labels\":[1]}}",
        "{\"spec\":{\"leaseDurationSeconds\":\"soon\"}}",
        "{\"spec\":{\"renewTime\":\"yesterday\"}}",
        "{\"spec\":{\"renewTime\":12}}",
        "{\"spec\":{\"renewTime\":{}}}",
      })
  void anotherTypeThanPromisedIsMalformed(String json) {
    assertThrows(KubeJson.MalformedException.class, () -> KubeJson.model(json, V1Lease.class));
  }

  @Test
  void longGarbageIsToldInShort() {
    KubeJson.MalformedException failure =
        assertThrows(
            KubeJson.MalformedException.class, () -> KubeJson.object("<" + "x".repeat(10_000)));
    assertTrue(failure.toString().length() < 200, failure.toString());
  }

  @Test
  void deepNestingIsMalformed() {
    assertThrows(
        KubeJson.MalformedException.class, () -> KubeJson.object("{\"a\":" + "[".repeat(100_000)));
  }
}
