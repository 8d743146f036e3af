package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.bootstrap.log.Log;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What was found at each address: told when it changes, not each time it is found again. */
final class Findings {
  private final Log log;
  private final Map<ApiserverAddress, String> last = new HashMap<>();
  private Optional<String> certificateFault = Optional.empty();

  Findings(Log log) {
    this.log = log;
  }

  void found(ApiserverAddress address, ProbeResult result) {
    if (result instanceof Unreachable unreachable && unreachable.reason() == Reason.CERTIFICATE) {
      certificateFault = Optional.of(address + ": " + unreachable.detail().replace('"', '\''));
    }
    String word = word(result);
    if (!word.equals(last.put(address, word))) {
      log.info("apiserver=" + address + " found=" + word + detail(result));
    }
  }

  /** The last certificate that was refused: whose it is, and why. */
  Optional<String> certificateFault() {
    return certificateFault;
  }

  private static String word(ProbeResult result) {
    if (result instanceof ProbeResult.Ready) {
      return "ready";
    }
    if (result.unauthorized()) {
      return "unauthorized";
    }
    return result instanceof Unreachable unreachable
        ? unreachable.reason().name().toLowerCase(Locale.ROOT).replace('_', '-')
        : "not-ready";
  }

  private static String detail(ProbeResult result) {
    if (result instanceof Unreachable unreachable) {
      return " detail=\"" + unreachable.detail().replace('"', '\'') + "\"";
    }
    if (result instanceof NotReady notReady) {
      return " status="
          + notReady.status()
          + (notReady.failingChecks().isEmpty()
              ? ""
              : " failing=" + String.join(",", notReady.failingChecks()));
    }
    return "";
  }
}
