package io.apiserverupdater.updater.status;

import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.status.StatusReport.Listing;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Role;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/** The same words in each output. */
final class Words {
  private Words() {}

  static String of(Listing listing) {
    return switch (listing) {
      case READY -> "ready";
      case NOT_READY -> "not ready";
      case ABSENT -> "not listed";
      case UNKNOWN -> "unknown";
    };
  }

  /** How a member is published, and for how long it is drained. */
  static String published(MemberStatus member, Instant now) {
    return of(member.published()) + drained(member, now).map(it -> ", " + it).orElse("");
  }

  /** For how long a member is drained, if it is. */
  static Optional<String> drained(MemberStatus member, Instant now) {
    return member
        .drainedUntil()
        .map(until -> "drained for another " + age(Duration.between(now, until)));
  }

  static String of(MemberHealth.State state) {
    return switch (state) {
      case READY -> "ready";
      case UNREADY -> "not ready";
      case UNKNOWN -> "unknown";
    };
  }

  static String of(Role role) {
    return role.name().toLowerCase(Locale.ROOT);
  }

  static String of(GateState.Mode mode) {
    return switch (mode) {
      case NORMAL -> "normal";
      case FAIL_OPEN -> "fail-open";
      case HOLD -> "hold";
    };
  }

  /** For how long something has been so; of clocks that disagree, not at all. */
  static Optional<String> since(Optional<Instant> begin, Instant now) {
    return begin.map(it -> age(Duration.between(it, now)));
  }

  /** In two units at most, as kubectl shows an age; what is negative is zero. */
  static String age(Duration age) {
    long seconds = Math.max(0, age.toSeconds());
    long minutes = seconds / 60;
    long hours = minutes / 60;
    long days = hours / 24;
    if (seconds < 120) {
      return seconds + "s";
    }
    if (minutes < 10) {
      return minutes + "m" + rest(seconds % 60, "s");
    }
    if (hours < 3) {
      return minutes + "m";
    }
    if (hours < 8) {
      return hours + "h" + rest(minutes % 60, "m");
    }
    if (hours < 48) {
      return hours + "h";
    }
    return days < 8 ? days + "d" + rest(hours % 24, "h") : days + "d";
  }

  private static String rest(long value, String unit) {
    return value == 0 ? "" : value + unit;
  }

  /** In milliseconds. */
  static String latency(Duration latency) {
    double millis = latency.toNanos() / 1e6;
    return String.format(Locale.ROOT, millis < 10 ? "%.1f ms" : "%.0f ms", millis);
  }
}
