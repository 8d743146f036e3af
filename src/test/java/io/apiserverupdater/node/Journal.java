package io.apiserverupdater.node;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.lab.LabException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The journal of one boot of a node as it was when asked for, by time. */
public record Journal(List<JournalEntry> entries) {

  /** Reads what {@code journalctl --output=json} prints. */
  static Journal parse(String lines) {
    List<JournalEntry> entries = new ArrayList<>();
    lines.lines().filter(line -> line.startsWith("{")).forEach(line -> entries.add(entry(line)));
    return new Journal(List.copyOf(entries));
  }

  private static JournalEntry entry(String line) {
    JsonObject fields = JsonParser.parseString(line).getAsJsonObject();
    boolean fromSystemd = fields.has("UNIT");
    return new JournalEntry(
        Long.parseLong(text(fields, "__MONOTONIC_TIMESTAMP")) * 1000,
        text(fields, "_BOOT_ID"),
        text(fields, fromSystemd ? "UNIT" : "_SYSTEMD_UNIT"),
        fromSystemd,
        text(fields, "MESSAGE"));
  }

  /** A field that is no text is an array of bytes there; nobody here asks for such. */
  private static String text(JsonObject fields, String key) {
    JsonElement value = fields.get(key);
    return value != null && value.isJsonPrimitive() ? value.getAsString() : "";
  }

  /** Only what this unit wrote. */
  public List<JournalEntry> of(String unit) {
    return entries.stream()
        .filter(entry -> entry.unit().equals(unit) && !entry.fromSystemd())
        .toList();
  }

  /** Only what systemd said of this unit. */
  public List<JournalEntry> about(String unit) {
    return entries.stream()
        .filter(entry -> entry.unit().equals(unit) && entry.fromSystemd())
        .toList();
  }

  /** The position, from 0, of the first entry that satisfies the predicate. */
  public int indexOf(String what, Predicate<JournalEntry> wanted) {
    for (int i = 0; i < entries.size(); i++) {
      if (wanted.test(entries.get(i))) {
        return i;
      }
    }
    throw new LabException("the journal has no " + what + ":\n" + this);
  }

  /**
   * The position, from 0, at which systemd first said of a unit that it has started or finished.
   */
  int indexOf(String word, String unit) {
    return indexOf(
        word + " " + unit,
        entry ->
            entry.fromSystemd()
                && entry.unit().equals(unit)
                && entry.message().startsWith(word + " "));
  }

  @Override
  public String toString() {
    return entries.stream().map(JournalEntry::toString).collect(Collectors.joining("\n"));
  }
}
