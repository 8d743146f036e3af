package io.apiserverupdater.bootstrap.ipvs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProxyModeTest {
  private static ServerSocket server() throws IOException {
    return new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
  }

  private static InetSocketAddress address(ServerSocket server) {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  @ParameterizedTest
  @CsvSource({
    "HTTP/1.0 200 OK, ipvs",
    "HTTP/1.1 200, ipvs",
    "HTTP/1.0 404 Not Found,",
    "HTTP/1.0 2000 OK,",
    "SSH-2.0-OpenSSH,"
  })
  void readsWhatKubeProxyTells(String statusLine, String expected) throws Exception {
    try (ServerSocket server = server()) {
      Thread answering =
          new Thread(
              () -> {
                try (Socket client = server.accept()) {
                  byte[] request = new byte[27];
                  int read = client.getInputStream().readNBytes(request, 0, request.length);
                  assertEquals(request.length, read);
                  client
                      .getOutputStream()
                      .write(
                          (statusLine + "\r\nContent-Length: 4\r\n\r\nipvs")
                              .getBytes(StandardCharsets.US_ASCII));
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      answering.start();
      assertEquals(Optional.ofNullable(expected), ProxyMode.at(address(server)));
      answering.join();
    }
  }

  @Test
  void knowsNothingWhereNobodyListens() throws IOException {
    InetSocketAddress closed;
    try (ServerSocket server = server()) {
      closed = address(server);
    }
    assertEquals(Optional.empty(), ProxyMode.at(closed));
  }

  /** The kernel takes the connection, and nobody answers. */
  @Test
  void waitsForNobody() throws IOException {
    try (ServerSocket server = server()) {
      assertTimeoutPreemptively(
          Duration.ofSeconds(10),
          () -> assertEquals(Optional.empty(), ProxyMode.at(address(server))));
    }
  }
}
