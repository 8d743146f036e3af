package io.apiserverupdater.component;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Passes TCP connections on, on loopback: as a proxy that opens tunnels (RFC 9110, section 9.3.6),
 * or as a balancer at one address for several servers. Closing it ends all connections.
 */
final class Relay implements AutoCloseable {
  private static final Pattern REQUEST = Pattern.compile("CONNECT ([^ :]+:[0-9]+) HTTP/1\\.1");

  /** Says where a new connection goes, as HOST:PORT; nowhere if the client is not served. */
  private interface Route {
    Optional<String> of(Relay relay, Socket client) throws IOException;
  }

  private final Route route;
  private final Duration delay;
  private final ServerSocket listening;
  private final List<Socket> clients = new CopyOnWriteArrayList<>();
  private final List<Socket> servers = new CopyOnWriteArrayList<>();
  private final List<String> destinations = new CopyOnWriteArrayList<>();
  private final List<String> heads = new CopyOnWriteArrayList<>();

  private Relay(Route route, InetSocketAddress at, Duration delay) throws IOException {
    this.route = route;
    this.delay = delay;
    listening = new ServerSocket(at.getPort(), 50, at.getAddress());
    start("relay", this::accept);
  }

  /** A proxy for HTTPS. */
  static Relay proxy() throws IOException {
    return new Relay(
        (relay, client) -> {
          String head = head(client.getInputStream());
          relay.heads.add(head);
          Matcher request = REQUEST.matcher(head);
          if (!request.lookingAt()) {
            return Optional.empty();
          }
          client
              .getOutputStream()
              .write("HTTP/1.1 200 Fine\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
          return Optional.of(request.group(1));
        },
        anywhere(),
        Duration.ZERO);
  }

  /** A balancer: each new connection goes to what it is told then, as HOST:PORT. */
  static Relay balancer(Supplier<String> next) throws IOException {
    return new Relay((relay, client) -> Optional.of(next.get()), anywhere(), Duration.ZERO);
  }

  /**
   * A long way to a server: at an address of its own, what it passes on takes so long in each
   * direction. Connecting alone takes no longer than on loopback: the kernel does it.
   */
  static Relay longWay(InetSocketAddress at, String to, Duration delay) throws IOException {
    return new Relay((relay, client) -> Optional.of(to), at, delay);
  }

  /** Not the loopback address of Java, which may be that of IPv6. */
  private static InetSocketAddress anywhere() throws IOException {
    return new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0);
  }

  /** Its own HOST:PORT. */
  String address() {
    return "127.0.0.1:" + listening.getLocalPort();
  }

  /** HOST:PORT that each connection went to. */
  List<String> destinations() {
    return List.copyOf(destinations);
  }

  /** How many clients are connected. */
  long clients() {
    return clients.stream().filter(client -> !client.isClosed()).count();
  }

  /** What a proxy was asked, each with its header. */
  List<String> heads() {
    return List.copyOf(heads);
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        clients.add(client);
        start("relay-there", () -> serve(client));
      } catch (IOException e) {
        // The end.
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      Optional<String> destination = route.of(this, client);
      if (destination.isEmpty()) {
        return;
      }
      destinations.add(destination.get());
      String[] hostAndPort = destination.get().split(":", 2);
      try (Socket server = new Socket(hostAndPort[0], Integer.parseInt(hostAndPort[1]))) {
        servers.add(server);
        start("relay-back", () -> pump(server, client));
        pump(client, server);
      }
    } catch (IOException e) {
      // One side is gone: so is the other now.
    }
  }

  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) {
        return "";
      }
      head.append((char) next);
    }
    return head.toString();
  }

  private void pump(Socket from, Socket to) {
    // In order, each piece for itself: what is sent in one go arrives in one go.
    ScheduledThreadPoolExecutor way = new ScheduledThreadPoolExecutor(1);
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[8192];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        byte[] piece = Arrays.copyOf(buffer, count);
        if (delay.isZero()) {
          out.write(piece);
        } else {
          ScheduledFuture<?> unusedArrival =
              way.schedule(() -> write(out, piece), delay.toNanos(), TimeUnit.NANOSECONDS);
        }
      }
    } catch (IOException e) {
      // One side is gone: so is the other now.
    } finally {
      way.shutdownNow();
    }
  }

  private static void write(OutputStream out, byte[] piece) {
    try {
      out.write(piece);
    } catch (IOException e) {
      // The other pump learns of it as well.
    }
  }

  private static void start(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    listening.close();
    for (Socket client : clients) {
      client.close();
    }
    for (Socket server : servers) {
      server.close();
    }
  }
}
