package io.apiserverupdater.updater.status;

import com.google.gson.FormattingStyle;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.status.StatusReport.Gate;
import io.apiserverupdater.updater.status.StatusReport.LeaseHolder;
import io.apiserverupdater.updater.status.StatusReport.Listing;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Probe;
import io.apiserverupdater.updater.status.StatusReport.Replica;
import io.apiserverupdater.updater.status.StatusReport.Role;
import io.apiserverupdater.updater.status.StatusReport.Transition;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A report as JSON: what a replica serves, the command reads, and a script gets. Times are RFC 3339
 * in UTC, durations seconds; what is not known is left out. A reader passes over fields that it
 * does not know, so that replicas and commands of two versions understand each other.
 */
public final class JsonStatus {
  /** Where a replica serves it. */
  public static final String PATH = "/status.json";

  /** As kubectl prints it: four spaces for each level. */
  private static final Gson GSON =
      new GsonBuilder()
          .disableHtmlEscaping()
          .setFormattingStyle(FormattingStyle.PRETTY.withIndent("    "))
          .create();

  private JsonStatus() {}

  /** A text that is no report. */
  public static final class MalformedException extends Exception {
    MalformedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The text; it ends with a line feed. */
  public static String text(StatusReport report) {
    List<String> findings = Findings.of(report);
    JsonObject json = new JsonObject();
    json.add("at", time(report.at()));
    json.addProperty("well", findings.isEmpty());
    json.add("findings", texts(findings));
    json.addProperty("source", report.source());
    json.addProperty("target", report.target());
    report.lease().ifPresent(lease -> json.add("lease", lease(lease)));
    json.add("replicas", array(report.replicas(), JsonStatus::replica));
    json.add("members", array(report.members(), JsonStatus::member));
    json.add("gates", array(report.gates(), JsonStatus::gate));
    json.add("differences", texts(report.differences()));
    json.add("refusals", texts(report.refusals()));
    json.add("troubles", texts(report.troubles()));
    json.add("transitions", array(report.transitions(), JsonStatus::transition));
    return Printable.text(GSON.toJson(json)) + "\n";
  }

  private static JsonObject lease(LeaseHolder lease) {
    JsonObject json = new JsonObject();
    json.addProperty("holder", lease.identity());
    lease.since().ifPresent(it -> json.add("since", time(it)));
    lease.renewed().ifPresent(it -> json.add("renewed", time(it)));
    json.addProperty("durationSeconds", lease.duration().toSeconds());
    return json;
  }

  private static JsonObject replica(Replica replica) {
    JsonObject json = new JsonObject();
    json.addProperty("name", replica.name());
    json.addProperty("identity", replica.identity());
    json.addProperty("role", Words.of(replica.role()));
    replica.version().ifPresent(it -> json.addProperty("version", it));
    replica.started().ifPresent(it -> json.add("started", time(it)));
    replica.node().ifPresent(it -> json.addProperty("node", it));
    replica.silence().ifPresent(it -> json.addProperty("silence", it));
    return json;
  }

  private static JsonObject member(MemberStatus member) {
    JsonObject json = new JsonObject();
    json.addProperty("address", member.address());
    member.node().ifPresent(it -> json.addProperty("node", it));
    json.addProperty("source", Words.of(member.source()));
    json.addProperty("wanted", Words.of(member.wanted()));
    json.addProperty("published", Words.of(member.published()));
    member.drainedUntil().ifPresent(it -> json.add("drainedUntil", time(it)));
    json.add("probes", array(member.probes(), JsonStatus::probe));
    return json;
  }

  private static JsonObject probe(Probe probe) {
    JsonObject json = new JsonObject();
    json.addProperty("replica", probe.replica());
    json.addProperty("state", Words.of(probe.state()));
    probe.since().ifPresent(it -> json.add("since", time(it)));
    probe.latency().ifPresent(it -> json.addProperty("latencySeconds", seconds(it)));
    probe.certificateEnds().ifPresent(it -> json.add("certificateEnds", time(it)));
    json.addProperty("evidence", probe.evidence());
    return json;
  }

  private static JsonObject gate(Gate gate) {
    JsonObject json = new JsonObject();
    json.addProperty("family", gate.family().addressType());
    json.addProperty("mode", Words.of(gate.mode()));
    return json;
  }

  private static JsonObject transition(Transition transition) {
    JsonObject json = new JsonObject();
    json.add("at", time(transition.at()));
    json.addProperty("replica", transition.replica());
    json.addProperty("reason", transition.reason());
    json.addProperty("warning", transition.warning());
    json.addProperty("message", transition.message());
    return json;
  }

  /** With microseconds. */
  private static BigDecimal seconds(Duration time) {
    return BigDecimal.valueOf(time.toNanos() / 1000, 6);
  }

