package io.apiserverupdater.updater.kube.api;

import com.google.gson.ExclusionStrategy;
import com.google.gson.FieldAttributes;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import java.io.IOException;
import java.io.StringReader;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The models to and from JSON. Fields that the models do not know are passed over: the library's
 * own reader fails on them (kubernetes-client/java#3428), and a newer API server sends some.
 */
public final class KubeJson {
  /** Six digits, in UTC: what the API calls MicroTime. */
  private static final DateTimeFormatter MICRO_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'");

  /**
   * The record of who has set which field: it is most of an object, and nothing to us. The server
   * keeps that of an update that does not mention it.
   */
  private static final ExclusionStrategy WITHOUT_MANAGED_FIELDS =
      new ExclusionStrategy() {
        @Override
        public boolean shouldSkipField(FieldAttributes field) {
          return field.getDeclaringClass() == V1ObjectMeta.class
              && field.getName().equals("managedFields");
        }

        @Override
        public boolean shouldSkipClass(Class<?> type) {
          return false;
        }
      };

  private static final Gson GSON =
      new GsonBuilder()
          .setExclusionStrategies(WITHOUT_MANAGED_FIELDS)
          .registerTypeAdapter(OffsetDateTime.class, new TimeAdapter().nullSafe())
          .disableHtmlEscaping()
          .create();

  private KubeJson() {}

  /** An answer that is not what the API promises. */
  public static final class MalformedException extends Exception {
    public MalformedException(String message) {
      super(message);
    }

    public MalformedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Reads one JSON object.
   *
   * @throws MalformedException when the text is not one
   */
  public static JsonObject object(String text) throws MalformedException {
    try {
      JsonElement element = JsonParser.parseString(text);
      if (element.isJsonObject()) {
        return element.getAsJsonObject();
      }
    } catch (JsonParseException | StackOverflowError e) {
      throw new MalformedException("not JSON: " + start(text), e);
    }
    throw new MalformedException("not a JSON object: " + start(text));
  }

  /**
   * Reads a model.
   *
   * @throws MalformedException when a field has another type than the API promises
   */
  public static <T> T model(JsonElement json, Class<T> type) throws MalformedException {
    try {
      return present(GSON.fromJson(json, type), type);
    } catch (RuntimeException e) {
      throw new MalformedException("not a " + type.getSimpleName() + ": " + e.getMessage(), e);
    }
  }

  private static <T> T present(@Nullable T model, Class<T> type) throws MalformedException {
    if (model == null) {
      throw new MalformedException("null, expected a " + type.getSimpleName());
    }
    return model;
  }

  /**
   * Reads a model, without a tree of the fields that nobody asks for.
   *
   * @throws MalformedException when the text is no JSON, or a field has another type than the API
   *     promises
   */
  public static <T> T model(String text, Class<T> type) throws MalformedException {
    try {
      return present(GSON.fromJson(text, type), type);
    } catch (RuntimeException | StackOverflowError e) {
      throw new MalformedException(
          "not a " + type.getSimpleName() + ": " + start(text) + ": " + e.getMessage(), e);
    }
  }

  /**
   * What a watch tells in one line.
   *
   * @param type the API's word for it, "" when there is none
   * @param object of the given type, when the event brings one
   * @param other what else the event brings, a Status for instance
   */
  public record Event<T>(String type, Optional<T> object, Optional<JsonElement> other) {}

  /** A field that the API calls required and that may be missing all the same. */
  public static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  /** The text of a field; empty when it is missing, or is no text. */
  public static String field(JsonObject object, String key) {
    JsonElement value = object.get(key);
    return value != null && value.isJsonPrimitive() ? value.getAsString() : "";
  }

  /**
   * Reads one line of a watch.
   *
   * @param brings whether an event of this type brings a model
   * @throws MalformedException when it is not one, or a field has another type than the API
   *     promises
   */
  public static <T> Event<T> event(String line, Predicate<String> brings, Class<T> model)
      throws MalformedException {
    try {
      JsonReader reader = new JsonReader(new StringReader(line));
      String type = "";
      Optional<T> object = Optional.empty();
      Optional<JsonElement> other = Optional.empty();
      reader.beginObject();
      while (reader.hasNext()) {
        String name = reader.nextName();
        if (name.equals("type") && reader.peek() == JsonToken.STRING) {
          type = reader.nextString();
        } else if (name.equals("object") && brings.test(type)) {
          // The server sends the type first, so that no tree has to be built.
          object = Optional.ofNullable(GSON.fromJson(reader, model));
        } else if (name.equals("object")) {
          other = Optional.of(JsonParser.parseReader(reader));
        } else {
          reader.skipValue();
        }
      }
      reader.endObject();
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new MalformedException("more than one event in a line: " + start(line));
      }
      if (object.isEmpty() && other.isPresent() && brings.test(type)) {
        object = Optional.of(model(other.get(), model));
      }
      return new Event<>(type, object, other);
    } catch (IOException | RuntimeException | StackOverflowError e) {
      throw new MalformedException("not an event: " + start(line) + ": " + e.getMessage(), e);
    }
  }

  public static String text(Object model) {
    return GSON.toJson(model);
  }

  private static String start(String text) {
    return "\"" + text.strip().lines().findFirst().orElse("").replaceAll("(.{60}).*", "$1…") + "\"";
  }

  private static final class TimeAdapter extends TypeAdapter<OffsetDateTime> {
    @Override
    public void write(JsonWriter out, OffsetDateTime value) throws IOException {
      // The library's own writer appends a Z to local digits.
      out.value(MICRO_TIME.format(value.withOffsetSameInstant(ZoneOffset.UTC)));
    }

    @Override
    public OffsetDateTime read(JsonReader in) throws IOException {
      if (in.peek() != JsonToken.STRING) {
        throw new JsonParseException("expected a time at " + in.getPath());
      }
      String text = in.nextString();
      try {
        return OffsetDateTime.parse(text);
      } catch (DateTimeParseException e) {
        throw new JsonParseException("not a time at " + in.getPath() + ": " + text, e);
      }
    }
  }
}
