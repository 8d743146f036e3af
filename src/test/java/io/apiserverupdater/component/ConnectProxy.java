package io.apiserverupdater.component;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A proxy on loopback that opens tunnels (RFC 9110, section 9.3.6); closing it ends them all. */
final class ConnectProxy implements AutoCloseable {
  private static final Pattern REQUEST = Pattern.compile("CONNECT ([^ :]+):([0-9]+) HTTP/1\\.1");

  private final ServerSocket listening;
  private final List<Socket> open = new CopyOnWriteArrayList<>();
  private final List<String> tunnels = new CopyOnWriteArrayList<>();

  ConnectProxy() throws IOException {
    listening = new ServerSocket(0, 50, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
    start("proxy", this::accept);
  }

  String url() {
    return "http://127.0.0.1:" + listening.getLocalPort();
  }

  /** HOST:PORT of each tunnel that was asked for. */
  List<String> tunnels() {
    return List.copyOf(tunnels);
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        open.add(client);
        start("proxy-tunnel", () -> serve(client));
      } catch (IOException e) {
        // The end.
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      Matcher request = REQUEST.matcher(head(client.getInputStream()));
      if (!request.lookingAt()) {
        return;
      }
      tunnels.add(request.group(1) + ":" + request.group(2));
      try (Socket server = new Socket(request.group(1), Integer.parseInt(request.group(2)))) {
        open.add(server);
        client
            .getOutputStream()
            .write("HTTP/1.1 200 Fine\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        start("proxy-back", () -> pump(server, client));
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

  private static void pump(Socket from, Socket to) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[8192];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        out.write(buffer, 0, count);
        out.flush();
      }
    } catch (IOException e) {
      // One side is gone: so is the other now.
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
    for (Socket socket : open) {
      socket.close();
    }
  }
}
