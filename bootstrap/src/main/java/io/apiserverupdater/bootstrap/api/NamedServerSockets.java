package io.apiserverupdater.bootstrap.api;

import io.apiserverupdater.apiserver.tls.NameCheckingSockets;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import javax.net.ssl.SSLSocketFactory;

/**
 * Connects to one of a server's addresses, and asks there for the name that its certificate must
 * carry: {@code HttpsURLConnection} knows neither more addresses than the first, nor another name
 * than the URL's.
 */
final class NamedServerSockets extends NameCheckingSockets {
  private final InetSocketAddress address;
  private final String name;

  /**
   * @param address where to connect, unless there is a proxy
   * @param name sent by SNI, and compared with the certificate
   */
  NamedServerSockets(SSLSocketFactory sockets, InetSocketAddress address, String name) {
    super(sockets);
    this.address = address;
    this.name = name;
  }

  @Override
  public Socket createSocket() {
    return new Socket() {
      @Override
      public void connect(SocketAddress server, int timeout) throws IOException {
        super.connect(address, timeout);
      }
    };
  }

  @Override
  public Socket createSocket(Socket connected, String host, int port, boolean autoClose)
      throws IOException {
    return super.createSocket(connected, name, port, autoClose);
  }
}
