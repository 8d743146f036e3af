package io.apiserverupdater.updater.kube;

import com.google.gson.JsonObject;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.events.EventSeries;
import io.apiserverupdater.updater.events.EventSink;
import io.apiserverupdater.updater.kube.api.ApiAnswer;
import io.apiserverupdater.updater.kube.api.ApiCall;
import io.apiserverupdater.updater.kube.api.ApiClient;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Events about the target Service, as {@code kubectl describe service} shows them. They are of the
 * oldest API group: one of events.k8s.io has no last time, and kubectl sorts by that.
 */
final class KubeEventSink implements EventSink {
  private static final String REPORTER = "apiserver-updater";

  /** What events.k8s.io permits. */
  private static final int LONGEST_MESSAGE = 1000;

  private static final int LONGEST_INSTANCE = 128;

  private final ApiClient api;
  private final TargetName target;
  private final Supplier<Optional<String>> uid;
  private final String instance;

  /**
   * @param uid that of the Service, "" if there is none; empty while that is not known
   * @param instance who this replica is
   */
  KubeEventSink(ApiClient api, TargetName target, Supplier<Optional<String>> uid, String instance) {
    this.api = api;
    this.target = target;
    this.uid = uid;
    this.instance =
        instance.length() > LONGEST_INSTANCE ? instance.substring(0, LONGEST_INSTANCE) : instance;
  }

  @Override
  public Optional<String> subject() {
    return uid.get();
  }

  @Override
  public Outcome create(EventSeries series, Duration timeout) {
    ApiAnswer answer = api.sendAside(ApiCall.post(collection(), whole(series).toString()), timeout);
    // An answer that was lost: it is there already.
    return answer instanceof ApiAnswer.Status status && status.code() == 409
        ? update(series, timeout)
        : outcome(answer);
  }

  @Override
  public Outcome update(EventSeries series, Duration timeout) {
    JsonObject changes = new JsonObject();
    changes.addProperty("count", series.count());
    changes.addProperty("lastTimestamp", time(series.last()));
    String path = collection() + "/" + name(series);
    ApiAnswer answer = api.sendAside(ApiCall.patch(path, changes.toString()), timeout);
    return answer instanceof ApiAnswer.Status status && status.code() == 404
        ? new Outcome.Gone()
        : outcome(answer);
  }

  private static Outcome outcome(ApiAnswer answer) {
    if (answer instanceof ApiAnswer.Ok || answer instanceof ApiAnswer.Unreadable) {
      return new Outcome.Done();
    }
    return answer instanceof ApiAnswer.Status status && status.isRejection()
        ? new Outcome.Rejected(status.describe())
        : new Outcome.Failed(answer.failure());
  }

  private String collection() {
    return "/api/v1/namespaces/" + target.namespace() + "/events";
  }

  /** As client-go names them: by the object and the time, and here by what happened as well. */
  private String name(EventSeries series) {
    Instant first = series.first();
    return "%s.%x%06x%08x"
        .formatted(
            target.service(),
            first.getEpochSecond(),
            first.getNano() / 1_000,
            (series.reason() + series.message()).hashCode());
  }

  private JsonObject whole(EventSeries series) {
    JsonObject metadata = new JsonObject();
    metadata.addProperty("name", name(series));
    metadata.addProperty("namespace", target.namespace());
    JsonObject about = new JsonObject();
    about.addProperty("apiVersion", "v1");
    about.addProperty("kind", "Service");
    about.addProperty("namespace", target.namespace());
    about.addProperty("name", target.service());
    // kubectl describe asks for the Events of this very object.
    uid.get().filter(it -> !it.isEmpty()).ifPresent(it -> about.addProperty("uid", it));
    JsonObject source = new JsonObject();
    source.addProperty("component", REPORTER);
    JsonObject event = new JsonObject();
    event.addProperty("apiVersion", "v1");
    event.addProperty("kind", "Event");
    event.add("metadata", metadata);
    event.add("involvedObject", about);
    event.add("source", source);
    event.addProperty("reportingComponent", REPORTER);
    event.addProperty("reportingInstance", instance);
    event.addProperty("type", series.reason().type().toString());
    event.addProperty("reason", series.reason().toString());
    event.addProperty("message", Printable.line(series.message(), LONGEST_MESSAGE));
    event.addProperty("count", series.count());
    event.addProperty("firstTimestamp", time(series.first()));
    event.addProperty("lastTimestamp", time(series.last()));
    return event;
  }

  /** The API keeps whole seconds. */
  private static String time(Instant moment) {
    return moment.truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
