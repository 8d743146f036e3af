package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.apiserver.probe.ProbeResult;
import java.time.Duration;

/**
 * How often an apiserver is asked, and how much evidence changes the mind about it.
 *
 * @param interval the longest time between the end of one probe and the start of the next
 * @param timeout for connecting and the handshake, and for the answer, of an apiserver nearby
 * @param rise how many good probes in a row make an apiserver ready that had been silent
 * @param fall how many bad probes in a row make an apiserver unready, where one is no proof
 */
public record ProbePolicy(Duration interval, Duration timeout, int rise, int fall) {

  /**
   * How many bad probes in a row it takes, this one being the last. What the apiserver's own host,
   * or the apiserver itself, says for certain needs no second opinion; silence does.
   */
  int fallsAfter(ProbeResult bad) {
    return bad instanceof ProbeResult.Unreachable unreachable ? fall(unreachable.reason()) : 1;
  }

  private int fall(ProbeResult.Reason reason) {
    return switch (reason) {
      case REFUSED, CERTIFICATE -> 1;
      case NO_ROUTE,
          CONNECT_TIMEOUT,
          HANDSHAKE_TIMEOUT,
          ANSWER_TIMEOUT,
          CONNECTION_LOST,
          TLS,
          MALFORMED_ANSWER ->
          fall;
    };
  }

  /**
   * How many good probes in a row it takes after the given bad one. An apiserver that has said
   * honestly that it is not ready is believed at once when it says that it is.
   */
  int risesAfter(ProbeResult lastBad) {
    return lastBad instanceof ProbeResult.NotReady ? 1 : rise;
  }
}
