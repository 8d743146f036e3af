package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.ApiserverProbe;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.UnreachableException;
import io.apiserverupdater.apiserver.tls.CertificateFaults;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.bootstrap.boot.Probing;
import io.apiserverupdater.bootstrap.check.Facts.Authority;
import io.apiserverupdater.bootstrap.check.Facts.Certificate;
import io.apiserverupdater.bootstrap.check.Facts.Probed;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Facts from the apiservers: answers and certificates. */
public final class NodeProbes {
  private static final Duration DEADLINE = Duration.ofSeconds(3);

  private NodeProbes() {}

  /** Asks all of them at the same time. */
  public static List<Probed> probe(ApiserverProbe probe, List<ApiserverAddress> addresses)
      throws InterruptedException {
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      List<Callable<Probed>> questions = new ArrayList<>();
      addresses.forEach(address -> questions.add(() -> probe(probe, address)));
      List<Probed> answers = new ArrayList<>();
      List<Future<Probed>> asked =
          threads.invokeAll(
              questions, DEADLINE.plus(Probing.GRACE).toNanos(), TimeUnit.NANOSECONDS);
      for (int i = 0; i < asked.size(); i++) {
        answers.add(answer(asked.get(i), addresses.get(i)));
      }
      return answers;
    } finally {
      threads.shutdownNow();
    }
  }

  private static Probed answer(Future<Probed> asked, ApiserverAddress address)
      throws InterruptedException {
    try {
      return asked.get();
    } catch (ExecutionException | CancellationException e) {
      return new Probed(
          address, new ProbeResult.Unreachable(Reason.TLS, "the probe failed: " + e), DEADLINE);
    }
  }

  private static Probed probe(ApiserverProbe probe, ApiserverAddress address) {
    long start = System.nanoTime();
    ProbeResult result = probe.probe(address, DEADLINE);
    return new Probed(address, result, Duration.ofNanos(System.nanoTime() - start));
  }

  /** What an apiserver shows, valid or not. */
  public record Shown(ApiserverAddress by, X509Certificate certificate) {
    Certificate facts() {
      return new Certificate(
          by, CertificateFaults.names(certificate), certificate.getNotAfter().toInstant());
    }
  }

  /** The certificate of the first that shows one. */
  public static Reading<Shown> shown(String hostname, List<Probed> probed) {
    String reason = "no apiserver could be reached";
    for (Probed one : probed) {
      if (!showsOne(one.result())) {
        continue;
      }
      try {
        return new Reading.Known<>(
            new Shown(
                one.address(),
                ApiserverClient.anonymous(hostname, new ServerTrust.Unverified())
                    .servingCertificate(one.address(), DEADLINE)));
      } catch (UnreachableException | GeneralSecurityException e) {
        reason = one.address() + " presented none: " + e.getMessage();
      }
    }
    return new Reading.Unknown<>(reason);
  }

  /** The facts about it. */
  public static Reading<Certificate> certificate(Reading<Shown> shown) {
    return shown.then(it -> new Reading.Known<>(it.facts()));
  }

  /** The facts about trusted certificates. */
  public static List<Authority> authorities(List<X509Certificate> trusted, Reading<Shown> shown) {
    List<Authority> authorities = new ArrayList<>();
    for (X509Certificate one : trusted) {
      boolean signs =
          shown instanceof Reading.Known<Shown> known
              && CertificateFaults.isSignedBy(known.value().certificate(), one);
      authorities.add(new Authority(one.getNotAfter().toInstant(), signs));
    }
    return authorities;
  }

  private static boolean showsOne(ProbeResult result) {
    return result.verified()
        || (result instanceof ProbeResult.Unreachable unreachable
            && unreachable.reason() == Reason.CERTIFICATE);
  }
}
