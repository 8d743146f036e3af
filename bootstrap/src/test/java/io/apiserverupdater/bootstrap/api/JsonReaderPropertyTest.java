package io.apiserverupdater.bootstrap.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.api.JsonReader.MalformedJsonException;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/** Any text: read as another strict reader of JSON reads it, or refused as that one refuses it. */
class JsonReaderPropertyTest {
  private static final TypeAdapter<JsonElement> GSON = new Gson().getAdapter(JsonElement.class);
  private static final List<String> SEEDS =
      List.of(
          SourceSlicesTest.SLICE,
          SourceSlicesTest.LIST,
          "{\"kind\":\"Status\",\"code\":403,\"message\":\"no \\u00e9\\ud83d\\ude00 \\\"\\n\"}",
          "[0, -1, 1.5, -0.0e+12, 1E5, true, false, null, \"\", [], {}, [[{}]]]",
          "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
          " { \"a\" : [ 1 , 2 ] } ");
  private static final List<String> PIECES =
      List.of(
          "{",
          "}",
          "[",
          "]",
          ":",
          ",",
          "\"",
          "\\",
          "\\u",
          "\\u0041",
          "\\n",
          "\\x",
          "0",
          "1",
          "-",
          "+",
          ".",
          "e",
          "E",
          "00",
          "true",
          "True",
          "null",
          "nul",
          "NaN",
          " ",
          "\n",
          "\r",
          "\t",
          "\f",
          "\u0000",
          "\u007f",
          "\u00e9",
          "\u2028",
          "\uFEFF",
          "\uD83D",
          "'",
          "//",
          "#",
          "a",
          "null,",
          "\"addresses\":",
          "\"10.0.0.1\"",
          "\"::1\"",
          "65536",
          "[[[[[[[[[[[[[[[[[[[[");

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.randomValue(random -> Mutation.of(SEEDS, PIECES, random));
  }

  @Property(shrinking = ShrinkingMode.OFF, edgeCases = EdgeCasesMode.NONE)
  void readsWhatIsJsonAndRefusesAllElse(@ForAll("texts") String text) {
    // The other one passes over a byte order mark.
    Optional<JsonValue> expected = text.startsWith("\uFEFF") ? Optional.empty() : byGson(text);
    Optional<JsonValue> read;
    try {
      read = Optional.of(io.apiserverupdater.bootstrap.api.JsonReader.read(text));
    } catch (MalformedJsonException e) {
      assertTrue(e.position() >= 0 && e.position() <= text.length(), e.getMessage());
      if (String.valueOf(e.getMessage()).contains("levels deep")) {
        return;
      }
      read = Optional.empty();
    }
    assertEquals(expected, read, () -> "of " + new Gson().toJson(text));
    read.map(SourceSlices::addresses).ifPresent(JsonReaderPropertyTest::areUsable);
  }

  private static void areUsable(List<ApiserverAddress> addresses) {
    assertEquals(new ArrayList<>(new TreeSet<>(addresses)), addresses);
    for (ApiserverAddress address : addresses) {
      assertTrue(address.port() >= 1 && address.port() <= 65_535, address.toString());
      assertTrue(!address.ip().isLoopbackAddress() && !address.ip().isAnyLocalAddress());
    }
  }

  private static Optional<JsonValue> byGson(String text) {
    JsonReader reader = new JsonReader(new StringReader(text));
    reader.setStrictness(Strictness.STRICT);
    try {
      JsonElement element = GSON.read(reader);
      return reader.peek() == JsonToken.END_DOCUMENT
          ? Optional.of(tree(element))
          : Optional.empty();
    } catch (IOException | JsonParseException | IllegalStateException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static JsonValue tree(JsonElement element) {
    if (element.isJsonObject()) {
      Map<String, JsonValue> members = new LinkedHashMap<>();
      element.getAsJsonObject().asMap().forEach((name, value) -> members.put(name, tree(value)));
      return new JsonValue.Members(members);
    }
    if (element.isJsonArray()) {
      List<JsonValue> elements = new ArrayList<>();
      element.getAsJsonArray().forEach(value -> elements.add(tree(value)));
      return new JsonValue.Elements(elements);
    }
    if (element.isJsonNull()) {
      return new JsonValue.Null();
    }
    JsonPrimitive primitive = element.getAsJsonPrimitive();
    if (primitive.isBoolean()) {
      return new JsonValue.Flag(primitive.getAsBoolean());
    }
    return primitive.isNumber()
        ? new JsonValue.Numeral(primitive.getAsString())
        : new JsonValue.Text(primitive.getAsString());
  }
}
