package io.apiserverupdater.sandbox;

import java.io.IOException;
import java.net.ServerSocket;

/** A port for a program that is told where to listen. */
public final class FreePort {
  private FreePort() {}

  /** One on which nobody listens at this moment, at any address of this machine. */
  public static int find() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