  private static JsonPrimitive time(Instant time) {
    return new JsonPrimitive(time.truncatedTo(ChronoUnit.MILLIS).toString());
  }

  private static JsonArray texts(List<String> texts) {
    JsonArray array = new JsonArray();
    texts.forEach(array::add);
    return array;
  }

  private static <T> JsonArray array(List<T> values, Function<T, JsonObject> toJson) {
    JsonArray array = new JsonArray();
    values.forEach(value -> array.add(toJson.apply(value)));
    return array;
  }

  /**
   * Reads what {@link #text} has written.
   *
   * @throws MalformedException when the text is not that
   */
  public static StatusReport read(String text) throws MalformedException {
    try {
      Fields json = new Fields(JsonParser.parseString(text).getAsJsonObject());
      return new StatusReport(
          json.time("at").orElseThrow(),
          json.text("source"),
          json.text("target"),
          json.child("lease").map(JsonStatus::readLease),
          json.list("replicas", JsonStatus::readReplica),
          json.list("members", JsonStatus::readMember),
          json.list("gates", JsonStatus::readGate),
          json.texts("differences"),
          json.texts("refusals"),
          json.list("transitions", JsonStatus::readTransition),
          json.texts("troubles"));
    } catch (RuntimeException | StackOverflowError e) {
      throw new MalformedException("not a status: " + e.getMessage(), e);
    }
  }

  private static LeaseHolder readLease(Fields json) {
    return new LeaseHolder(
        json.text("holder"),
        json.time("since"),
        json.time("renewed"),
        Duration.ofSeconds(json.number("durationSeconds").orElse(0.0).intValue()));
  }

  private static Replica readReplica(Fields json) {
    return new Replica(
        json.text("name"),
        json.text("identity"),
        json.word("role", Role.values(), Words::of, Role.UNKNOWN),
        json.optional("version"),
        json.time("started"),
        json.optional("node"),
        json.optional("silence"));
  }

  private static MemberStatus readMember(Fields json) {
    return new MemberStatus(
        json.text("address"),
        json.optional("node"),
        json.word("source", Listing.values(), Words::of, Listing.UNKNOWN),
        json.word("wanted", Listing.values(), Words::of, Listing.UNKNOWN),
        json.word("published", Listing.values(), Words::of, Listing.UNKNOWN),
        json.time("drainedUntil"),
        json.list("probes", JsonStatus::readProbe));
  }

  private static Probe readProbe(Fields json) {
    return new Probe(
        json.text("replica"),
        json.word("state", MemberHealth.State.values(), Words::of, MemberHealth.State.UNKNOWN),
        json.time("since"),
        json.number("latencySeconds").map(it -> Duration.ofNanos((long) (it * 1e9))),
        json.time("certificateEnds"),
        json.text("evidence"));
  }

  private static Gate readGate(Fields json) {
    return new Gate(
        AddressFamily.of(json.text("family")).orElseThrow(),
        Stream.of(GateState.Mode.values())
            .filter(mode -> Words.of(mode).equals(json.text("mode")))
            .findFirst()
            .orElseThrow());
  }

  private static Transition readTransition(Fields json) {
    return new Transition(
        json.time("at").orElseThrow(),
        json.text("replica"),
        json.text("reason"),
        json.get("warning").map(JsonElement::getAsBoolean).orElse(false),
        json.text("message"));
  }

  /** The fields of one object; what has another type than expected throws. */
  private record Fields(JsonObject object) {
    private Optional<JsonElement> get(String key) {
      return Optional.ofNullable(object.get(key)).filter(it -> !it.isJsonNull());
    }

    private Optional<String> optional(String key) {
      return get(key).map(JsonElement::getAsString);
    }

    private String text(String key) {
      return optional(key).orElse("");
    }

    private Optional<Double> number(String key) {
      return get(key).map(JsonElement::getAsDouble);
    }

    private Optional<Instant> time(String key) {
      return optional(key).map(Instant::parse);
    }

    private Optional<Fields> child(String key) {
      return get(key).map(it -> new Fields(it.getAsJsonObject()));
    }

    private <T> List<T> list(String key, Function<Fields, T> read) {
      List<T> list = new ArrayList<>();
      get(key)
          .ifPresent(
              array ->
                  array
                      .getAsJsonArray()
                      .forEach(it -> list.add(read.apply(new Fields(it.getAsJsonObject())))));
      return list;
    }

    private List<String> texts(String key) {
      List<String> texts = new ArrayList<>();
      get(key)
          .ifPresent(array -> array.getAsJsonArray().forEach(it -> texts.add(it.getAsString())));
      return texts;
    }

    /** A word of a newer version may not be known. */
    private <T> T word(String key, T[] values, Function<T, String> name, T otherwise) {
      String word = text(key);
      for (T value : values) {
        if (name.apply(value).equals(word)) {
          return value;
        }
      }
      return otherwise;
    }
  }
}
