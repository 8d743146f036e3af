package io.apiserverupdater.console;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** Sends one command to the lab, prints what it says, and exits as it says. */
public final class Ask {
  private Ask() {}

  /** Asks that socket that command; exits with 2 when the lab does not answer, else as it says. */
  public static void main(String[] arguments) {
    List<String> command = Arrays.asList(arguments).subList(1, arguments.length);
    int code = 2;
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(arguments[0]));
      ByteBuffer request =
          StandardCharsets.UTF_8.encode(String.join(Serve.SEPARATOR, command) + "\n");
      while (request.hasRemaining()) {
        channel.write(request);
      }
      BufferedReader answer =
          new BufferedReader(
              new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
      for (String line = answer.readLine(); line != null; line = answer.readLine()) {
        if (line.startsWith(Serve.EXIT)) {
          code = Integer.parseInt(line.substring(Serve.EXIT.length()));
        } else {
          System.out.println(line);
        }
      }
    } catch (IOException e) {
      System.err.println("lab: it does not answer: " + e.getMessage());
    }
    System.exit(code);
  }
}
