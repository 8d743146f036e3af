package io.apiserverupdater.sandbox;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Label and field selectors: equality, and existence of a label. */
final class Selector {
  private static final Pattern COMPARISON = Pattern.compile("([^=!]+?)\\s*(==|=|!=)\\s*(.*)");

  private Selector() {}

  /** Both selectors as one predicate; "" selects everything, what is not understood answers 400. */
  static Predicate<JsonObject> parse(String fieldSelector, String labelSelector) {
    List<Predicate<JsonObject>> all = new ArrayList<>();
    for (String term : terms(fieldSelector)) {
      all.add(fieldTerm(term));
    }
    for (String term : terms(labelSelector)) {
      all.add(labelTerm(term));
    }
    return object -> all.stream().allMatch(p -> p.test(object));
  }

  private static List<String> terms(String selector) {
    return selector.isBlank() ? List.of() : List.of(selector.split(",", -1));
  }

  private static Predicate<JsonObject> fieldTerm(String term) {
    Matcher matcher = COMPARISON.matcher(term.strip());
    if (!matcher.matches()) {
      throw ApiError.badRequest("invalid field selector: " + term);
    }
    List<String> path = List.of(matcher.group(1).split("\\.", -1));
    boolean equal = !matcher.group(2).equals("!=");
    String value = matcher.group(3);
    boolean known =
        path.equals(List.of("metadata", "name"))
            || path.equals(List.of("metadata", "namespace"))
            // Of Events, by which kubectl finds those about an object.
            || path.get(0).equals("involvedObject");
    if (!known) {
      throw ApiError.badRequest("field label not supported: " + matcher.group(1));
    }
    return object -> {
      JsonObject parent =
          Json.objectAt(object, path.subList(0, path.size() - 1).toArray(new String[0]));
      return equal == Json.stringAt(parent, path.get(path.size() - 1)).equals(value);
    };
  }

  private static Predicate<JsonObject> labelTerm(String rawTerm) {
    String term = rawTerm.strip();
    Matcher matcher = COMPARISON.matcher(term);
    if (matcher.matches()) {
      String key = matcher.group(1);
      String value = matcher.group(3);
      boolean equal = !matcher.group(2).equals("!=");
      return object -> {
        JsonObject labels = labels(object);
        return equal == (labels.has(key) && Json.stringAt(labels, key).equals(value));
      };
    }
    if (term.matches("!?[\\w./-]+")) {
      boolean wanted = !term.startsWith("!");
      String key = wanted ? term : term.substring(1);
      return object -> wanted == labels(object).has(key);
    }
    throw ApiError.badRequest("unable to parse requirement: " + term);
  }

  private static JsonObject labels(JsonObject object) {
    return Json.objectAt(object, "metadata", "labels");
  }
}
