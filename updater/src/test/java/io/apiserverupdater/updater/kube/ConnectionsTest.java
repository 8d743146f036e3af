package io.apiserverupdater.updater.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConnectionsTest {
  private static final String CONFIGURED = "10.96.0.1";

  private final ScheduledExecutorService deadlines = Executors.newScheduledThreadPool(0);

  @AfterEach
  void end() {
    deadlines.shutdownNow();
  }

  private record Access(Proxy proxy) implements ClusterAccess {
    @Override
    public String origin() {
      return "test";
    }

    @Override
    public ServerAddress server() {
      return address(CONFIGURED);
    }

    @Override
    public Optional<String> certificateAuthority() {
      return Optional.empty();
    }

    @Override
    public ClientIdentity identity(boolean fresh) {
      return ClientIdentity.ANONYMOUS;
    }
  }

  private static ServerAddress address(String host) {
    return new ServerAddress(host, 6443, "", Optional.empty());
  }

  /** What a watch has got behind the configured address, only pings or our probes can tell. */
  @ParameterizedTest
  @CsvSource({
    "10.0.0.1, false, false, DirectTransport",
    "10.0.0.1, true, false, DirectTransport",
    "10.96.0.1, false, false, OkHttpTransport",
    "10.96.0.1, true, false, DirectTransport",
    "apiserver.example, true, false, OkHttpTransport",
    "10.0.0.1, true, true, OkHttpTransport",
  })
  void sendsBy(String server, boolean probed, boolean proxied, String transport) throws Exception {
    Proxy proxy =
        proxied
            ? new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved("proxy", 3128))
            : Proxy.NO_PROXY;
    try (Connections connections =
        new Connections(new Access(proxy), "test/1", System::nanoTime, deadlines, probed)) {
      Transport chosen = connections.get(address(server), false).transport();
      assertEquals(transport, chosen.getClass().getSimpleName());
    }
  }
}
