package io.apiserverupdater.manifests;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/**
 * A Prometheus that scrapes replicas in a lab and evaluates rules, each every second. It listens on
 * the loopback address of its namespace. Thread-safe.
 */
public final class Prometheus implements AutoCloseable {
  /** Between two scrapes of a replica, and between two evaluations of a rule. */
  public static final Duration INTERVAL = Duration.ofSeconds(1);

  private static final int PORT = 9090;

  /** It answers with 11,000 moments at most. */
  private static final Duration LONGEST = Duration.ofHours(3);

  private static final Duration START = Duration.ofSeconds(30);

  private final LabProcess process;
  private final Instant started;
  private final OkHttpClient http =
      new OkHttpClient.Builder().callTimeout(Duration.ofSeconds(20)).build();

  private Prometheus(LabProcess process) {
    this.process = process;
    this.started = Instant.now();
  }

  /**
   * Starts it and waits until it serves.
   *
   * @param projectRoot the checkout
   * @param folder a new one is made in it, for its data
   * @param log what it prints is appended to it
   * @param pods the address and port of each replica's status server, by the name of its pod
   */
  public static Prometheus start(
      Path projectRoot, Path folder, Path log, AlertRules rules, Map<String, String> pods) {
    Path own = folder.resolve("prometheus");
    Path program = Promtool.locate(projectRoot).program().resolveSibling("prometheus");
    try {
      Files.createDirectories(own);
      Files.writeString(own.resolve("rules.yaml"), rules.text());
      Files.writeString(own.resolve("prometheus.yaml"), configuration(pods).toString());
    } catch (IOException e) {
      throw new LabException("cannot write the configuration of Prometheus", e);
    }
    Prometheus prometheus =
        new Prometheus(
            LabProcess.start(
                "prometheus",
                new ProcessBuilder(
                    program.toString(),
                    "--config.file=" + own.resolve("prometheus.yaml"),
                    "--storage.tsdb.path=" + own.resolve("data"),
                    "--web.listen-address=127.0.0.1:" + PORT,
                    "--log.level=warn"),
                log));
    Deadline.in(START)
        .await("Prometheus to serve", prometheus::isReady, prometheus.process::logTail);
    return prometheus;
  }

  /** With the labels that the operator gives the targets of a PodMonitor. JSON is YAML. */
  private static JsonObject configuration(Map<String, String> pods) {
    JsonArray targets = new JsonArray();
    new TreeMap<>(pods)
        .forEach(
            (pod, address) ->
                targets.add(
                    Json.of(
                        "targets",
                        List.of(address),
                        "labels",
                        Map.of("namespace", "kube-system", "pod", pod))));
    String interval = INTERVAL.toSeconds() + "s";
    return Json.of(
        "global",
        Map.of(
            "scrape_interval", interval,
            "scrape_timeout", interval,
            "evaluation_interval", interval),
        "rule_files",
        List.of("rules.yaml"),
        "scrape_configs",
        List.of(Json.of("job_name", "apiserver-updater", "static_configs", targets)));
  }

  private boolean isReady() {
    try (Response response = http.newCall(request("/-/ready", Map.of())).execute()) {
      return response.isSuccessful();
    } catch (IOException e) {
      return false;
    }
  }

  private static Request request(String path, Map<String, String> query) {
    HttpUrl.Builder url =
        new HttpUrl.Builder().scheme("http").host("127.0.0.1").port(PORT).encodedPath(path);
    query.forEach(url::addQueryParameter);
    return new Request.Builder().url(url.build()).build();
  }

  private JsonObject ask(String path, Map<String, String> query) {
    try (Response response = http.newCall(request("/api/v1/" + path, query)).execute()) {
      String text = response.body().string();
      if (!response.isSuccessful()) {
        throw new LabException(query + " was answered " + response.code() + ": " + text);
      }
      return Json.objectAt(Json.parse(text), "data");
    } catch (IOException e) {
      throw new LabException("Prometheus does not answer: " + process.logTail(), e);
    }
  }

  /**
   * An alert that fires.
   *
   * @param labels its name and severity among them
   */
  public record Alert(Map<String, String> labels, Map<String, String> annotations) {}

