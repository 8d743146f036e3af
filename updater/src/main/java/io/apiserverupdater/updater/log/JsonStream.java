package io.apiserverupdater.updater.log;

import com.google.gson.JsonObject;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.apiserver.printing.PrintableStream;
import java.io.PrintStream;
import java.time.Clock;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes a JSON object of each line that slf4j-simple writes: {@code ts} (RFC 3339, UTC), {@code
 * level}, {@code logger}, {@code msg}, and a string for each {@code key=value} in the message. A
 * stack trace becomes the field {@code stacktrace} of its line. Any other line becomes the {@code
 * msg} of an object without a logger.
 */
public final class JsonStream extends PrintableStream {
  private static final Pattern ENTRY =
      Pattern.compile("(TRACE|DEBUG|INFO|WARN|ERROR) (\\S+) - (.*)");

  /** A value between quotes may hold quotes: it ends where the next key begins. */
  private static final Pattern FIELD =
      Pattern.compile("(?<!\\S)([A-Za-z][\\w-]*)=(?:\"(.*?)\"(?=$| [A-Za-z][\\w-]*=)|(\\S*))");

  private final Clock clock;

  /** Written with the flush that ends it: its stack trace comes first. */
  private Optional<JsonObject> pending = Optional.empty();

  public JsonStream(PrintStream target, Clock clock) {
    super(target);
    this.clock = clock;
  }

  @Override
  public synchronized void println(@Nullable String line) {
    String shown = Printable.line(String.valueOf(line));
    Matcher entry = ENTRY.matcher(shown);
    if (entry.matches()) {
      pending = Optional.of(entry(entry.group(1), entry.group(2), entry.group(3)));
    } else {
      super.println(told(shown).toString());
    }
  }

  @Override
  public synchronized void println(@Nullable Object line) {
    String shown = Printable.text(String.valueOf(line));
    if (pending.isEmpty()) {
      println(shown);
      return;
    }
    JsonObject entry = pending.get();
    String above = entry.has("stacktrace") ? entry.get("stacktrace").getAsString() + "\n" : "";
    entry.addProperty("stacktrace", above + shown);
  }

  @Override
  public synchronized void flush() {
    pending.ifPresent(entry -> super.println(entry.toString()));
    pending = Optional.empty();
    super.flush();
  }

  private JsonObject entry(String level, String logger, String message) {
    JsonObject entry = new JsonObject();
    entry.addProperty("ts", StampedStream.stamp(clock));
    entry.addProperty("level", level.toLowerCase(Locale.ROOT));
    entry.addProperty("logger", logger);
    entry.addProperty("msg", message);
    Matcher field = FIELD.matcher(message);
    while (field.find()) {
      // What a server says comes behind our own words, and changes none of them.
      if (!entry.has(field.group(1))) {
        entry.addProperty(
            field.group(1), Optional.ofNullable(field.group(2)).orElse(field.group(3)));
      }
    }
    return entry;
  }

  /** What does not come from a logger: why the program ends, or what a command found. */
  private JsonObject told(String line) {
    JsonObject told = new JsonObject();
    told.addProperty("ts", StampedStream.stamp(clock));
    told.addProperty(
        "level",
        line.startsWith("error: ") ? "error" : line.startsWith("warning: ") ? "warn" : "info");
    told.addProperty("msg", line);
    return told;
  }
}
