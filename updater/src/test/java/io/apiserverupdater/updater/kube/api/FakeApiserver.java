package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;

/** A server over TLS that answers what a test wants, and clients that trust it. */
public final class FakeApiserver implements AutoCloseable {
  private static final HeldCertificate CERTIFICATE =
      new HeldCertificate.Builder()
          .addSubjectAlternativeName(ClusterAccess.MEMBER_TLS_NAME)
          .build();

  private final MockWebServer server = new MockWebServer();

  /**
   * @param answers called by a thread of each connection
   */
  public FakeApiserver(Function<RecordedRequest, MockResponse> answers) throws IOException {
    server.useHttps(
        new HandshakeCertificates.Builder()
            .heldCertificate(CERTIFICATE)
            .build()
            .sslSocketFactory());
    server.setDispatcher(
        new Dispatcher() {
          @Override
          public MockResponse dispatch(RecordedRequest request) {
            return answers.apply(request);
          }
        });
    server.start();
  }

  public ServerAddress address() {
    return ServerAddress.member("127.0.0.1", server.getPort());
  }

  /** Until when the certificate of all of them is valid. */
  public static Instant certificateEnd() {
    return CERTIFICATE.certificate().getNotAfter().toInstant();
  }

  /** The way to such servers. */
  public static SlowAccess access(FakeApiserver server) {
    SlowAccess access = new SlowAccess();
    access.authority = Optional.of(CERTIFICATE.certificatePem());
    access.server = server.address();
    return access;
  }

  /** A client of such servers, which asks the first one first. */
  public static ApiClient client(FakeApiserver... servers) {
    ApiClient api = new ApiClient(access(servers[0]), "test", System::nanoTime);
    api.setMembers(List.of(servers).stream().map(FakeApiserver::address).toList());
    return api;
  }

  @Override
  public void close() {
    server.close();
  }
}
