package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.updater.endpoints.Member;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How far a member's clock is ahead of this machine's. A server tells whole seconds, and its answer
 * takes some time, so there is a least and a most; both are negative when it is behind.
 */
public record ServerClock(Member member, Duration least, Duration most) {
  /** Clocks that are kept by NTP differ by less. */
  private static final Duration SKEW = Duration.ofMillis(300);

  private static final String HARM =
      "certificates and tokens may count as expired or not yet valid, and logs do not fit together;"
          + " check time synchronization";

  /**
   * From one answer.
   *
   * @param told what the server said, a whole second
   * @param sent when it was asked, by this machine's clock
   * @param received when the answer was there, by the same clock
   */
  public static ServerClock of(Member member, Instant told, Instant sent, Instant received) {
    return new ServerClock(
        member, Duration.between(received, told), Duration.between(sent, told.plusSeconds(1)));
  }

  /** What is certain of the differences; nothing when all clocks may show the same. */
  static List<String> warnings(List<ServerClock> clocks) {
    List<String> warnings = new ArrayList<>();
    if (clocks.isEmpty()) {
      return warnings;
    }
    ServerClock ahead = clocks.stream().max(Comparator.comparing(ServerClock::least)).orElseThrow();
    ServerClock behind = clocks.stream().min(Comparator.comparing(ServerClock::most)).orElseThrow();
    Duration apart = ahead.least().minus(behind.most());
    if (apart.compareTo(SKEW) >= 0) {
      warnings.add(
          "the clock of member %s is at least %s ahead of that of member %s; %s"
              .formatted(ahead.member(), seconds(apart), behind.member(), HARM));
      return warnings;
    }
    if (ahead.least().compareTo(SKEW) >= 0) {
      warnings.add(
          "the clock of this machine is at least %s behind that of member %s; %s"
              .formatted(seconds(ahead.least()), ahead.member(), HARM));
    }
    if (behind.most().negated().compareTo(SKEW) >= 0) {
      warnings.add(
          "the clock of this machine is at least %s ahead of that of member %s; %s"
              .formatted(seconds(behind.most().negated()), behind.member(), HARM));
    }
    return warnings;
  }

  private static String seconds(Duration time) {
    long tenths = time.toMillis() / 100;
    return tenths / 10 + "." + tenths % 10 + " s";
  }
}
