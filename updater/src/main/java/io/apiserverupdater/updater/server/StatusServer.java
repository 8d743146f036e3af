package io.apiserverupdater.updater.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * Answers {@code /livez}, {@code /readyz}, {@code /metrics} and documents over plain HTTP.
 *
 * <p>Everybody in the cluster may connect, and the kubelet kills a pod that does not answer its
 * probes. So no thread waits for the bytes of a client, and when there are too many clients, the
 * one that has been silent for longest is closed; never the newest, which may be the kubelet.
 */
public final class StatusServer implements AutoCloseable {
  private static final int MAX_CONNECTIONS = 256;

  /** Of answers that clients have not taken yet: the heap has 24 MiB. */
  private static final int MAX_HELD_BYTES = 2 << 20;

  /** Between two looks at the clients that are there already. */
  private static final int MAX_ACCEPTS = 32;

  /** What the kernel keeps meanwhile, net.core.somaxconn at most: beyond it, clients wait 1 s. */
  private static final int BACKLOG = 4096;

  /**
   * While no client can be taken, because the process has no file descriptors left and no
   * connection here to close: the kernel keeps those that wait, and to try at once again would be a
   * busy loop.
   */
  private static final Duration ACCEPT_PAUSE = Duration.ofMillis(100);

  private static final Duration STOP = Duration.ofSeconds(1);

  private final ServerSocketChannel listener;
  private final Selector selector;
  private final SelectionKey accepting;
  private final InetSocketAddress address;
  private final StatusPages pages;
  private final LongSupplier monotonic;
  private final Thread thread = new Thread(this::run, "status-server");
  private volatile boolean closed;

  // Of the thread only.
  private Optional<Long> acceptFrom = Optional.empty();

  private StatusServer(
      ServerSocketChannel listener, Selector selector, StatusPages pages, LongSupplier monotonic)
      throws IOException {
    this.listener = listener;
    this.selector = selector;
    this.accepting = listener.register(selector, SelectionKey.OP_ACCEPT);
    this.address = (InetSocketAddress) listener.getLocalAddress();
    this.pages = pages;
    this.monotonic = monotonic;
    thread.setDaemon(true);
  }

  /**
   * Binds the address; {@link #start} begins to answer.
   *
   * @param monotonic as {@link System#nanoTime}
   * @throws IOException when the address cannot be bound
   */
  public static StatusServer bind(
      InetSocketAddress address,
      List<HealthCheck> checks,
      MetricsPage metrics,
      List<Document> documents,
      LongSupplier monotonic)
      throws IOException {
    if (address.isUnresolved()) {
      throw new UnknownHostException("no address is known for " + address.getHostString());
    }
    ServerSocketChannel listener = ServerSocketChannel.open();
    try {
      listener.bind(address, BACKLOG);
      listener.configureBlocking(false);
      Selector selector = Selector.open();
      return new StatusServer(
          listener, selector, new StatusPages(checks, metrics, documents), monotonic);
    } catch (IOException e) {
      listener.close();
      throw e;
    }
  }

  public void start() {
    thread.start();
  }

  /** Where it listens, also when port 0 was asked for. */
  public InetSocketAddress address() {
    return address;
  }

  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    try {
      if (thread.isAlive()) {
        thread.join(STOP.toMillis());
      } else {
        release();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (!closed) {
        selector.select(this::serve, untilNextLimit());
        closeSilent();
        acceptAgain();
      }
    } catch (IOException e) {
      // Without its selector it cannot serve: the probes fail, and the kubelet restarts the pod.
    } finally {
      release();
    }
  }

  /** In ms, as {@link Selector#select(long)} takes it: 0 waits without end. */
  private long untilNextLimit() {
    long now = monotonic.getAsLong();
    return Stream.concat(
            connections().stream().map(key -> client(key).left(now)),
            acceptFrom.stream().map(from -> Duration.ofNanos(from - now)))
        .min(Comparator.naturalOrder())
        .map(left -> Math.max(1, TimeUnit.NANOSECONDS.toMillis(left.toNanos()) + 1))
        .orElse(0L);
  }

  private List<SelectionKey> connections() {
    return selector.keys().stream()
        .filter(key -> key.isValid() && key.attachment() != null)
        .toList();
  }

  private static StatusConnection client(SelectionKey key) {
    return (StatusConnection) key.attachment();
  }

  private void serve(SelectionKey key) {
    if (!key.isValid()) {
      return;
    }
    if (key.isAcceptable()) {
      accept();
      return;
    }
    try {
      int wanted = client(key).advance(monotonic.getAsLong());
      if (wanted == 0) {
        close(key);
      } else {
        key.interestOps(wanted);
        closeWhileTooMuch();
      }
    } catch (IOException | RuntimeException e) {
      // The client has gone, or what it asked for cannot be told: the others do not suffer.
      close(key);
    }
  }

  private void accept() {
    int accepted = 0;
    try {
      for (; accepted < MAX_ACCEPTS; accepted++) {
        SocketChannel channel = listener.accept();
        if (channel == null) {
          return;
        }
        channel.configureBlocking(false);
        SelectionKey unusedKey =
            channel.register(
                selector,
                SelectionKey.OP_READ,
                new StatusConnection(channel, pages::of, monotonic.getAsLong()));
        closeWhileTooMuch();
      }
    } catch (IOException e) {
      // The client has gone again, or there are no file descriptors left. The kernel asks for one
      // before it looks whether somebody waits: after the last one that says nothing yet.
      if (accepted == 0) {
        makeRoom();
      }
    }
  }

  /** One less is needed then; without any, it is tried again after a pause. */
  private void makeRoom() {
    if (connections().isEmpty()) {
      accepting.interestOps(0);
      acceptFrom = Optional.of(monotonic.getAsLong() + ACCEPT_PAUSE.toNanos());
    } else {
      closeMostSilent();
    }
  }

  private void acceptAgain() {
    if (acceptFrom.filter(from -> monotonic.getAsLong() - from >= 0).isPresent()) {
      acceptFrom = Optional.empty();
      accepting.interestOps(SelectionKey.OP_ACCEPT);
    }
  }

  private void closeWhileTooMuch() {
    List<SelectionKey> open = connections();
    while (open.size() > MAX_CONNECTIONS
        || open.stream().mapToInt(key -> client(key).held()).sum() > MAX_HELD_BYTES) {
      closeMostSilent();
      open = connections();
    }
  }

  private void closeMostSilent() {
    long now = monotonic.getAsLong();
    connections().stream()
        .max(Comparator.comparing(key -> client(key).silence(now)))
        .ifPresent(StatusServer::close);
  }

  private void closeSilent() {
    long now = monotonic.getAsLong();
    for (SelectionKey key : connections()) {
      if (client(key).left(now).compareTo(Duration.ZERO) <= 0) {
        close(key);
      }
    }
  }

  private static void close(SelectionKey key) {
    key.cancel();
    try {
      key.channel().close();
    } catch (IOException e) {
      // It is closed all the same.
    }
  }

  private void release() {
    if (!selector.isOpen()) {
      return;
    }
    try {
      selector.keys().forEach(StatusServer::close);
      listener.close();
      // Only now the kernel closes what was registered with it.
      selector.close();
    } catch (IOException e) {
      // Closed as far as it can be.
    }
  }
}
