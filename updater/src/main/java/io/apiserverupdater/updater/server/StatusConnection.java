package io.apiserverupdater.updater.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * One client. It never waits: it takes what has come, and sends what the client takes. A request is
 * looked at once its head is complete, and one at a time, so that a client holds one answer at
 * most, and the others have their turn between two of them.
 */
final class StatusConnection {
  private static final int MAX_HEAD = 8192;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  /** For who has asked nothing yet. The kubelet asks in the packet after the handshake. */
  private static final Duration FIRST_HEAD = Duration.ofSeconds(2);

  /** For who has been answered: to take the answer, and to ask again as Prometheus does. */
  private static final Duration NEXT_HEAD = Duration.ofSeconds(30);

  private final SocketChannel channel;
  private final Function<RequestHead, StatusPages.Page> pages;
  private final ByteBuffer in = ByteBuffer.allocate(MAX_HEAD);

  private ByteBuffer out = NOTHING;
  private long since;
  private Duration patience = FIRST_HEAD;
  private boolean last;
  private boolean ended;

  /**
   * @param now as {@link System#nanoTime}
   */
  StatusConnection(SocketChannel channel, Function<RequestHead, StatusPages.Page> pages, long now) {
    this.channel = channel;
    this.pages = pages;
    this.since = now;
  }

  /** For how long nothing was asked. */
  Duration silence(long now) {
    return Duration.ofNanos(now - since);
  }

  /** What is kept for it, in bytes. */
  int held() {
    return out.capacity();
  }

  /** How much longer it may be silent; zero or less when it is to be closed. */
  Duration left(long now) {
    return patience.minus(silence(now));
  }

  /**
   * Goes on as far as it can without waiting.
   *
   * @param now as {@link System#nanoTime}
   * @return for what to wait, as in {@link SelectionKey}; 0 when the connection is to be closed
   * @throws IOException when the client has gone
   */
  int advance(long now) throws IOException {
    if (!ended && in.hasRemaining()) {
      ended = channel.read(in) < 0;
    }
    channel.write(out);
    if (out.hasRemaining()) {
      return SelectionKey.OP_WRITE;
    }
    out = NOTHING;
    Optional<String> head = last ? Optional.empty() : head();
    if (head.isPresent()) {
      since = now;
      patience = NEXT_HEAD;
      answer(head.get());
    } else if (!last && !ended && !in.hasRemaining()) {
      refuse(431, "the head of the request is too long");
    } else {
      return last || ended ? 0 : SelectionKey.OP_READ;
    }
    channel.write(out);
    return SelectionKey.OP_WRITE;
  }

  /** Takes the next complete head away from what has come. */
  private Optional<String> head() {
    String text = new String(in.array(), 0, in.position(), StandardCharsets.ISO_8859_1);
    int end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      return Optional.empty();
    }
    in.flip();
    in.position(end + 4);
    in.compact();
    return Optional.of(text.substring(0, end));
  }

  private void answer(String text) {
    Optional<RequestHead> head = RequestHead.parse(text);
    if (head.isEmpty()) {
      refuse(400, "this is no request of HTTP/1.1");
      return;
    }
    last = !head.get().keepAlive();
    send(pages.apply(head.get()), head.get().method().equals("HEAD"));
  }

  private void refuse(int status, String why) {
    last = true;
    send(StatusPages.error(status, why), false);
  }

  private void send(StatusPages.Page page, boolean headOnly) {
    byte[] body = page.text().getBytes(StandardCharsets.UTF_8);
    String head =
        """
        HTTP/1.1 %d %s
        Content-Type: %s
        Content-Length: %d
        X-Content-Type-Options: nosniff
        %s%s
        """
            .formatted(
                page.status(),
                reason(page.status()),
                page.contentType(),
                body.length,
                page.headers().entrySet().stream()
                    .map(header -> header.getKey() + ": " + header.getValue() + "\n")
                    .sorted()
                    .collect(Collectors.joining()),
                last ? "Connection: close\n" : "")
            .replace("\n", "\r\n");
    byte[] start = head.getBytes(StandardCharsets.US_ASCII);
    out = ByteBuffer.allocate(start.length + (headOnly ? 0 : body.length)).put(start);
    if (!headOnly) {
      out.put(body);
    }
    out.flip();
  }

  private static String reason(int status) {
    return switch (status) {
      case 200 -> "OK";
      case 400 -> "Bad Request";
      case 404 -> "Not Found";
      case 405 -> "Method Not Allowed";
      case 431 -> "Request Header Fields Too Large";
      default -> "Internal Server Error";
    };
  }
}
