package io.apiserverupdater.updater.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Answers {@code /livez}, {@code /readyz} and {@code /metrics} over plain HTTP. */
public final class StatusServer implements AutoCloseable {
  private static final int WORKERS = 4;

  private final HttpServer server;
  private final ExecutorService workers;

  private StatusServer(HttpServer server, ExecutorService workers) {
    this.server = server;
    this.workers = workers;
  }

  /**
   * Binds the address; {@link #start} begins to answer.
   *
   * @throws IOException when the address cannot be bound
   */
  public static StatusServer bind(
      InetSocketAddress address, List<HealthCheck> checks, List<Gauge> gauges) throws IOException {
    // A peer that is slow to send its request is let go of: the JDK's default is to wait forever.
    System.setProperty("sun.net.httpserver.maxReqTime", "2");
    System.setProperty("sun.net.httpserver.maxRspTime", "5");
    // Looked at every second, by default: an idle updater has no other reason to wake.
    System.setProperty("sun.net.httpserver.timerMillis", "3000");
    HttpServer server = HttpServer.create(address, 16);
    // Each request is read by a worker: one slow peer must not keep the kubelet's probes waiting.
    ThreadPoolExecutor workers =
        new ThreadPoolExecutor(
            WORKERS,
            WORKERS,
            1,
            TimeUnit.MINUTES,
            new LinkedBlockingQueue<>(64),
            task -> {
              Thread thread = new Thread(task, "status-server");
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    workers.allowCoreThreadTimeOut(true);
    server.setExecutor(workers);
    List<HealthCheck> live = checks.stream().filter(HealthCheck::live).toList();
    server.createContext("/livez", exchange -> answer(exchange, "livez", live));
    server.createContext("/healthz", exchange -> answer(exchange, "healthz", live));
    server.createContext("/readyz", exchange -> answer(exchange, "readyz", checks));
    server.createContext("/metrics", exchange -> scrape(exchange, gauges));
    return new StatusServer(server, workers);
  }

  public void start() {
    server.start();
  }

  /** Where it listens, also when port 0 was asked for. */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  @Override
  public void close() {
    server.stop(0);
    workers.shutdownNow();
  }

  private static void answer(HttpExchange exchange, String name, List<HealthCheck> checks)
      throws IOException {
    try (exchange) {
      String query = exchange.getRequestURI().getRawQuery();
      Set<String> parameters =
          query == null ? Set.of() : Set.copyOf(Arrays.asList(query.split("&")));
      boolean verbose =
          parameters.stream().anyMatch(p -> p.equals("verbose") || p.startsWith("verbose="));
      Set<String> exclude =
          parameters.stream()
              .filter(p -> p.startsWith("exclude="))
              .map(p -> p.substring("exclude=".length()))
              .collect(Collectors.toUnmodifiableSet());
      HealthReport report =
          report(exchange.getRequestURI().getPath(), name, checks, exclude, verbose);
      send(exchange, report.status(), report.text(), "text/plain; charset=utf-8");
    }
  }

  private static void scrape(HttpExchange exchange, List<Gauge> gauges) throws IOException {
    try (exchange) {
      if (!exchange.getRequestURI().getPath().equals("/metrics")) {
        send(exchange, 404, "not found\n", "text/plain; charset=utf-8");
        return;
      }
      send(exchange, 200, Gauge.text(gauges), "text/plain; version=0.0.4; charset=utf-8");
    }
  }

  private static void send(HttpExchange exchange, int status, String text, String type)
      throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
  }

  /** All checks, or the one that the path names, as in {@code /readyz/apiserver}. */
  private static HealthReport report(
      String path, String name, List<HealthCheck> checks, Set<String> exclude, boolean verbose) {
    String rest = path.substring(("/" + name).length()).replaceAll("^/|/$", "");
    if (rest.isEmpty()) {
      return HealthReport.of(name, checks, exclude, verbose);
    }
    List<HealthCheck> one = checks.stream().filter(check -> check.name().equals(rest)).toList();
    return one.isEmpty()
        ? new HealthReport(404, "no check \"" + rest + "\"\n")
        : HealthReport.of(name, one, exclude, verbose);
  }
}
