package io.apiserverupdater.bootstrap.api;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.kubeconfig.Kubeconfig;
import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.ApiserverProbe;
import io.apiserverupdater.apiserver.probe.HttpsReadyzProbe;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.time.Deadline;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * Asks anonymously; a server that has proved who it is and refuses that (401, 403) is asked again
 * with the credential of a kubeconfig, mostly the kubelet's. A node that has not joined yet has
 * none. For use by several threads.
 */
public final class CredentialProbe implements ApiserverProbe {
  private final ApiserverProbe anonymous;
  private final String serverName;
  private final ServerTrust.Verified trust;
  private final Path file;
  private final Consumer<String> warnings;

  // Guarded by this.
  private Optional<Kubeconfig> kubeconfig = Optional.empty();
  private boolean warned;

  /**
   * @param anonymous the first question
   * @param serverName the name that certificates must be valid for
   * @param file the kubeconfig; read when it is needed
   * @param warnings takes lines for the log
   */
  public CredentialProbe(
      ApiserverProbe anonymous,
      String serverName,
      ServerTrust.Verified trust,
      Path file,
      Consumer<String> warnings) {
    this.anonymous = anonymous;
    this.serverName = serverName;
    this.trust = trust;
    this.file = file;
    this.warnings = warnings;
  }

  @Override
  public ProbeResult probe(ApiserverAddress address, Duration deadline) {
    Deadline end = Deadline.after(deadline);
    ProbeResult first = anonymous.probe(address, deadline);
    if (!first.unauthorized()) {
      return first;
    }
    ProbeResult second =
        authenticated(end).map(probe -> probe.probe(address, end.left())).orElse(first);
    // What it said is worth more than that the second connection was lost.
    return second instanceof ProbeResult.Unreachable ? first : second;
  }

  /** A credential plugin has a limit of its own, which is longer than that of a probe. */
  private Optional<ApiserverProbe> authenticated(Deadline end) {
    FutureTask<Optional<ApiserverProbe>> task = new FutureTask<>(this::authenticated);
    Thread thread = new Thread(task, "probe-credential");
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get(end.nanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException | ExecutionException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  /** Read each time: the credential is renewed, and the file comes when the node joins. */
  private synchronized Optional<ApiserverProbe> authenticated() {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      if (kubeconfig.isEmpty()) {
        kubeconfig = Optional.of(ApiserverSource.kubeconfig(file));
      }
      ClientIdentity identity = kubeconfig.get().identity(false);
      return identity.equals(ClientIdentity.ANONYMOUS)
          ? Optional.empty()
          : Optional.of(
              new HttpsReadyzProbe(
                  ApiserverClient.authenticated(
                      serverName, trust, identity.certificate(), identity::token)));
    } catch (IOException | GeneralSecurityException e) {
      if (!warned) {
        warned = true;
        String reason = String.valueOf(e.getMessage()).replace('\n', ' ').replace('"', '\'');
        warnings.accept("credential=unusable kubeconfig=" + file + " reason=\"" + reason + "\"");
      }
      return Optional.empty();
    }
  }
}
