package io.apiserverupdater.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import mockwebserver3.MockWebServer;

/**
 * One apiserver of a {@link SandboxCluster}, on an address of its own. It lives through start,
 * pause, kill and restart as a process would. Thread-safe; its life is driven by one thread at a
 * time.
 */
public final class SandboxApiserver {
  // Connections break on purpose here; each break would otherwise print a stack trace. The fields
  // keep the settings alive: the logging framework itself holds loggers weakly.
  private static final Logger HTTP2_LOG = Logger.getLogger("okhttp3.OkHttpClient");
  private static final Logger SERVER_LOG = Logger.getLogger("mockwebserver3.MockWebServer");

  static {
    HTTP2_LOG.setLevel(Level.WARNING);
    SERVER_LOG.setLevel(Level.SEVERE);
  }

  // Time for the last answers to leave before the connections close.
  private static final Duration FAREWELL = Duration.ofMillis(200);

  private final String name;
  private final InetAddress address;
  private final int port;
  private final SandboxCluster cluster;
  private final Set<String> failingChecks = new ConcurrentSkipListSet<>();
  private volatile State state = State.STOPPED;
  private Optional<Life> life = Optional.empty();

  /** What the process does. */
  public enum State {
    RUNNING,
    PAUSED,
    STOPPED
  }

  /** From start to end: a server cannot be started twice. */
  record Life(MockWebServer server, GatedSockets sockets, CountDownLatch over) {
    boolean isOver() {
      return over.getCount() == 0;
    }
  }

  SandboxApiserver(String name, InetAddress address, int port, SandboxCluster cluster) {
    this.name = name;
    this.address = address;
    this.port = port;
    this.cluster = cluster;
  }

  /** Also the common name of its serving certificate. */
  public String name() {
    return name;
  }

  /** An IPv4 loopback address. */
  public String ip() {
    return address.getHostAddress();
  }

  public int port() {
    return port;
  }

  /** {@code https://IP:PORT}. */
  public String url() {
    return "https://" + ip() + ":" + port;
  }

  public State state() {
    return state;
  }

  /** The names and the address that its certificate holds. */
  public List<String> certificateNames() {
    return List.of(
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "apiserver.cluster.local",
        "localhost",
        ip());
  }

  /** Starts, or starts again, on the same address; then joins the source. */
  public synchronized void start() {
    if (life.isPresent()) {
      throw new IllegalStateException(name + " is already running");
    }
    MockWebServer server = new MockWebServer();
    GatedSockets sockets = new GatedSockets();
    CountDownLatch over = new CountDownLatch(1);
    server.setServerSocketFactory(sockets);
    server.useHttps(
        cluster.pki().serving(cluster.pki().server(name, certificateNames()), cluster.clientPki()));
    server.requestClientAuth();
    Life started = new Life(server, sockets, over);
    server.setDispatcher(new HttpFront(name, cluster, started, failingChecks));
    try {
      server.start(address, port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    failingChecks.clear();
    life = Optional.of(started);
    state = State.RUNNING;
    cluster.source().joined(this);
    cluster.pulse().beat();
  }

  /**
   * As SIGTERM: leaves the source at once and is not ready for the cluster's drain time, in which
   * it goes on serving; then ends its watches, and a moment later its connections.
   */
  public void stopGracefully() {
    Life ending = runningLife();
    failingChecks.add("shutdown");
    cluster.source().left(this);
    cluster.pulse().beat();
    try {
      TimeUnit.NANOSECONDS.sleep(cluster.drain().toNanos());
      ending.over().countDown();
      cluster.store().wakeWatches();
      TimeUnit.NANOSECONDS.sleep(FAREWELL.toNanos());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    end();
  }

  /** As SIGKILL: all connections break at once; leaves the source when its lease runs out. */
  public void kill() {
    cluster.source().silent(this);
    end();
  }

  /**
   * As SIGSTOP: connections are accepted, and nothing is answered on new or old ones. Leaves the
   * source when its lease runs out.
   */
  public synchronized void pause() {
    runningLife().sockets().hold();
    state = State.PAUSED;
    cluster.source().silent(this);
    cluster.pulse().beat();
  }

  /** As SIGCONT: what was held is answered now; joins the source again. */
  public synchronized void resume() {
    state = State.RUNNING;
    runningLife().sockets().release();
    cluster.source().joined(this);
    cluster.pulse().beat();
  }

  /** Kills it, and starts it at once on the same address. */
  public void restart() {
    kill();
    start();
  }

  /** Alive and serving, but /readyz says 500 for these checks, such as "etcd". */
  public void failReadyz(String... checks) {
    failingChecks.addAll(List.of(checks));
  }

  public void passReadyz() {
    failingChecks.clear();
  }

  /** Breaks all its connections and goes on serving new ones. */
  public synchronized void breakConnections() {
    runningLife().sockets().closeAll();
  }

  /** Ends without a word to the source. Harmless when it has ended. */
  synchronized void end() {
    if (life.isEmpty()) {
      return;
    }
    Life ending = life.get();
    life = Optional.empty();
    state = State.STOPPED;
    ending.over().countDown();
    ending.sockets().closeAll();
    ending.sockets().release();
    cluster.store().wakeWatches();
    cluster.pulse().beat();
    ending.server().close();
  }

  private synchronized Life runningLife() {
    return life.orElseThrow(() -> new IllegalStateException(name + " is not running"));
  }
}
