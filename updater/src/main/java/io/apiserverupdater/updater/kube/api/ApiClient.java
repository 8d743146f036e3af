package io.apiserverupdater.updater.kube.api;

import com.google.gson.JsonObject;
import io.apiserverupdater.apiserver.probe.AnswerFault;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls the API at whichever apiserver answers. Every call has a deadline; servers are asked one
 * after the other, the likeliest first. Every write that goes through it names a resourceVersion or
 * creates an object, so asking the next server after a lost answer does no harm. Thread-safe.
 */
public final class ApiClient implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ApiClient.class);

  /** An answer longer than this is none that we asked for. */
  static final int MOST_BYTES = 1 << 20;

  /** How the reason begins when a server is not who it should be. */
  static final String CERTIFICATE = "certificate: ";

  private static final Duration SHORTEST_ATTEMPT = Duration.ofMillis(750);
  private static final Duration WATCH_OPEN = Duration.ofSeconds(5);
  private static final int MOST_WARNINGS = 100;

  /** In seconds. A server that asks for more is asked again all the same; for less, after 1 s. */
  private static final long LONGEST_RETRY_AFTER = 60;

  /** What a server that is too busy asks for without saying so. */
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Connections connections;
  private final ServerOrder order;
  private final LongSupplier monotonic;
  private final Set<String> warned = ConcurrentHashMap.newKeySet();
  private final Set<ServerAddress> wronglyCertified = ConcurrentHashMap.newKeySet();

  private final ScheduledThreadPoolExecutor deadlines;
  private final AtomicLong lastAnswerAt;
  private volatile ApiObserver observer = ApiObserver.NONE;

  public ApiClient(ClusterAccess access, String userAgent, LongSupplier monotonic) {
    this.order = new ServerOrder(access.server());
    this.monotonic = monotonic;
    this.lastAnswerAt = new AtomicLong(monotonic.getAsLong());
    this.deadlines =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "api-deadlines");
              thread.setDaemon(true);
              return thread;
            });
    deadlines.setRemoveOnCancelPolicy(true);
    this.connections = new Connections(access, userAgent, monotonic, deadlines);
  }

  /** From now on the observer is told of each call, and of each watch that ends. */
  public void observe(ApiObserver told) {
    observer = told;
  }

  /** Tells the observer that a watch has ended. */
  public void watchEnded(String resource, ApiObserver.WatchEnd end) {
    observer.watchEnded(resource, end);
  }

  /** The control planes by their own addresses, to be asked before the configured one. */
  public void setMembers(List<ServerAddress> members) {
    order.setMembers(members);
  }

  /** Leaves servers that are no control planes any more. */
  public void forgetOthers() {
    Set<ServerAddress> known = order.all();
    connections.retain(known);
    wronglyCertified.retainAll(known);
    moveWatches();
  }

  /**
   * The control planes that are to be asked last. Watches leave them: an apiserver that has lost
   * its etcd keeps a watch open, and is silent.
   */
  public void setUnready(Supplier<Set<ServerAddress>> members) {
    order.setUnready(members);
    moveWatches();
  }

  /** The monotonic clock, in nanoseconds. */
  public long now() {
    return monotonic.getAsLong();
  }

  /** How long ago any apiserver has answered anything. */
  public Duration sinceLastAnswer() {
    return Duration.ofNanos(Math.max(0, monotonic.getAsLong() - lastAnswerAt.get()));
  }

  /** Notes that a watch has brought something. */
  public void heard() {
    lastAnswerAt.set(monotonic.getAsLong());
  }

  /**
   * Sends a call, at most for the given time.
   *
   * @return {@link ApiAnswer.None} when no server gave a usable answer in time; a 429 when one was
   *     too busy and no other control plane could stand in; with how long to wait until any of them
   *     may be asked
   */
  public ApiAnswer send(ApiCall call, Duration timeout) {
    long deadline = monotonic.getAsLong() + timeout.toNanos();
    // A server that was tried twice is told once.
    Set<String> failures = new LinkedHashSet<>();
    Optional<ApiAnswer.Status> refused = Optional.empty();
    Map<ServerAddress, ApiAnswer.Status> said = new LinkedHashMap<>();
    Map<ServerAddress, ApiAnswer> doubtful = new LinkedHashMap<>();
    ServerOrder.Calls calls =
        call.isRenewal() ? ServerOrder.Calls.RENEWALS : ServerOrder.Calls.OTHERS;
    List<ServerAddress> known = order.candidates(calls, monotonic.getAsLong());
    // The first try may have met a connection that had just died in the pool.
    List<ServerAddress> candidates =
        known.size() == 1 ? List.of(known.get(0), known.get(0)) : known;
    for (int i = 0; i < candidates.size(); i++) {
      long left = deadline - monotonic.getAsLong();
      if (left <= 0) {
        Set<ServerAddress> unasked = new LinkedHashSet<>(candidates.subList(i, candidates.size()));
        candidates.subList(0, i).forEach(unasked::remove);
        if (!unasked.isEmpty()) {
          failures.add(
              unasked.stream()
                  .map(ServerAddress::toString)
                  .collect(Collectors.joining(", ", "no time left for ", "")));
        }
        break;
      }
      ServerAddress server = candidates.get(i);
      Optional<ApiAnswer.Status> spared = call.isRenewal() ? Optional.empty() : spared(server);
      if (spared.isPresent()) {
        said.put(server, spared.get());
        continue;
      }
      boolean standsIn =
          busy(said).isPresent()
              || doubtful.values().stream().anyMatch(ApiAnswer.Status.class::isInstance);
      if (standsIn && !mayStandIn(call, server)) {
        continue;
      }
      long servers = candidates.subList(i, candidates.size()).stream().distinct().count();
      // There is an answer already: to wait for one that is perhaps hanging must not cost much.
      long attempt =
          standsIn && order.isUnready(server)
              ? Math.min(left, SHORTEST_ATTEMPT.toNanos())
              : shareOf(left, servers);
      long sentAt = monotonic.getAsLong();
      try {
        ApiAnswer answer = attempt(server, call, Duration.ofNanos(attempt));
        if (answer instanceof ApiAnswer.Status status) {
          said.put(server, status);
        }
        if (answer instanceof ApiAnswer.Status status && status.isDoubtful(call.isRead())) {
          doubtful.put(server, status);
          continue;
        }
        if (answer instanceof ApiAnswer.Status status
            && status.code() >= 500
            && !call.isProxied()) {
          demote(server, status.describe());
          leave(server);
          failures.add(server + ": " + status.describe());
          refused = Optional.of(status);
          continue;
        }
        if (answer instanceof ApiAnswer.Status status && status.isBusy()) {
          noteBusy(server, status);
          continue;
        }
        promote(server, calls, sentAt);
        if (answer instanceof ApiAnswer.Ok && order.isMember(server)) {
          doubtful.forEach((refusing, why) -> contradict(refusing, server, why));
        }
        return answer;
      } catch (Connections.CredentialsException e) {
        return new ApiAnswer.None(reason(e));
      } catch (IOException | GeneralSecurityException e) {
        if (Thread.currentThread().isInterrupted()) {
          // It is to end: no server is to blame.
          return new ApiAnswer.None(reason(e));
        }
        failures.add(server + ": " + reason(e));
        if (!call.isRead() && isSilence(e)) {
          // A webhook may hold the write up. Only if another server takes it, is this one at fault.
          doubtful.put(server, new ApiAnswer.None(reason(e)));
          order.silent(server, monotonic.getAsLong());
          connections.evict(server);
        } else if (!call.isProxied()) {
          broke(server, e);
          leave(server);
        }
      }
    }
    Optional<ApiAnswer.Status> last = refused;
    return busy(said)
        .or(() -> unanimous(doubtful))
        .or(() -> last)
        .<ApiAnswer>map(status -> untilAnyMayBeAsked(status, candidates, said))
        .orElseGet(() -> new ApiAnswer.None(String.join("; ", failures)));
  }

  /** Renewals of the Lease spare nobody: a server takes them apart from what it is too busy for. */
  private boolean mayStandIn(ApiCall call, ServerAddress server) {
    return call.isRenewal()
        ? order.isMember(server)
        : order.mayStandIn(server, monotonic.getAsLong());
  }

  /** What the first one has said that asks to be spared. */
  private static Optional<ApiAnswer.Status> busy(Map<ServerAddress, ApiAnswer.Status> said) {
    return said.values().stream().filter(ApiAnswer.Status::isBusy).findFirst();
  }

  /**
   * How long one server is to be left alone says nothing of the others: the least that the members
   * have asked for, and soon if there is one that has not answered.
   */
  private ApiAnswer.Status untilAnyMayBeAsked(
      ApiAnswer.Status status,
      List<ServerAddress> candidates,
      Map<ServerAddress, ApiAnswer.Status> said) {
    Optional<Duration> least =
        candidates.stream()
            .filter(order::isMember)
            .map(
                server ->
                    Optional.ofNullable(said.get(server))
                        .flatMap(ApiAnswer.Status::retryAfter)
                        .orElse(RETRY_AFTER))
            .min(Comparator.naturalOrder());
    return status.retryAfter().isEmpty() || least.isEmpty() ? status : status.retryingAfter(least);
  }

  /**
   * Sends a write that nothing depends on. However it ends, the servers are asked in the same order
   * by all other calls as before: a rate limit for this kind of object, or a webhook that holds it
   * up, says nothing of them.
   *
   * @return the first answer that is not doubted, else that of the server that was asked last
   */
  public ApiAnswer sendAside(ApiCall call, Duration timeout) {
    long deadline = monotonic.getAsLong() + timeout.toNanos();
    List<ServerAddress> candidates =
        order.candidates(ServerOrder.Calls.OTHERS, monotonic.getAsLong());
    ApiAnswer last = new ApiAnswer.None("no time left");
    for (int i = 0; i < candidates.size(); i++) {
      long left = deadline - monotonic.getAsLong();
      if (left <= 0 || Thread.currentThread().isInterrupted()) {
        return last;
      }
      ServerAddress server = candidates.get(i);
      Optional<ApiAnswer.Status> spared = spared(server);
      if (spared.isPresent()) {
        last = spared.get();
        continue;
      }
      try {
        last = attempt(server, call, Duration.ofNanos(shareOf(left, candidates.size() - i)));
        if (!(last instanceof ApiAnswer.Status status
            && (status.isDoubtful(false) || status.isBusy()))) {
          return last;
        }
      } catch (IOException | GeneralSecurityException e) {
        last = new ApiAnswer.None(server + ": " + reason(e));
      }
    }
    return last;
  }

  /** The answer that a server gave when it asked to be spared, as long as that lasts. */
  private Optional<ApiAnswer.Status> spared(ServerAddress server) {
    return order
        .busyFor(server, monotonic.getAsLong())
        .map(
            left ->
                new ApiAnswer.Status(429, "", server + " asked to be spared", Optional.of(left)));
  }

  /** What all servers say that have answered; one that may pass is no final word. */
  private Optional<ApiAnswer.Status> unanimous(Map<ServerAddress, ApiAnswer> doubtful) {
    List<ApiAnswer.Status> refusals = new ArrayList<>();
    doubtful.forEach(
        (server, answer) -> {
          if (answer instanceof ApiAnswer.Status status) {
            refusals.add(status);
            if (!order.isMember(server)) {
              // A new connection to the configured address may lead to another server.
              connections.evict(server);
            }
          }
        });
    return refusals.stream()
        .filter(status -> !status.isRejection())
        .findFirst()
        .or(() -> refusals.stream().findFirst());
  }

  private void contradict(ServerAddress refusing, ServerAddress accepting, ApiAnswer doubtful) {
    if (doubtful instanceof ApiAnswer.None) {
      demote(refusing, doubtful.failure());
    } else {
      distrust(refusing, doubtful.failure() + "; " + accepting + " accepts the same");
    }
  }

  private void distrust(ServerAddress server, String why) {
    if (order.distrusted(server, monotonic.getAsLong())) {
      log.warn("apiserver=distrusted address={} reason=\"{}\"", server, why);
    }
    leave(server);
  }

  /**
   * All servers, and whether their word is doubted: others have accepted what one refused, or its
   * answers could not be read, within the last five minutes.
   */
  public Map<ServerAddress, Boolean> distrusted() {
    long now = monotonic.getAsLong();
    return order.all().stream()
        .collect(
            Collectors.toUnmodifiableMap(
                server -> server, server -> order.isDistrusted(server, now)));
  }

  /** Has the watches at any server go on at a better one. */
  private void moveWatches() {
    long now = monotonic.getAsLong();
    connections.cancelWatches(
        server -> order.isWorthLeaving(server, now) || order.isDemoted(server, now));
  }

  /** Has the watches at this server go on at a better one. */
  private void leave(ServerAddress server) {
    long now = monotonic.getAsLong();
    if (order.isWorthLeaving(server, now) || order.isDemoted(server, now)) {
      connections.cancelWatches(server::equals);
    }
  }

  /** Such a server is well, and says for how long it is to be spared (RFC 6585, section 4). */
  private void noteBusy(ServerAddress server, ApiAnswer.Status status) {
    log.debug("apiserver=busy address={} reason=\"{}\"", server, status.describe());
    order.busy(server, monotonic.getAsLong() + status.retryAfter().orElse(RETRY_AFTER).toNanos());
  }

  /**
   * The time for the next of several servers: an even share, so that one that accepts and never
   * answers costs no more than that, and the last one has all that is left. No less than 750 ms,
   * which an apiserver with a slow etcd may take: with less, the call goes to one server, and the
   * next call to another one if that was silent.
   *
   * @param left until the deadline of the call, in nanoseconds
   * @param servers that have not been asked, the next one included
   */
  static long shareOf(long left, long servers) {
    return servers == 1
        ? left
        : Math.min(left, Math.max(left / servers, SHORTEST_ATTEMPT.toNanos()));
  }

  private ApiAnswer attempt(ServerAddress server, ApiCall call, Duration timeout)
      throws IOException, GeneralSecurityException {
    long end = monotonic.getAsLong() + timeout.toNanos();
    ApiAnswer answer = exchange(server, call, end, false);
    // At 401 the token may just have been rotated.
    return answer instanceof ApiAnswer.Status status && status.code() == 401
        ? exchange(server, call, end, true)
        : answer;
  }

  private ApiAnswer exchange(ServerAddress server, ApiCall call, long end, boolean freshIdentity)
      throws IOException, GeneralSecurityException {
    long asked = monotonic.getAsLong();
    Connections.Connection connection = connections.get(freshIdentity);
    // A read waits for a credential plugin, at which a person may have to log in. A write that
    // comes
    // too late could land when somebody else leads.
    long left = end - (call.isRead() ? asked : monotonic.getAsLong());
    if (left <= 0) {
      throw new Connections.CredentialsException("the credentials took longer than the call may");
    }
    Transport.Reply reply =
        observed(
            server,
            () ->
                connection
                    .transport()
                    .exchange(server, call, connection.token(), Duration.ofNanos(left)),
            Transport.Reply::status);
    noteWarnings(reply);
    heard();
    return reply.isSuccess() ? new ApiAnswer.Ok(reply.body(), server) : status(reply);
  }

  /** What asks one server once. */
  private interface Question<T> {
    T ask() throws IOException;
  }

  private <T> T observed(ServerAddress server, Question<T> question, ToIntFunction<T> status)
      throws IOException {
    long sentAt = monotonic.getAsLong();
    ApiObserver.Result result = ApiObserver.Result.NO_ANSWER;
    try {
      T answer = question.ask();
      result = ApiObserver.Result.of(status.applyAsInt(answer));
      return answer;
    } finally {
      observer.called(server, result, Duration.ofNanos(monotonic.getAsLong() - sentAt));
    }
  }

  /**
   * Opens a watch at the likeliest server, where as a rule its list was read a moment ago, which
   * shows that the server has its etcd; at another ready one when that is too busy, or says what
   * others do not.
   *
   * @throws IOException when a server does not let it be opened within 5 s
   * @throws RefusedException when it says no
   */
  public WatchStream openWatch(ApiCall call, Duration quiet) throws IOException, RefusedException {
    Map<ServerAddress, ApiAnswer.Status> refusals = new LinkedHashMap<>();
    List<ServerAddress> candidates =
        order.candidates(ServerOrder.Calls.OTHERS, monotonic.getAsLong());
    for (ServerAddress server : candidates) {
      Optional<ApiAnswer.Status> spared = spared(server);
      if (spared.isPresent()) {
        refusals.put(server, spared.get());
        continue;
      }
      if (!refusals.isEmpty() && !order.mayTakeOver(server, monotonic.getAsLong())) {
        continue;
      }
      try {
        WatchStream stream = openWatch(server, call, quiet);
        refusals.forEach(
            (refusing, refusal) -> {
              if (!refusal.isBusy()) {
                contradict(refusing, stream.server(), refusal);
              }
            });
        return stream;
      } catch (RefusedException e) {
        if (!e.status().isBusy() && !e.status().isDoubtful(true)) {
          throw e;
        }
        refusals.put(server, e.status());
      } catch (IOException e) {
        if (refusals.isEmpty()) {
          throw e;
        }
        // It could not stand in: what the one that is well has said holds.
      }
    }
    throw new RefusedException(
        untilAnyMayBeAsked(refusals.values().iterator().next(), candidates, refusals));
  }

  private WatchStream openWatch(ServerAddress server, ApiCall call, Duration quiet)
      throws IOException, RefusedException {
    try {
      return openWatch(server, call, quiet, false);
    } catch (RefusedException e) {
      if (e.status().code() != 401) {
        throw e;
      }
      // The token may just have been rotated.
      return openWatch(server, call, quiet, true);
    }
  }

  private WatchStream openWatch(
      ServerAddress server, ApiCall call, Duration quiet, boolean freshIdentity)
      throws IOException, RefusedException {
    long sentAt = monotonic.getAsLong();
    Transport.Opened opened;
    try {
      Connections.Connection connection = connections.get(freshIdentity);
      opened =
          observed(
              server,
              () ->
                  connection.transport().open(server, call, connection.token(), WATCH_OPEN, quiet),
              answer -> answer.reply().status());
    } catch (Connections.CredentialsException e) {
      throw e;
    } catch (IOException | GeneralSecurityException e) {
      broke(server, e);
      throw new IOException(server + ": " + reason(e), e);
    }
    noteWarnings(opened.reply());
    heard();
    if (opened.stream().isPresent()) {
      promote(server, ServerOrder.Calls.OTHERS, sentAt);
      // It may have turned unready since it was chosen.
      if (order.isWorthLeavingAtOnce(server, monotonic.getAsLong())) {
        opened.stream().get().cancel();
      }
      return opened.stream().get();
    }
    ApiAnswer.Status status = status(opened.reply());
    if (status.code() >= 500) {
      demote(server, status.describe());
      leave(server);
    } else if (status.isBusy()) {
      noteBusy(server, status);
    }
    throw new RefusedException(status);
  }

  /**
   * Notes that what a server says cannot be read: others are asked before it for a while.
   *
   * @return the answer as it is to be told
   */
  public ApiAnswer.Unreadable unreadable(ServerAddress server, String why) {
    String told = "an answer that cannot be read: " + why;
    distrust(server, told);
    return new ApiAnswer.Unreadable(server + ": " + told);
  }

  /** Notes that a call or a watch broke: the server is asked last for a while. */
  public void broke(ServerAddress server, Exception e) {
    demote(server, reason(e));
    connections.evict(server);
  }

  private static boolean isSilence(Exception e) {
    return e instanceof InterruptedIOException;
  }

  private void promote(ServerAddress server, ServerOrder.Calls calls, long sentAt) {
    wronglyCertified.remove(server);
    if (order.succeeded(server, calls, sentAt)) {
      log.info("apiserver=up address={}", server);
    }
  }

  private void demote(ServerAddress server, String why) {
    boolean first = order.failed(server, monotonic.getAsLong());
    // A server that is merely away returns by itself; one that is not trusted needs a person.
    boolean distrust = why.startsWith(CERTIFICATE) && wronglyCertified.add(server);
    if (distrust) {
      // Its authority may just have been replaced.
      connections.expireCredentials();
    }
    if (first || distrust) {
      log.warn("apiserver=down address={} reason=\"{}\"", server, why);
    } else {
      log.debug("apiserver=down address={} reason=\"{}\"", server, why);
    }
  }

  private static ApiAnswer.Status status(Transport.Reply reply) {
    String reason = "";
    String message = "";
    try {
      JsonObject status = KubeJson.object(reply.body());
      reason = KubeJson.field(status, "reason");
      message = KubeJson.field(status, "message");
    } catch (KubeJson.MalformedException e) {
      message = "no Status object in the answer";
    }
    return new ApiAnswer.Status(
        reply.status(),
        reason,
        message.isEmpty() ? reply.words() : message,
        reply.retryAfter().flatMap(ApiClient::seconds));
  }

  /** Retry-After in seconds (RFC 9110, section 10.2.3); the date form is not used by the API. */
  private static Optional<Duration> seconds(String text) {
    return text.matches("[0-9]{1,6}")
        ? Optional.of(
            Duration.ofSeconds(Math.max(1, Math.min(Long.parseLong(text), LONGEST_RETRY_AFTER))))
        : Optional.empty();
  }

  private void noteWarnings(Transport.Reply reply) {
    for (String warning : reply.warnings()) {
      if (warned.size() < MOST_WARNINGS && warned.add(warning)) {
        log.info("warning={}", warning.replaceFirst("^299 - ", ""));
      }
    }
  }

  /** A failure in words: what the exception's class alone would say is said too. */
  public static String reason(Throwable failure) {
    Throwable deepest = failure;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException) {
        return CERTIFICATE + cause.getMessage();
      }
      deepest = cause;
    }
    // What failed before was told by the transport, which knows how far the call had come.
    Optional<ProbeResult.Unreachable> fault = AnswerFault.of(failure, AnswerFault.Stage.ANSWER);
    if (fault.isPresent()) {
      return fault.get().detail();
    }
    String message = failure.getMessage();
    if (message == null || message.isEmpty()) {
      return deepest.toString();
    }
    String cause = deepest.getMessage();
    return cause == null || message.contains(cause) ? message : message + ": " + cause;
  }

  /** Runs a short task after some time, unless it is cancelled before. */
  public ScheduledFuture<?> after(Duration time, Runnable task) {
    return deadlines.schedule(task, time.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** The server answered a watch with a status. */
  public static final class RefusedException extends Exception {
    private final transient ApiAnswer.Status status;

    public RefusedException(ApiAnswer.Status status) {
      super(status.describe());
      this.status = status;
    }

    public ApiAnswer.Status status() {
      return status;
    }
  }

  @Override
  public void close() {
    deadlines.shutdownNow();
    connections.close();
  }
}
