package io.apiserverupdater.updater.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.tls.ServerTrust;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@Timeout(60)
class DirectTransportTest {
  private static final Duration AMPLE = Duration.ofSeconds(30);
  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  private static final String WATCH = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  private static final HeldCertificate CERTIFICATE =
      new HeldCertificate.Builder().addSubjectAlternativeName("127.0.0.1").build();

  /** A server that answers each request by what a function makes of its first line. */
  private static final class Server implements AutoCloseable {
    private final ServerSocket listening;
    private final Function<String, String> answers;
    private final CountDownLatch closed = new CountDownLatch(1);
    volatile Duration beforeAccepting = Duration.ZERO;
    final List<String> requests = new CopyOnWriteArrayList<>();
    final List<Socket> connections = new CopyOnWriteArrayList<>();

    Server(Function<String, String> answers) throws IOException {
      this.answers = answers;
      this.listening =
          new HandshakeCertificates.Builder()
              .heldCertificate(CERTIFICATE)
              .build()
              .sslContext()
              .getServerSocketFactory()
              .createServerSocket(0, 50, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
      start("server", this::accept);
    }

    ServerAddress address() {
      return new ServerAddress("127.0.0.1", listening.getLocalPort(), "", Optional.empty());
    }

    private void accept() {
      while (!listening.isClosed()) {
        try {
          TimeUnit.NANOSECONDS.sleep(beforeAccepting.toNanos());
          Socket socket = listening.accept();
          connections.add(socket);
          start("server-connection", () -> serve(socket));
        } catch (IOException | InterruptedException e) {
          // The end.
        }
      }
    }

    /** Sends an event on the watch that was opened as the given connection, counted from 0. */
    void send(int connection) throws IOException {
      connections
          .get(connection)
          .getOutputStream()
          .write("3\r\n{}\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }

    private void serve(Socket socket) {
      try (socket) {
        for (String head = head(socket); !head.isEmpty(); head = head(socket)) {
          String request = head.substring(0, head.indexOf(" HTTP"));
          requests.add(request);
          String answer = answers.apply(request);
          if (answer.equals("hang")) {
            closed.await();
          }
          if (answer.equals("cut")) {
            return;
          }
          socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
          socket.getOutputStream().flush();
        }
      } catch (IOException | InterruptedException e) {
        // The client gave up, or the end.
      }
    }

    private static String head(Socket socket) throws IOException {
      StringBuilder head = new StringBuilder();
      InputStream in = socket.getInputStream();
      while (head.indexOf("\r\n\r\n") < 0) {
        int next = in.read();
        if (next < 0) {
          return "";
        }
        head.append((char) next);
      }
      return head.toString();
    }

    private static void start(String name, Runnable body) {
      Thread thread = new Thread(body, name);
      thread.setDaemon(true);
      thread.start();
    }

    void dropConnections() throws IOException {
      for (Socket socket : connections) {
        socket.close();
      }
    }

    @Override
    public void close() throws IOException {
      closed.countDown();
      listening.close();
      dropConnections();
    }
  }

  private static DirectTransport transport() throws GeneralSecurityException {
    return new DirectTransport(
        ServerTrust.authorities(CERTIFICATE.certificatePem().getBytes(StandardCharsets.US_ASCII)),
        Optional.empty(),
        "test/1");
  }

  private static Transport.Reply get(DirectTransport transport, Server server) throws IOException {
    return transport.exchange(server.address(), ApiCall.get("/x"), Optional.empty(), AMPLE);
  }

  private static WatchStream watch(DirectTransport transport, Server server, Duration longest)
      throws IOException {
    return transport
        .open(server.address(), ApiCall.get("/watch"), Optional.empty(), AMPLE, longest)
        .stream()
        .orElseThrow();
  }

  private static boolean reaches(String host, Proxy proxy) {
    return DirectTransport.reaches(
        new ServerAddress(host, 6443, "", Optional.of("kubernetes.default.svc")), proxy);
  }

  @Test
  void reachesAddressesWithoutAProxy() {
    assertTrue(reaches("10.0.0.1", Proxy.NO_PROXY));
    assertTrue(reaches("fd00::1", Proxy.NO_PROXY));
    assertFalse(reaches("apiserver.example", Proxy.NO_PROXY));
    assertFalse(reaches("localhost", Proxy.NO_PROXY));
    Proxy proxy = new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved("proxy", 3128));
    assertFalse(reaches("10.0.0.1", proxy));
  }

  @Test
  void callsOneAfterTheOtherShareAConnection() throws Exception {
    try (Server server = new Server(request -> OK);
        DirectTransport transport = transport()) {
      for (int i = 0; i < 5; i++) {
        Transport.Reply reply = get(transport, server);
        assertTrue(reply.isSuccess());
        assertEquals("{}", reply.body());
      }
      assertEquals(1, server.connections.size());
    }
  }

  @Test
  void connectionThatTheServerHasEndedIsNotAskedAgain() throws Exception {
    try (Server server = new Server(request -> OK);
        DirectTransport transport = transport()) {
      assertTrue(get(transport, server).isSuccess());
      server.dropConnections();
      // The end of the connection has to arrive, on loopback too.
      TimeUnit.MILLISECONDS.sleep(200);
      assertTrue(get(transport, server).isSuccess());
      assertEquals(2, server.connections.size());
    }
  }

  @Test
  void serverThatIsNotTrustedIsSaidToBe() throws Exception {
    HeldCertificate other = new HeldCertificate.Builder().build();
    try (Server server = new Server(request -> OK);
        DirectTransport transport =
            new DirectTransport(
                ServerTrust.authorities(other.certificatePem().getBytes(StandardCharsets.US_ASCII)),
                Optional.empty(),
                "test/1")) {
      IOException thrown = assertThrows(IOException.class, () -> get(transport, server));
      assertTrue(
          String.valueOf(thrown.getMessage()).startsWith(ApiClient.CERTIFICATE), thrown::toString);
      assertEquals(List.of(), server.requests);
    }
  }

  @Test
  void silentWatchAsksForASignOfLifeAndGoesOn() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    try (Server server =
            new Server(
                request -> {
                  if (request.equals("GET /livez?exclude=etcd")) {
                    asked.countDown();
                    return "HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n";
                  }
                  return request.equals("GET /watch") ? WATCH : OK;
                });
        DirectTransport transport = transport();
        WatchStream stream = watch(transport, server, AMPLE)) {
      Thread writer =
          new Thread(
              () -> {
                try {
                  asked.await();
                  server.send(0);
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              },
              "writer");
      writer.start();
      assertEquals(Optional.of("{}"), stream.next());
      writer.join();
      assertEquals(Set.of("GET /watch", "GET /livez?exclude=etcd"), Set.copyOf(server.requests));
      assertTrue(get(transport, server).isSuccess());
    }
  }

  @Test
  void watchOfAServerThatHangsEnds() throws Exception {
    try (Server server = new Server(request -> request.equals("GET /watch") ? WATCH : "hang");
        DirectTransport transport = transport();
        WatchStream stream = watch(transport, server, AMPLE)) {
      long start = System.nanoTime();
      assertThrows(IOException.class, stream::next);
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      assertTrue(took.compareTo(Duration.ofSeconds(20)) < 0, took::toString);
      assertFalse(stream.isCancelled());
    }
  }

  /** What one watch has found out the others need not find out one after the other. */
  @Test
  void allWatchesOfAServerThatHangsEndTogether() throws Exception {
    try (Server server = new Server(request -> request.equals("GET /watch") ? WATCH : "hang");
        DirectTransport transport = transport()) {
      List<CompletableFuture<Long>> ends = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        WatchStream stream = watch(transport, server, AMPLE);
        CompletableFuture<Long> end = new CompletableFuture<>();
        ends.add(end);
        Thread reader =
            new Thread(
                () -> {
                  try (stream) {
                    end.completeExceptionally(new AssertionError(stream.next()));
                  } catch (IOException e) {
                    transport.evict(server.address());
                    end.complete(System.nanoTime());
                  }
                },
                "reader");
        reader.setDaemon(true);
        reader.start();
      }
      for (CompletableFuture<Long> end : ends) {
        end.get(30, TimeUnit.SECONDS);
      }
      long asked = server.requests.stream().filter(request -> request.contains("/livez")).count();
      assertTrue(asked <= 2, () -> asked + " times asked");
    }
  }

