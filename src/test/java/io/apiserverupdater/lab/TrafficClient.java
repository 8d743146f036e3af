package io.apiserverupdater.lab;

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * The program behind {@link Traffic}: a new connection and one verified request each few
 * milliseconds, one line of output for each. It runs on a worker with a small heap and uses the JDK
 * only. It ends when its input ends, so it cannot outlive its parent.
 */
final class TrafficClient {
  private final TrafficTarget target;
  private final SSLSocketFactory sockets;
  private final PrintStream out;
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "traffic-clock"));
  // A slow request must not delay the next one; at the deadline each thread is free again.
  private final ThreadPoolExecutor requests =
      new ThreadPoolExecutor(
          0,
          256,
          5,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          task -> new Thread(task, "traffic-request"));

  private final AtomicInteger sessionKeys = new AtomicInteger();

  private TrafficClient(TrafficTarget target, SSLSocketFactory sockets, PrintStream out) {
    this.target = target;
    this.sockets = sockets;
    this.out = out;
  }

  /** Arguments: address, port, TLS name, path, interval in ms, deadline in ms, CA file. */
  public static void main(String[] arguments) throws Exception {
    TrafficTarget target =
        new TrafficTarget(
            arguments[0],
            Integer.parseInt(arguments[1]),
            arguments[2],
            arguments[3],
            Duration.ofMillis(Long.parseLong(arguments[4])),
            Duration.ofMillis(Long.parseLong(arguments[5])));
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    new TrafficClient(target, trusting(arguments[6]), out).run();
  }

  private static SSLSocketFactory trusting(String caFile)
      throws IOException, GeneralSecurityException {
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    try (InputStream file = new FileInputStream(caFile)) {
      trusted.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    context.getClientSessionContext().setSessionCacheSize(1);
    return context.getSocketFactory();
  }

  private void run() throws IOException, InterruptedException {
    Future<?> unusedTicks =
        clock.scheduleAtFixedRate(
            this::dispatch, 0, target.interval().toMillis(), TimeUnit.MILLISECONDS);
    while (System.in.read() >= 0) {
      // Only the end of the input matters.
    }
    clock.shutdown();
    requests.shutdown();
    boolean unusedDone =
        requests.awaitTermination(target.deadline().toMillis() + 500, TimeUnit.MILLISECONDS);
    out.flush();
  }

  /** Never throws: a clock whose task has thrown stands still. */
  private void dispatch() {
    try {
      requests.execute(this::request);
    } catch (RejectedExecutionException e) {
      print(System.currentTimeMillis(), System.nanoTime(), 0, "overrun", "-", "-");
    }
  }

  private void request() {
    long wallMillis = System.currentTimeMillis();
    long start = System.nanoTime();
    String outcome = "connect";
    String server = "-";
    String detail = "-";
    Future<?> guillotine = null;
    try (Socket plain = new Socket()) {
      guillotine =
          clock.schedule(
              () -> closeQuietly(plain), target.deadline().toMillis(), TimeUnit.MILLISECONDS);
      plain.setTcpNoDelay(true);
      plain.connect(literal(), (int) target.deadline().toMillis());
      outcome = "tls";
      SSLSocket tls =
          (SSLSocket) sockets.createSocket(plain, target.tlsName(), nextSessionKey(), true);
      SSLParameters parameters = tls.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      tls.setSSLParameters(parameters);
      tls.startHandshake();
      server = commonName((X509Certificate) tls.getSession().getPeerCertificates()[0]);
      outcome = "read";
      tls.getOutputStream()
          .write(
              ("GET "
                      + target.path()
                      + " HTTP/1.1\r\nHost: "
                      + target.tlsName()
                      + "\r\nConnection: close\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      String status = statusOf(tls.getInputStream());
      outcome = status.equals("200") ? "ok" : "status-" + status;
    } catch (IOException | RuntimeException e) {
      detail = String.valueOf(e).replaceAll("\\s+", "_");
    } finally {
      if (guillotine != null) {
        guillotine.cancel(false);
      }
    }
    long nanos = System.nanoTime() - start;
    if (!outcome.equals("ok") && nanos >= target.deadline().toNanos()) {
      outcome = "deadline-" + outcome;
    }
    print(wallMillis, start, nanos, outcome, server, detail);
  }

  private void print(
      long wallMillis, long start, long nanos, String outcome, String server, String detail) {
    String line =
        wallMillis + " " + start + " " + nanos + " " + outcome + " " + server + " " + detail;
    synchronized (out) {
      out.println(line);
    }
  }

  /**
   * In place of the port, by which the JDK would find a session to resume (it is used for nothing
   * else): never the same, so that each sample is a full handshake and shows this server's
   * certificate.
   */
  private int nextSessionKey() {
    return sessionKeys.incrementAndGet() & 0xffff;
  }

  @SuppressWarnings("AddressSelection") // The address is a literal, there is nothing to select.
  private InetSocketAddress literal() throws IOException {
    return new InetSocketAddress(InetAddress.getByName(target.address()), target.port());
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // Closed is closed.
    }
  }

  private static String commonName(X509Certificate certificate) {
    String name = certificate.getSubjectX500Principal().getName();
    int start = name.indexOf("CN=") + 3;
    int end = name.indexOf(',', start);
    return end < 0 ? name.substring(start) : name.substring(start, end);
  }

  /** Reads the whole answer, so that a cut body is a failure too, and returns its status. */
  private static String statusOf(InputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    in.transferTo(bytes);
    String text = bytes.toString(StandardCharsets.ISO_8859_1);
    if (text.length() < 12 || !text.startsWith("HTTP/1.")) {
      throw new IOException("no HTTP answer but " + text.length() + " bytes");
    }
    return text.substring(9, 12);
  }
}
