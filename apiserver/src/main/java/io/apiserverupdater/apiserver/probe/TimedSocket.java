package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.time.Deadline;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection that keeps one deadline over all reads and writes together, so that a peer that
 * sends a byte now and then gains nothing by it, and that remembers how it ended. TLS goes on top
 * of it.
 *
 * <p>It waits by a selector, which says that time is over without an exception: a connection that
 * rests for a moment, to learn of its end, does little else. Used by one thread; closed by any.
 */
final class TimedSocket extends Socket {
  private static final int SEND_BUFFER_BYTES = 64 * 1024;

  /** A request or an answer in one piece; what is longer comes and goes in several. */
  private static final int PIECE_BYTES = 4096;

  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;
  private final ByteBuffer arrived = ByteBuffer.allocate(PIECE_BYTES).flip();
  private final ByteBuffer leaving = ByteBuffer.allocate(PIECE_BYTES);

  private volatile Optional<InetSocketAddress> remote = Optional.empty();
  private volatile Deadline deadline;
  private volatile boolean timedOut;
  private volatile boolean heldUp;
  private volatile Duration roundTrip = Duration.ZERO;
  private volatile boolean ended;
  private volatile Optional<IOException> readFailure = Optional.empty();
  private volatile Optional<IOException> writeFailure = Optional.empty();

  private TimedSocket(SocketChannel channel, Selector selector, Deadline deadline)
      throws IOException {
    this.channel = channel;
    this.selector = selector;
    this.key = channel.register(selector, 0);
    this.deadline = deadline;
  }

  /** One that is not connected yet, with the deadline of what follows. */
  static TimedSocket open(Deadline deadline) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.configureBlocking(false);
      // HTTP is one small write and an answer: Nagle's algorithm would only hold it back.
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER_BYTES);
      return new TimedSocket(channel, Selector.open(), deadline);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** From now on this is the deadline. */
  void extendTo(Deadline another) {
    deadline = another;
  }

  /**
   * Connects before the deadline.
   *
   * @throws SocketTimeoutException when it has passed
   * @throws IOException what the kernel says, with the exceptions of {@link Socket#connect}
   */
  void connect(InetSocketAddress address) throws IOException {
    long begun = System.nanoTime();
    try {
      boolean connected = channel.connect(address);
      while (!connected) {
        if (!await(SelectionKey.OP_CONNECT)) {
          throw new SocketTimeoutException("no answer before the deadline");
        }
        connected = channel.finishConnect();
      }
      roundTrip = Duration.ofNanos(System.nanoTime() - begun);
      remote = Optional.of(address);
    } catch (UnsupportedAddressTypeException e) {
      throw new SocketException("this machine or this Java runtime has no IPv6");
    } catch (ClosedChannelException e) {
      throw closed();
    }
  }

  /**
   * Waits until something arrives, be it the end. What has arrived is gone then, and TLS above must
   * read no more.
   *
   * @return false when the deadline came first, and all is as before
   */
  boolean awaitInput() throws IOException {
    return arrived.hasRemaining() || receive();
  }

  /** Fills the empty buffer; false when the deadline came first. */
  private boolean receive() throws IOException {
    try {
      while (await(SelectionKey.OP_READ)) {
        arrived.clear();
        int count = channel.read(arrived);
        arrived.flip();
        ended |= count < 0;
        if (count != 0) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      IOException failure = e instanceof ClosedChannelException ? closed() : e;
      readFailure = Optional.of(failure);
      throw failure;
    }
  }

  /** Waits until the channel is ready for the operation; false when the deadline came first. */
  private boolean await(int operation) throws IOException {
    Deadline end = deadline;
    try {
      key.interestOps(operation);
      for (int millis = end.millis(); millis > 0; millis = end.millis()) {
        if (selector.select(ready -> {}, millis) > 0) {
          return true;
        }
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedIOException("interrupted");
        }
      }
      heldUp = end.isLongOver();
      return false;
    } catch (ClosedSelectorException | CancelledKeyException e) {
      throw closed();
    }
  }

  private static SocketException closed() {
    return new SocketException("closed on this side");
  }

  /** How long the other side's kernel took to answer the first packet. */
  Duration roundTrip() {
    return roundTrip;
  }

  /** Whether this process did not run when the last deadline was met. */
  boolean heldUp() {
    return heldUp;
  }

  /** Whether a read or a write met the deadline. */
  boolean timedOut() {
    return timedOut;
  }

  /**
   * Whether an exception of TLS is about the connection: closed by the peer, or broken, by a reset
   * mostly. To fail when an alert is written is not: then TLS has failed before.
   */
  boolean lost(Exception thrown) {
    return ended
        || readFailure.isPresent()
        || (writeFailure.isPresent() && isCause(writeFailure.get(), thrown));
  }

  private static boolean isCause(IOException cause, Exception thrown) {
    Throwable t = thrown;
    while (t != null && !t.equals(cause)) {
      t = t.getCause();
    }
    return t != null;
  }

  /** How the connection ended, for a person. */
  String howLost() {
    if (ended) {
      return AnswerFault.CLOSED;
    }
    return String.valueOf(
        readFailure.or(() -> writeFailure).map(IOException::getMessage).orElse(""));
  }

  private SocketTimeoutException late() {
    timedOut = true;
    return new SocketTimeoutException("the deadline has passed");
  }

  @Override
  public InputStream getInputStream() {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
          return 0;
        }
        if (!arrived.hasRemaining() && !ended && !receive()) {
          throw late();
        }
        if (!arrived.hasRemaining()) {
          return -1;
        }
        int count = Math.min(length, arrived.remaining());
        arrived.get(bytes, offset, count);
        return count;
      }
    };
  }

  @Override
  public OutputStream getOutputStream() {
    return new OutputStream() {
      @Override
      public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
          int written = 0;
          while (written < length) {
            leaving.clear();
            int piece = Math.min(length - written, leaving.remaining());
            leaving.put(bytes, offset + written, piece).flip();
            send();
            written += piece;
          }
        } catch (IOException e) {
          // The first: that of the alert which TLS sends because of it comes second.
          writeFailure = writeFailure.or(() -> Optional.of(e));
          throw e;
        }
      }
    };
  }

  private void send() throws IOException {
    channel.write(leaving);
    while (leaving.hasRemaining()) {
      if (!await(SelectionKey.OP_WRITE)) {
        throw late();
      }
      channel.write(leaving);
    }
  }

  // What TLS asks the connection below it. Whatever Socket answers by itself, it asks of a socket
  // of its own, which it opens for that: so none of these is left to it.

  @Override
  public boolean isConnected() {
    return remote.isPresent();
  }

  @Override
  public @Nullable InetAddress getInetAddress() {
    return remote.map(InetSocketAddress::getAddress).orElse(null);
  }

  @Override
  public int getPort() {
    return remote.map(InetSocketAddress::getPort).orElse(0);
  }

  /** It is so from {@link #open} on. */
  @Override
  public void setTcpNoDelay(boolean on) {}

  @Override
  public int getSoLinger() {
    return -1;
  }

  @Override
  public void shutdownInput() throws IOException {
    channel.shutdownInput();
  }

  @Override
  public void shutdownOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public String toString() {
    return "TimedSocket[" + remote.map(InetSocketAddress::toString).orElse("unconnected") + "]";
  }

  @Override
  public boolean isClosed() {
    return !channel.isOpen();
  }

  @Override
  public synchronized void close() throws IOException {
    try (selector) {
      // First, as it does nothing once this is closed: ends what Socket may have opened all the
      // same.
      super.close();
      channel.close();
    }
  }
}