  /** Calls that fail give up the connections, again and again, and not what is known of it. */
  @Test
  void watchOfAServerThatHangsEndsAlsoWhileCallsFail() throws Exception {
    try (Server server = new Server(request -> request.equals("GET /watch") ? WATCH : "hang");
        DirectTransport transport = transport();
        WatchStream stream = watch(transport, server, AMPLE)) {
      Thread caller =
          new Thread(
              () -> {
                while (!stream.isCancelled()) {
                  try {
                    Transport.Reply unused =
                        transport.exchange(
                            server.address(),
                            ApiCall.get("/x"),
                            Optional.empty(),
                            Duration.ofMillis(300));
                  } catch (IOException e) {
                    transport.evict(server.address());
                  }
                }
              },
              "caller");
      caller.start();
      long start = System.nanoTime();
      assertThrows(IOException.class, stream::next);
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      stream.cancel();
      caller.join();
      assertTrue(took.compareTo(Duration.ofSeconds(20)) < 0, took::toString);
    }
  }

  /** Neither a watch that has heard since, nor one that is opened later, dies of an old silence. */
  @Test
  void serverThatIsBackIsAlive() throws Exception {
    CountDownLatch back = new CountDownLatch(1);
    List<Integer> toFeed = new CopyOnWriteArrayList<>();
    Server[] self = new Server[1];
    try (Server server =
            new Server(
                request -> {
                  if (request.equals("GET /watch")) {
                    return WATCH;
                  }
                  if (back.getCount() > 0) {
                    return "hang";
                  }
                  for (int connection : toFeed) {
                    try {
                      self[0].send(connection);
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  }
                  return OK;
                });
        DirectTransport transport = transport();
        WatchStream fed = watch(transport, server, AMPLE);
        WatchStream silent = watch(transport, server, AMPLE)) {
      self[0] = server;
      assertThrows(IOException.class, silent::next);
      server.send(0);
      assertEquals(Optional.of("{}"), fed.next());
      back.countDown();
      toFeed.add(0);
      assertEquals(Optional.of("{}"), fed.next());
      int connection = server.connections.size();
      try (WatchStream later = watch(transport, server, AMPLE)) {
        toFeed.set(0, connection);
        assertEquals(Optional.of("{}"), later.next());
      }
    }
  }

  @Test
  void handshakeHasAllTheTimeOfTheCall() throws Exception {
    try (Server server = new Server(request -> OK);
        DirectTransport transport = transport()) {
      server.beforeAccepting = Duration.ofMillis(1500);
      assertTrue(get(transport, server).isSuccess());
      transport.evict(server.address());
      assertTrue(get(transport, server).isSuccess());
      assertEquals(2, server.connections.size());
    }
  }

  @Test
  void callOnAConnectionThatEndsUnderItIsMadeAnew() throws Exception {
    AtomicInteger number = new AtomicInteger();
    try (Server server =
            new Server(request -> Set.of(2, 4).contains(number.incrementAndGet()) ? "cut" : OK);
        DirectTransport transport = transport()) {
      assertTrue(get(transport, server).isSuccess());
      assertTrue(get(transport, server).isSuccess());
      assertEquals(2, server.connections.size());
      transport.evict(server.address());
      assertThrows(IOException.class, () -> get(transport, server), "a new one is no stale one");
      assertEquals(4, server.requests.size());
    }
  }

  /** The kernel asks the other one's, so a connection that only we know of ends. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void silentConnectionsAreKeptAliveByTheKernel() throws Exception {
    try (Server server = new Server(request -> WATCH);
        DirectTransport transport = transport();
        WatchStream stream = watch(transport, server, AMPLE)) {
      assertFalse(stream.isCancelled());
      int port = server.connections.get(0).getPort();
      assertTrue(timers(port).contains("02"), () -> "timers " + timers(port));
    }
  }

  /** The kinds of the timers that run for connections from a local port; 02 is the keep-alive. */
  private static List<String> timers(int port) {
    List<String> timers = new ArrayList<>();
    for (String file : List.of("/proc/self/net/tcp", "/proc/self/net/tcp6")) {
      try {
        for (String line : Files.readAllLines(Path.of(file))) {
          String[] fields = line.trim().split(" +", -1);
          if (fields[1].endsWith(":%04X".formatted(port))) {
            timers.add(fields[5].substring(0, 2));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return timers;
  }

  @Test
  void closingEndsTheWatches() throws Exception {
    try (Server server = new Server(request -> WATCH)) {
      DirectTransport transport = transport();
      WatchStream stream = watch(transport, server, AMPLE);
      transport.close();
      assertTrue(stream.isCancelled());
      assertThrows(IOException.class, stream::next);
    }
  }

  @Test
  void watchThatTheServerKeepsOpenForTooLongEnds() throws Exception {
    try (Server server = new Server(request -> request.equals("GET /watch") ? WATCH : OK);
        DirectTransport transport = transport();
        WatchStream stream = watch(transport, server, Duration.ofMillis(100))) {
      assertThrows(IOException.class, stream::next);
    }
  }

  @Test
  void watchThatNeverRestsEndsToo() throws Exception {
    try (Server server = new Server(request -> WATCH);
        DirectTransport transport = transport();
        WatchStream stream = watch(transport, server, Duration.ofSeconds(1))) {
      for (int i = 0; i < 30; i++) {
        server.send(0);
        TimeUnit.MILLISECONDS.sleep(100);
      }
      assertThrows(
          IOException.class,
          () -> {
            for (int i = 0; i < 30; i++) {
              assertEquals(Optional.of("{}"), stream.next());
            }
          });
    }
  }

  @Test
  void serversThatAreForgottenLoseTheirConnections() throws Exception {
    try (Server server = new Server(request -> OK)) {
      DirectTransport transport = transport();
      assertTrue(get(transport, server).isSuccess());
      transport.retain(Set.of(server.address()));
      assertTrue(get(transport, server).isSuccess());
      assertEquals(1, server.connections.size());
      transport.retain(Set.of());
      assertTrue(get(transport, server).isSuccess());
      assertEquals(2, server.connections.size());
      transport.close();
      assertTrue(get(transport, server).isSuccess(), "for whoever still has it");
      assertTrue(get(transport, server).isSuccess());
      assertEquals(4, server.connections.size(), "and nothing is kept");
    }
  }
}
