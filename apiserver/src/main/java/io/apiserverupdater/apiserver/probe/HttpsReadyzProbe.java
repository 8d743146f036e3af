package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.printing.Printable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * GET /readyz. kube-apiserver names the checks that fail in any answer that is not 200, so the long
 * form of the question (?verbose) would only make the answer of a healthy one longer.
 */
public final class HttpsReadyzProbe implements ApiserverProbe {
  static final String TARGET = "/readyz";

  /** Some forty checks of some forty characters make 2 KiB. */
  static final int MAX_BODY_BYTES = 64 * 1024;

  private static final int MAX_FAILING_CHECKS = 100;
  private static final int MAX_CHECK_CHARS = 100;
  private static final String FAILED = "[-]";

  private final ApiserverClient client;

  public HttpsReadyzProbe(ApiserverClient client) {
    this.client = client;
  }

  @Override
  public ProbeResult probe(ApiserverAddress address, Duration deadline) {
    try {
      return result(client.get(address, TARGET, MAX_BODY_BYTES, deadline));
    } catch (UnreachableException e) {
      return e.result();
    }
  }

  /**
   * Opens a connection on which the question can be asked again and again.
   *
   * @param deadline for connecting and the handshake, when the server is nearby
   * @throws UnreachableException when it cannot be opened
   */
  public HeldConnection hold(ApiserverAddress address, Duration deadline)
      throws UnreachableException {
    return HeldConnection.open(client, address, deadline);
  }

  static ProbeResult result(HttpAnswer answer) {
    return answer.status() == 200
        ? new ProbeResult.Ready()
        : new ProbeResult.NotReady(answer.status(), failingChecks(answer.body()));
  }

  /** From lines such as {@code [-]etcd failed: reason withheld}. */
  static List<String> failingChecks(String body) {
    List<String> failing = new ArrayList<>();
    for (String line : body.split("\n", -1)) {
      if (line.startsWith(FAILED) && failing.size() < MAX_FAILING_CHECKS) {
        String name = line.substring(FAILED.length());
        int space = name.indexOf(' ');
        failing.add(Printable.line(space < 0 ? name : name.substring(0, space), MAX_CHECK_CHARS));
      }
    }
    return failing;
  }
}
