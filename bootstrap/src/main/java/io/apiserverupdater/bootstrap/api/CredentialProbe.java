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
 *
 * <p>A server that hangs for the kubelet must not pass as one that lives only because this process
 * got too little time to ask it with the credential. Such a question is no answer, and is asked
 * again: for a while from the first refusal on, and for good once the credential has been tried.
 */
public final class CredentialProbe implements ApiserverProbe {
  private final ApiserverProbe anonymous;
  private final String serverName;
  private final ServerTrust.Verified trust;
  private final Path file;
  private final Duration patience;
  private final Consumer<String> warnings;

  // Guarded by this.
  private Optional<Kubeconfig> kubeconfig = Optional.empty();
  private boolean warned;

  /** Apart from what is guarded by this, which a slow credential holds. */
  private final Object progress = new Object();

  // Guarded by progress.
  private Optional<Deadline> patienceEnd = Optional.empty();
  private boolean tried;

  /**
   * @param anonymous the first question
   * @param serverName the name that certificates must be valid for
   * @param file the kubeconfig; read when it is needed
   * @param patience how long from the first refusal on a server is not taken for alive while the
   *     credential could not be tried; zero where each server is asked only once
   * @param warnings takes lines for the log
   */
  public CredentialProbe(
      ApiserverProbe anonymous,
      String serverName,
      ServerTrust.Verified trust,
      Path file,
      Duration patience,
      Consumer<String> warnings) {
    this.anonymous = anonymous;
    this.serverName = serverName;
    this.trust = trust;
    this.file = file;
    this.patience = patience;
    this.warnings = warnings;
  }

  @Override
  public ProbeResult probe(ApiserverAddress address, Duration deadline) {
    Deadline end = Deadline.after(deadline);
    ProbeResult first = anonymous.probe(address, deadline);
    if (!first.unauthorized()) {
      return first;
    }
    synchronized (progress) {
      patienceEnd = patienceEnd.or(() -> Optional.of(Deadline.after(patience)));
    }
    Optional<ApiserverProbe> authenticated;
    try {
      authenticated = authenticated(end);
    } catch (TimeoutException e) {
      return unasked(first);
    }
    if (authenticated.isEmpty()) {
      return first;
    }
    Duration left = end.left();
    boolean hadTime = left.multipliedBy(2).compareTo(deadline) >= 0;
    Optional<ProbeResult> verdict =
        verdict(first, authenticated.get().probe(address, left), hadTime);
    synchronized (progress) {
      tried |= verdict.isPresent();
    }
    return verdict.orElseGet(() -> unasked(first));
  }

  private ProbeResult unasked(ProbeResult anonymous) {
    boolean isNoAnswer;
    synchronized (progress) {
      isNoAnswer =
          !patience.isZero() && (tried || patienceEnd.filter(end -> end.nanos() > 0).isPresent());
    }
    return isNoAnswer
        ? new ProbeResult.Unreachable(
            ProbeResult.Reason.ANSWER_TIMEOUT,
            "no time was left to ask it with the credential of " + file,
            true)
        : anonymous;
  }

  /**
   * Which answer counts. A server that falls silent when the node says who it is does not serve the
   * kubelet, and one that is gone serves nobody. A connection that was broken off proves less than
   * what was said before: it may be our credential that somebody disliked.
   *
   * @param hadTime whether the second question was left half of the deadline
   * @return empty when the second question proves nothing
   */
  static Optional<ProbeResult> verdict(
      ProbeResult anonymous, ProbeResult authenticated, boolean hadTime) {
    if (!(authenticated instanceof ProbeResult.Unreachable fault)) {
      return Optional.of(authenticated);
    }
    return switch (fault.reason()) {
      case REFUSED, NO_ROUTE -> Optional.of(authenticated);
      case CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT, ANSWER_TIMEOUT ->
          hadTime && !fault.heldUp() ? Optional.of(authenticated) : Optional.empty();
      case CONNECTION_LOST, CERTIFICATE, TLS, MALFORMED_ANSWER -> Optional.of(anonymous);
    };
  }

  /** A credential plugin has a limit of its own, which is longer than that of a probe. */
  private Optional<ApiserverProbe> authenticated(Deadline end) throws TimeoutException {
    FutureTask<Optional<ApiserverProbe>> task = new FutureTask<>(this::authenticated);
    Thread thread = new Thread(task, "probe-credential");
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get(end.nanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
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
