package io.apiserverupdater.updater.kube;

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
import java.io.IOException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;

/**
 * The models to and from JSON. Fields that the models do not know are passed over: the library's
 * own reader fails on them (kubernetes-client/java#3428), and a newer API server sends some.
 */
final class KubeJson {
  /** Six digits, in UTC: what the API calls MicroTime. */
  private static final DateTimeFormatter MICRO_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'");

  private static final Gson GSON =
      new GsonBuilder()
          .registerTypeAdapter(OffsetDateTime.class, new TimeAdapter().nullSafe())
          .disableHtmlEscaping()
          .create();

  private KubeJson() {}

  /** An answer that is not what the API promises. */
  static final class MalformedException extends Exception {
    MalformedException(String message) {
      super(message);
    }

    MalformedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Reads one JSON object.
   *
   * @throws MalformedException when the text is not one
   */
  static JsonObject object(String text) throws MalformedException {
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
  static <T> T model(JsonElement json, Class<T> type) throws MalformedException {
    try {
      T model = GSON.fromJson(json, type);
      if (model != null) {
        return model;
      }
    } catch (RuntimeException e) {
      throw new MalformedException("not a " + type.getSimpleName() + ": " + e.getMessage(), e);
    }
    throw new MalformedException("null, expected a " + type.getSimpleName());
  }

  static String text(Object model) {
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