  /** Those that fire now. */
  public List<Alert> firing() {
    List<Alert> firing = new ArrayList<>();
    for (JsonElement element : Json.arrayAt(ask("alerts", Map.of()), "alerts")) {
      JsonObject alert = element.getAsJsonObject();
      if (Json.stringAt(alert, "state").equals("firing")) {
        firing.add(
            new Alert(
                strings(Json.objectAt(alert, "labels")),
                strings(Json.objectAt(alert, "annotations"))));
      }
    }
    return firing;
  }

  /**
   * From when until when an alert has fired.
   *
   * @param until empty if it still does
   */
  public record Firing(Map<String, String> labels, Instant from, Optional<Instant> until) {}

  /** Those that have fired since the start, at most three hours ago, by time. */
  public List<Firing> history() {
    List<Firing> history = new ArrayList<>();
    Instant now = Instant.now();
    for (Series series : series("ALERTS{alertstate=\"firing\"}", now)) {
      Map<String, String> labels = new TreeMap<>(series.labels());
      labels.keySet().removeAll(List.of("__name__", "alertstate"));
      for (List<Point> run : series.runs()) {
        Instant last = run.get(run.size() - 1).at();
        history.add(
            new Firing(labels, run.get(0).at(), Optional.of(last).filter(at -> isGap(at, now))));
      }
    }
    history.sort(Comparator.comparing(Firing::from));
    return history;
  }

  private static boolean isGap(Instant from, Instant until) {
    return Duration.between(from, until).compareTo(INTERVAL.multipliedBy(2)) > 0;
  }

  /** A number at a moment. */
  public record Point(Instant at, double value) {}

  /**
   * A series in steps of {@link #INTERVAL}.
   *
   * @param points those that are finite numbers, by time
   */
  public record Series(Map<String, String> labels, List<Point> points) {
    /** The points in groups without a gap. */
    public List<List<Point>> runs() {
      List<List<Point>> runs = new ArrayList<>();
      int from = 0;
      for (int i = 1; i <= points.size(); i++) {
        if (i == points.size() || isGap(points.get(i - 1).at(), points.get(i).at())) {
          runs.add(points.subList(from, i));
          from = i;
        }
      }
      return runs;
    }
  }

  /**
   * All series of an expression since the start, at most three hours ago.
   *
   * @throws LabException if it is no expression
   */
  public List<Series> series(String expression, Instant until) {
    List<Series> all = new ArrayList<>();
    for (JsonElement element : range(expression, until)) {
      JsonObject series = element.getAsJsonObject();
      List<Point> points = new ArrayList<>();
      for (JsonElement pair : Json.arrayAt(series, "values")) {
        double value = number(pair.getAsJsonArray().get(1).getAsString());
        if (Double.isFinite(value)) {
          points.add(new Point(instant(pair.getAsJsonArray().get(0).getAsDouble()), value));
        }
      }
      all.add(new Series(strings(Json.objectAt(series, "metric")), points));
    }
    return all;
  }

  private static double number(String text) {
    return Double.parseDouble(text.replace("Inf", "Infinity"));
  }

  /** The numbers of all series of an expression, as {@link #series}. */
  public List<Double> values(String expression) {
    return series(expression, Instant.now()).stream()
        .flatMap(series -> series.points().stream())
        .map(Point::value)
        .toList();
  }

  /** When it was started. */
  public Instant started() {
    return started;
  }

  private JsonArray range(String expression, Instant end) {
    Instant earliest = end.minus(LONGEST);
    return Json.arrayAt(
        ask(
            "query_range",
            Map.of(
                "query",
                expression,
                "start",
                (started.isAfter(earliest) ? started : earliest).toString(),
                "end",
                end.toString(),
                "step",
                INTERVAL.toSeconds() + "s")),
        "result");
  }

  private static Instant instant(double seconds) {
    return Instant.ofEpochMilli(Math.round(seconds * 1000));
  }

  private static Map<String, String> strings(JsonObject object) {
    Map<String, String> strings = new TreeMap<>();
    object.keySet().forEach(key -> strings.put(key, Json.stringAt(object, key)));
    return strings;
  }

  @Override
  public void close() {
    process.close();
    http.connectionPool().evictAll();
  }
}
