package io.apiserverupdater.sandbox;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.security.Principal;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockResponseBody;
import mockwebserver3.RecordedRequest;
import okhttp3.Handshake;
import okio.Buffer;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;

/**
 * Between the wire and {@link ApiHandler}, for one life of one apiserver: who asks, which fault
 * strikes, what is answered in which bytes. Called by one thread per request.
 */
final class HttpFront extends Dispatcher {
  private static final String DEPRECATED_ENDPOINTS =
      "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\"";
  private static final List<String> CHECKS = List.of("ping", "log", "etcd", "informer-sync");

  private final String apiserver;
  private final SandboxCluster cluster;
  private final SandboxApiserver.Life life;
  private final Set<String> failingChecks;
  private final ApiHandler handler;

  /**
   * @param failingChecks what /readyz complains about, now and later
   */
  HttpFront(
      String apiserver,
      SandboxCluster cluster,
      SandboxApiserver.Life life,
      Set<String> failingChecks) {
    this.apiserver = apiserver;
    this.cluster = cluster;
    this.life = life;
    this.failingChecks = failingChecks;
    this.handler = new ApiHandler(cluster.store());
  }

  @Override
  public MockResponse dispatch(RecordedRequest request) throws InterruptedException {
    // The server remembers each request until somebody takes it.
    life.server().takeRequest(0, TimeUnit.NANOSECONDS);
    return answer(request);
  }

  private MockResponse answer(RecordedRequest request) throws InterruptedException {
    String userAgent = header(request, "User-Agent");
    ApiHandler.Call call =
        new ApiHandler.Call(
            request.getMethod(),
            request.getUrl(),
            header(request, "Content-Type"),
            request.getBody() == null ? "" : request.getBody().utf8());
    RequestInfo info = ApiHandler.describe(call, apiserver, "", userAgent);
    Reply reply;
    Optional<FaultPlan.Strike> strike = Optional.empty();
    Optional<Integer> retryAfter = Optional.empty();
    try {
      String user =
          cluster
              .access()
              .authenticate(header(request, "Authorization"), commonName(request.getHandshake()));
      info = ApiHandler.describe(call, apiserver, user, userAgent);
      strike = cluster.faults().strike(info);
      Optional<Fault> fault = strike.map(FaultPlan.Strike::fault);
      if (fault.isPresent() && fault.get() instanceof Fault.NeverAnswered) {
        cluster.audit().add(info, 0);
        FaultPlan.Rule rule = strike.get().rule();
        awaitEnd(() -> !rule.isInForce());
        return cut(request);
      }
      if (fault.isPresent() && fault.get() instanceof Fault.CutBeforeHeaders) {
        cluster.audit().add(info, 0);
        return cut(request);
      }
      if (fault.isPresent() && fault.get() instanceof Fault.Refused refused) {
        retryAfter = refused.retryAfterSeconds();
        throw refused.error();
      }
      if (fault.isPresent() && fault.get() instanceof Fault.HtmlPage) {
        reply =
            new Reply.Text(200, "text/html", "<!DOCTYPE html><html><body>Sign in</body></html>\n");
      } else {
        cluster.access().authorize(info);
        Optional<Reply> health = health(call);
        reply = health.isPresent() ? health.get() : handler.handle(call, info);
      }
    } catch (ApiError e) {
      reply = new Reply.Document(e.code(), e.status());
    } catch (RuntimeException e) {
      ApiError error =
          ApiError.of(500, "InternalError", "Internal error occurred: sandbox defect: " + e);
      reply = new Reply.Document(500, error.status());
    }
    Optional<Fault> fault = strike.map(FaultPlan.Strike::fault);
    if (fault.isPresent() && fault.get() instanceof Fault.AnswerLost) {
      cluster.audit().add(info, 0);
      return cut(request);
    }
    if (fault.isPresent() && fault.get() instanceof Fault.AnsweredLate late) {
      life.over().await(late.delay().toNanos(), TimeUnit.NANOSECONDS);
    }
    MockResponse response = render(reply, fault, retryAfter, info, request);
    cluster.audit().add(info, response.getCode());
    return response;
  }

