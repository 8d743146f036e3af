package io.apiserverupdater.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * What kube-proxy makes of a clusterIP on a node: an address on which nobody answers until it is
 * opened, and from which each new connection goes to one apiserver after the other. Thread-safe;
 * closing it ends its connections and threads.
 */
public final class ServiceAddress implements AutoCloseable {
  private static final int CONNECT_MILLIS = 1_000;
  private static final int BACKLOG = 100;

  private final InetAddress ip;
  private final int port;
  private final Supplier<List<String>> apiservers;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicInteger connections = new AtomicInteger();
  private ServerSocket server;

  /**
   * @param apiservers the addresses that are in rotation at a moment
   */
  ServiceAddress(InetAddress ip, int port, Supplier<List<String>> apiservers) {
    this.ip = ip;
    this.port = port;
    this.apiservers = apiservers;
    try {
      this.server = new ServerSocket();
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public String ip() {
    return ip.getHostAddress();
  }

  /** How many connections it has taken. */
  public int connections() {
    return connections.get();
  }

  /** From now on it leads to the apiservers. */
  public synchronized void open() {
    try {
      ServerSocket opened = new ServerSocket();
      opened.setReuseAddress(true);
      opened.bind(new InetSocketAddress(ip, port), BACKLOG);
      server = opened;
      start("accept", () -> accept(opened));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept(ServerSocket opened) {
    try {
      while (true) {
        Socket client = opened.accept();
        sockets.add(client);
        int number = connections.getAndIncrement();
        List<String> targets = apiservers.get();
        start("relay-" + number, () -> relay(client, targets.get(number % targets.size())));
      }
    } catch (IOException e) {
      // It was closed.
    }
  }

  private void relay(Socket client, String target) {
    try (client;
        Socket upstream = new Socket()) {
      sockets.add(upstream);
      // kube-proxy's rules hold no packet back either.
      client.setTcpNoDelay(true);
      upstream.setTcpNoDelay(true);
      upstream.connect(new InetSocketAddress(target, port), CONNECT_MILLIS);
      Thread back = start("relay-back", () -> copy(upstream, client));
      copy(client, upstream);
      back.join();
      sockets.remove(upstream);
    } catch (IOException e) {
      // Either side has gone: so does the other.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      sockets.remove(client);
    }
  }

  private static void copy(Socket from, Socket to) {
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      in.transferTo(out);
      to.shutdownOutput();
    } catch (IOException e) {
      closeQuietly(from);
      closeQuietly(to);
    }
  }

  private static Thread start(String name, Runnable body) {
    Thread thread = new Thread(body, "sandbox-service-" + name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static void closeQuietly(AutoCloseable socket) {
    try {
      socket.close();
    } catch (Exception e) {
      // It is as good as closed.
    }
  }

  /** Leads nowhere again. */
  @Override
  public synchronized void close() {
    closeQuietly(server);
    sockets.forEach(ServiceAddress::closeQuietly);
    sockets.clear();
  }
}
