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

  private volatile Optional<Deadline> deadline;
  private volatile boolean timedOut;
  private volatile boolean ended;
  private volatile Optional<IOException> failure = Optional.empty();

  TimedSocket(Deadline deadline) throws IOException {
    this.deadline = Optional.of(deadline);
    // HTTP is one small write and an answer: Nagle's algorithm would only hold it back.
    setTcpNoDelay(true);
    setSendBufferSize(SEND_BUFFER_BYTES);
  }

  /** From now on a read may wait for as long as the connection lives. */
  void liftDeadline() throws IOException {
    deadline = Optional.empty();
    setSoTimeout(0);
  }

  /** Whether a read met the deadline. */
  boolean timedOut() {
    return timedOut;
  }

  /** Whether the peer closed the connection in good order, or it broke: a reset, mostly. */
  boolean lost() {
    return ended || failure.isPresent();
  }

  /** How the connection broke, for a person. */
  String howLost() {
    return failure.map(IOException::getMessage).orElse("closed by the server");
  }

  private IOException failed(IOException e) {
    if (failure.isEmpty()) {
      failure = Optional.of(e);
    }
    return e;
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
        Optional<Deadline> end = deadline;
        if (end.isPresent()) {
          int millis = end.get().remainingMillis();
          if (millis == 0) {
            timedOut = true;
            throw new SocketTimeoutException("the deadline has passed");
          }
          setSoTimeout(millis);
        }
        try {
          int count = super.read(bytes, offset, length);
          ended |= count < 0;
          return count;
        } catch (SocketTimeoutException e) {
          timedOut = true;
          throw e;
        } catch (IOException e) {
          throw failed(e);
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
          throw failed(e);
        }
      }
    };
  }
}