  private MockResponse render(
      Reply reply,
      Optional<Fault> fault,
      Optional<Integer> retryAfter,
      RequestInfo info,
      RecordedRequest request) {
    MockResponse.Builder response =
        new MockResponse.Builder()
            .setHeader("Audit-Id", UUID.randomUUID().toString())
            .setHeader("Cache-Control", "no-cache, private");
    retryAfter.ifPresent(seconds -> response.setHeader("Retry-After", seconds));
    if (fault.isPresent() && fault.get() instanceof Fault.Dated dated) {
      ZonedDateTime date = ZonedDateTime.now(ZoneOffset.UTC).plus(dated.ahead());
      response.setHeader("Date", DateTimeFormatter.RFC_1123_DATE_TIME.format(date));
    }
    if (info.group().isEmpty() && info.resource().equals("endpoints")) {
      response.setHeader("Warning", DEPRECATED_ENDPOINTS);
    }
    Runnable cut = () -> life.sockets().close(request.getConnectionIndex());
    if (reply instanceof Reply.Watch watch) {
      boolean chunked = request.getVersion().startsWith("HTTP/1");
      if (chunked) {
        response.setHeader("Transfer-Encoding", "chunked");
      }
      BooleanSupplier alive = () -> !life.isOver();
      return response
          .setHeader("Content-Type", "application/json")
          // Any delay makes the headers leave before the body has its first byte.
          .bodyDelay(1, TimeUnit.NANOSECONDS)
          .body(
              new WatchStream(
                  cluster.store(),
                  watch.request(),
                  cluster.bookmarkInterval(),
                  chunked,
                  alive,
                  Distortion.of(fault),
                  fault,
                  cut))
          // It would say -1.
          .removeHeader("Content-Length")
          .build();
    }
    String text;
    if (reply instanceof Reply.Document document) {
      boolean distorted = document.code() < 300;
      JsonObject json = distorted ? Distortion.of(fault).apply(document.json()) : document.json();
      text = Json.print(json) + "\n";
      response.code(document.code()).setHeader("Content-Type", "application/json");
    } else {
      Reply.Text plain = (Reply.Text) reply;
      text = plain.text();
      response.code(plain.code()).setHeader("Content-Type", plain.contentType());
    }
    if (fault.isPresent() && fault.get() instanceof Fault.MalformedJson) {
      text = text.substring(0, text.length() / 2);
    }
    boolean cutAtOnce = fault.isPresent() && fault.get() instanceof Fault.CutAfterHeaders;
    if (cutAtOnce || (fault.isPresent() && fault.get() instanceof Fault.CutInBody)) {
      return response
          .bodyDelay(1, TimeUnit.NANOSECONDS)
          .body(new TornBody(text, cutAtOnce ? 0 : text.length() / 2, cut))
          .build();
    }
    return response.body(new Buffer().writeUtf8(text)).build();
  }

  /** The apiserver's own health pages: short when all is well, a list of checks otherwise. */
  private Optional<Reply> health(ApiHandler.Call call) {
    String page = call.path().substring(1);
    if (!Set.of("readyz", "livez", "healthz").contains(page)) {
      return Optional.empty();
    }
    Set<String> failing = page.equals("readyz") ? new TreeSet<>(failingChecks) : Set.of();
    if (failing.isEmpty() && !call.url().queryParameterNames().contains("verbose")) {
      return Optional.of(new Reply.Text(200, "text/plain; charset=utf-8", "ok"));
    }
    Set<String> checks = new TreeSet<>(CHECKS);
    checks.addAll(failing);
    StringBuilder text = new StringBuilder();
    for (String check : checks) {
      text.append(
          failing.contains(check)
              ? "[-]" + check + " failed: reason withheld\n"
              : "[+]" + check + " ok\n");
    }
    text.append(page).append(failing.isEmpty() ? " check passed\n" : " check failed\n");
    return Optional.of(
        new Reply.Text(
            failing.isEmpty() ? 200 : 500, "text/plain; charset=utf-8", text.toString()));
  }

  private void awaitEnd(BooleanSupplier released) throws InterruptedException {
    cluster.pulse().await(() -> released.getAsBoolean() || life.isOver(), Duration.ofDays(1));
  }

  /** Closes the connection; the response that is returned reaches nobody. */
  private MockResponse cut(RecordedRequest request) {
    life.sockets().close(request.getConnectionIndex());
    return new MockResponse.Builder().code(500).build();
  }

  private static String header(RecordedRequest request, String name) {
    String value = request.getHeaders().get(name);
    return value == null ? "" : value;
  }

  private static String commonName(@Nullable Handshake handshake) {
    Principal principal = handshake == null ? null : handshake.peerPrincipal();
    if (principal == null) {
      return "";
    }
    try {
      return new LdapName(principal.getName())
          .getRdns().stream()
              .filter(rdn -> rdn.getType().equalsIgnoreCase("CN"))
              .map(rdn -> rdn.getValue().toString())
              .findFirst()
              .orElse("");
    } catch (InvalidNameException e) {
      return "";
    }
  }

  /** A body that announces its full length, and breaks off. */
  private record TornBody(String text, int sent, Runnable cut) implements MockResponseBody {
    @Override
    public long getContentLength() {
      return text.length();
    }

    @Override
    public void writeTo(BufferedSink sink) throws IOException {
      sink.writeUtf8(text.substring(0, sent));
      sink.flush();
      cut.run();
      throw new IOException("cut on purpose");
    }
  }
}
