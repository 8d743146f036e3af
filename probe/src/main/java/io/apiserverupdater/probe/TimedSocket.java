package io.apiserverupdater.probe;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.Optional;

/**
 * A TCP connection that keeps one deadline over all reads together, so that a peer that sends a
 * byte now and then gains nothing by it, and that remembers how it ended. TLS goes on top of it.
 *
 * <p>A write does not wait: the send buffer takes all that one request and its handshake need.
 */
final class TimedSocket extends Socket {
  private static final int SEND_BUFFER_BYTES = 64 * 1024;

  private volatile Deadline deadline;
  private volatile boolean timedOut;
  private volatile boolean ended;
  private volatile Optional<IOException> readFailure = Optional.empty();
  private volatile Optional<IOException> writeFailure = Optional.empty();

  TimedSocket(Deadline deadline) throws IOException {
    this.deadline = deadline;
    // HTTP is one small write and an answer: Nagle's algorithm would only hold it back.
    setTcpNoDelay(true);
    setSendBufferSize(SEND_BUFFER_BYTES);
  }

  /** From now on this is the deadline. */
  void extendTo(Deadline another) {
    deadline = another;
  }

  /**
   * Waits until something arrives, be it the end. What has arrived is gone then, and TLS above must
   * read no more.
   *
   * @return false when the deadline came first, and all is as before
   */
  boolean awaitInput() throws IOException {
    try {
      int unusedByte = getInputStream().read();
      return true;
    } catch (SocketTimeoutException e) {
      timedOut = false;
      return false;
    }
  }

  /** Whether a read met the deadline. */
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
    for (int depth = 0; t != null && depth < 20; depth++) {
      if (t.equals(cause)) {
        return true;
      }
      t = t.getCause();
    }
    return false;
  }

  /** How the connection ended, for a person. */
  String howLost() {
    if (ended) {
      return "closed by the server";
    }
    return String.valueOf(
        readFailure.or(() -> writeFailure).map(IOException::getMessage).orElse(""));
  }

  @Override
  public InputStream getInputStream() throws IOException {
    return new FilterInputStream(super.getInputStream()) {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        int millis = deadline.remainingMillis();
        if (millis == 0) {
          timedOut = true;
          throw new SocketTimeoutException("the deadline has passed");
        }
        setSoTimeout(millis);
        try {
          int count = super.read(bytes, offset, length);
          ended |= count < 0;
          return count;
        } catch (SocketTimeoutException e) {
          timedOut = true;
          throw e;
        } catch (IOException e) {
          readFailure = Optional.of(e);
          throw e;
        }
      }
    };
  }

  @Override
  public OutputStream getOutputStream() throws IOException {
    return new FilterOutputStream(super.getOutputStream()) {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
          out.write(bytes, offset, length);
        } catch (IOException e) {
          // The first: that of the alert which TLS sends because of it comes second.
          writeFailure = writeFailure.or(() -> Optional.of(e));
          throw e;
        }
      }
    };
  }
}
