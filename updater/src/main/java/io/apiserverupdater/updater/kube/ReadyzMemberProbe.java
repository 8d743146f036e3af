package io.apiserverupdater.updater.kube;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.probe.HeldConnection;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.UnreachableException;
import io.apiserverupdater.apiserver.time.Deadline;
import io.apiserverupdater.updater.readiness.MemberProbe;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Asks /readyz on one connection that is kept open, so that its end tells of the apiserver's death
 * at once. Asks anonymously as long as that is answered, and with our credentials after that.
 */
final class ReadyzMemberProbe implements MemberProbe {
  /** The end of a connection that did not last as long is no news: its successor may fare alike. */
  private static final Duration LASTING = Duration.ofSeconds(1);

  /**
   * An apiserver may get a new certificate while it runs, and nobody is told on an open connection
   * that the old one has expired: each new one proves again who the server is.
   */
  private static final Duration LONGEST = Duration.ofHours(1);

  private final ReadyzProbes probes;
  private final ApiserverAddress address;
  private final CountDownLatch closed = new CountDownLatch(1);

  // Of the asking thread only.
  private boolean authenticated;
  private long openedAt;
  private Optional<Instant> certificateEnd = Optional.empty();

  private volatile Optional<HeldConnection> held = Optional.empty();

  ReadyzMemberProbe(ReadyzProbes probes, ApiserverAddress address) {
    this.probes = probes;
    this.address = address;
  }

  @Override
  public ProbeResult ask(Duration timeout) {
    Optional<ClientIdentity> before = probes.keptIdentity();
    ProbeResult result = askWithin(timeout);
    if (result.unauthorized() && !authenticated) {
      // The cluster has --anonymous-auth=false.
      authenticated = true;
      release();
      result = askWithin(timeout);
    }
    return result.unauthorized() && probes.isRenewedSince(before)
        // The member is not to blame if what it was shown has expired in the meantime.
        ? new ProbeResult.Unreachable(Reason.ANSWER_TIMEOUT, "the credential is renewed", true)
        : result;
  }

  private ProbeResult askWithin(Duration timeout) {
    try {
      ProbeResult result = connection(timeout).ask(timeout);
      if (!(result instanceof ProbeResult.Ready) && !(result instanceof ProbeResult.NotReady)) {
        release();
      }
      return result;
    } catch (UnreachableException e) {
      return e.result();
    } catch (IOException | GeneralSecurityException e) {
      return new ProbeResult.Unreachable(Reason.CERTIFICATE, "cannot verify it: " + e.getMessage());
    }
  }

  private HeldConnection connection(Duration timeout)
      throws UnreachableException, IOException, GeneralSecurityException {
    boolean recent = probes.now() - openedAt < LONGEST.toNanos();
    Optional<HeldConnection> current = held.filter(it -> recent && it.isOpen());
    if (current.isPresent()) {
      return current.get();
    }
    release();
    HeldConnection opened = probes.probe(authenticated).hold(address, timeout);
    held = Optional.of(opened);
    openedAt = probes.now();
    certificateEnd = Optional.of(opened.certificateEnd());
    if (closed.getCount() == 0) {
      opened.close();
    }
    return opened;
  }

  private void release() {
    held.ifPresent(HeldConnection::close);
    held = Optional.empty();
  }

  @Override
  public void awaitNext(Duration longest) throws InterruptedException {
    Deadline end = Deadline.after(longest);
    Optional<HeldConnection> watched = held;
    if (watched.isPresent()
        && (watched.get().watch(longest) || watched.get().age().compareTo(LASTING) >= 0)) {
      return;
    }
    boolean unusedEnd = closed.await(end.nanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public Optional<Instant> certificateEnd() {
    return certificateEnd;
  }

  @Override
  public void close() {
    closed.countDown();
    held.ifPresent(HeldConnection::close);
  }
}
