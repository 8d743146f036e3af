package io.apiserverupdater.sandbox;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import javax.net.ServerSocketFactory;

/**
 * Server sockets whose connections can be held: the kernel goes on accepting and buffering, nothing
 * is read or written. That is what a peer sees of a process that is stopped by SIGSTOP. They can
 * also be closed at once, as when a process is killed. Thread-safe.
 */
final class GatedSockets extends ServerSocketFactory {
  private final Object guard = new Object();
  private final List<Socket> accepted = new ArrayList<>();
  private boolean held;

  void hold() {
    synchronized (guard) {
      held = true;
    }
  }

  void release() {
    synchronized (guard) {
      held = false;
      guard.notifyAll();
    }
  }

  /** Closes all connections; those that are held fail. */
  void closeAll() {
    List<Socket> sockets;
    synchronized (guard) {
      sockets = List.copyOf(accepted);
    }
    sockets.forEach(GatedSockets::closeQuietly);
    synchronized (guard) {
      guard.notifyAll();
    }
  }

  /** Closes one connection, by the order of accepting from 0. */
  void close(int index) {
    Socket socket;
    synchronized (guard) {
      socket = accepted.get(index);
    }
    closeQuietly(socket);
  }

  @Override
  public ServerSocket createServerSocket() throws IOException {
    return new ServerSocket() {
      @Override
      public Socket accept() throws IOException {
        // A connection that its client has given up already must not end the server: it takes
        // the first failure of accept for its own end.
        while (true) {
          GatedSocket socket = new GatedSocket();
          try {
            implAccept(socket);
            // Small frames leave at once, as Go's sockets do.
            socket.setTcpNoDelay(true);
          } catch (IOException e) {
            closeQuietly(socket);
            if (isClosed()) {
              throw e;
            }
            continue;
          }
          synchronized (guard) {
            accepted.add(socket);
          }
          return socket;
        }
      }
    };
  }

  @Override
  public ServerSocket createServerSocket(int port) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ServerSocket createServerSocket(int port, int backlog) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ServerSocket createServerSocket(int port, int backlog, InetAddress address) {
    throw new UnsupportedOperationException();
  }

  private void awaitOpen(Socket socket) throws IOException {
    synchronized (guard) {
      while (held && !socket.isClosed()) {
        try {
          guard.wait();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new SocketException("interrupted while held");
        }
      }
    }
    if (socket.isClosed()) {
      throw new SocketException("closed");
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is gone either way.
    }
  }

  private final class GatedSocket extends Socket {
    @Override
    public InputStream getInputStream() throws IOException {
      return new FilterInputStream(super.getInputStream()) {
        @Override
        public int read() throws IOException {
          int b = super.read();
          awaitOpen(GatedSocket.this);
          return b;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
          int count = super.read(buffer, offset, length);
          awaitOpen(GatedSocket.this);
          return count;
        }
      };
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
      return new FilterOutputStream(super.getOutputStream()) {
        @Override
        public void write(int b) throws IOException {
          awaitOpen(GatedSocket.this);
          out.write(b);
        }

        @Override
        public void write(byte[] buffer, int offset, int length) throws IOException {
          awaitOpen(GatedSocket.this);
          out.write(buffer, offset, length);
        }
      };
    }
  }
}
