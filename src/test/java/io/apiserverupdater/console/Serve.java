package io.apiserverupdater.console;

import io.apiserverupdater.failover.FailoverCluster;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.NodeSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps a lab and carries out what {@link Ask} sends, until it is told {@code down}. */
public final class Serve {
  /** Between the words of a command. */
  static final String SEPARATOR = "\u001f";

  /** Begins the last line of an answer; the exit code follows. */
  static final String EXIT = "\u0004";

  private final ServerSocketChannel listener;
  private final LabCommands commands;

  private Serve(ServerSocketChannel listener, LabCommands commands) {
    this.listener = listener;
    this.commands = commands;
  }

  /**
   * Brings the lab up, then listens: the socket appears when everything is ready.
   *
   * @param arguments the socket to make, the updater's launcher, and how many control planes
   */
  public static void main(String[] arguments) throws IOException {
    Path socket = Path.of(arguments[0]);
    try (FailoverCluster cluster =
            FailoverCluster.start(
                Lab.builder("lab").controlPlanes(Integer.parseInt(arguments[2])),
                lab -> List.of(arguments[1]),
                NodeSettings.RECOMMENDED);
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      // Bound under another name first: a client that finds the socket finds somebody listening.
      Path early = Path.of(arguments[0] + ".early");
      listener.bind(UnixDomainSocketAddress.of(early));
      Files.move(early, socket);
      new Serve(listener, new LabCommands(cluster)).run();
    }
  }

  private void run() throws IOException {
    AtomicInteger number = new AtomicInteger();
    ExecutorService clients =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "lab-client-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    try {
      while (true) {
        SocketChannel channel = listener.accept();
        clients.execute(() -> serve(channel));
      }
    } catch (ClosedChannelException e) {
      // Told to go down.
    } finally {
      clients.shutdown();
    }
  }

  private void serve(SocketChannel channel) {
    try (channel;
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
        PrintWriter out =
            new PrintWriter(Channels.newOutputStream(channel), true, StandardCharsets.UTF_8)) {
      String line = in.readLine();
      if (line == null) {
        return;
      }
      List<String> words = Arrays.asList(line.split(SEPARATOR, -1));
      out.println(EXIT + commands.run(words, out));
      if (words.get(0).equals("down")) {
        listener.close();
      }
    } catch (IOException e) {
      System.err.println("lab: a client went away: " + e);
    }
  }
}
