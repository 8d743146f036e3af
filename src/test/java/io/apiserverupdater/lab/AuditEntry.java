package io.apiserverupdater.lab;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A line of an apiserver's audit log. What an entry does not have is {@code ""}.
 *
 * @param received when the request came in, to the microsecond
 * @param completed when the entry was made: at the end of the request, or when a watch began
 * @param stage ResponseComplete, or ResponseStarted for a watch that has begun
 * @param verb get, list, watch, create, update, patch, delete, …
 * @param group the API group, {@code ""} for core
 * @param status the HTTP status, 0 when there was none
 */
public record AuditEntry(
    Instant received,
    Instant completed,
    String stage,
    String verb,
    String user,
    String userAgent,
    String sourceAddress,
    String group,
    String resource,
    String subresource,
    String namespace,
    String name,
    String uri,
    int status) {

  private static final List<String> WRITES =
      List.of("create", "update", "patch", "delete", "deletecollection");

  /** Whether it could have changed something. */
  public boolean isWrite() {
    return WRITES.contains(verb);
  }

  static List<AuditEntry> read(Path log) {
    List<AuditEntry> entries = new ArrayList<>();
    if (!Files.exists(log)) {
      return entries;
    }
    try (BufferedReader reader = Files.newBufferedReader(log)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        parse(line).ifPresent(entries::add);
      }
    } catch (IOException e) {
      throw new LabException("cannot read " + log, e);
    }
    return entries;
  }

  /** Empty for a line that is still being written. */
  private static Optional<AuditEntry> parse(String line) {
    JsonObject entry;
    try {
      JsonElement element = JsonParser.parseString(line);
      if (!element.isJsonObject()) {
        return Optional.empty();
      }
      entry = element.getAsJsonObject();
    } catch (JsonSyntaxException e) {
      return Optional.empty();
    }
    JsonObject object = child(entry, "objectRef");
    JsonObject response = child(entry, "responseStatus");
    String source =
        entry.has("sourceIPs") ? entry.getAsJsonArray("sourceIPs").get(0).getAsString() : "";
    return Optional.of(
        new AuditEntry(
            Instant.parse(text(entry, "requestReceivedTimestamp")),
            Instant.parse(text(entry, "stageTimestamp")),
            text(entry, "stage"),
            text(entry, "verb"),
            text(child(entry, "user"), "username"),
            text(entry, "userAgent"),
            source,
            text(object, "apiGroup"),
            text(object, "resource"),
            text(object, "subresource"),
            text(object, "namespace"),
            text(object, "name"),
            text(entry, "requestURI"),
            response.has("code") ? response.get("code").getAsInt() : 0));
  }

  private static JsonObject child(JsonObject object, String key) {
    return object.has(key) ? object.getAsJsonObject(key) : new JsonObject();
  }

  private static String text(JsonObject object, String key) {
    return object.has(key) ? object.get(key).getAsString() : "";
  }
}
