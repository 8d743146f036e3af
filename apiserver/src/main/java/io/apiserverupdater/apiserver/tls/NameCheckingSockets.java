package io.apiserverupdater.apiserver.tls;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * TLS over sockets that are connected already. The handshake itself checks the name (RFC 9110,
 * section 4.3.4), so that a wrong one is told in the same words by every client. They send at once:
 * with Nagle's algorithm, which OkHttp leaves on, an HTTP/2 request that follows another frame
 * waits for a delayed acknowledgement; 44 ms instead of 2 ms were measured.
 */
public class NameCheckingSockets extends SSLSocketFactory {
  private final SSLSocketFactory factory;

  public NameCheckingSockets(SSLSocketFactory factory) {
    this.factory = factory;
  }

  @Override
  public Socket createSocket(Socket connected, String host, int port, boolean autoClose)
      throws IOException {
    connected.setTcpNoDelay(true);
    SSLSocket socket = (SSLSocket) factory.createSocket(connected, host, port, autoClose);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    return socket;
  }

  @Override
  public String[] getDefaultCipherSuites() {
    return factory.getDefaultCipherSuites();
  }

  @Override
  public String[] getSupportedCipherSuites() {
    return factory.getSupportedCipherSuites();
  }

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    throw notConnected();
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress local, int localPort)
      throws IOException {
    throw notConnected();
  }

  @Override
  public Socket createSocket(InetAddress host, int port) throws IOException {
    throw notConnected();
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort)
      throws IOException {
    throw notConnected();
  }

  private static IOException notConnected() {
    return new IOException("TLS is added to a connected socket only");
  }
}
