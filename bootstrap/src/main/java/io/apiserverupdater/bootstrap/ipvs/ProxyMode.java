package io.apiserverupdater.bootstrap.ipvs;

import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.apiserver.time.Deadline;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * The mode in which kube-proxy works, as it tells itself: GET /proxyMode at its metrics address
 * (kubernetes: cmd/kube-proxy/app/server.go).
 */
final class ProxyMode {
  /** Its default, for either address family; other hosts may not ask there. */
  private static final int PORT = 10249;

  private static final Duration DEADLINE = Duration.ofMillis(500);
  private static final int MAX_BYTES = 4096;

  private ProxyMode() {}

  /** Empty where nobody tells: none runs, or it has another metrics address. */
  static Optional<String> ofThisNode() {
    return atLoopback("127.0.0.1").or(() -> atLoopback("::1"));
  }

  private static Optional<String> atLoopback(String ip) {
    return IpAddress.parse(ip).flatMap(it -> at(new InetSocketAddress(it, PORT)));
  }

  static Optional<String> at(InetSocketAddress address) {
    Deadline deadline = Deadline.after(DEADLINE);
    try (Socket socket = new Socket()) {
      socket.connect(address, deadline.millis());
      // In HTTP/1.0 the end of the connection is the end of the answer.
      socket
          .getOutputStream()
          .write("GET /proxyMode HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      InputStream in = socket.getInputStream();
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      int next = 0;
      while (next >= 0 && answer.size() < MAX_BYTES && deadline.nanos() > 0) {
        socket.setSoTimeout(deadline.millis());
        next = in.read();
        if (next >= 0) {
          answer.write(next);
        }
      }
      return next < 0 ? mode(answer.toString(StandardCharsets.US_ASCII)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> mode(String answer) {
    String[] parts = answer.split("\r\n\r\n", 2);
    return parts.length == 2 && parts[0].matches("(?s)HTTP/1\\.[01] 200\\b.*")
        ? Optional.of(parts[1].strip())
        : Optional.empty();
  }
}
