package io.apiserverupdater.node;

/**
 * A line of a node's journal.
 *
 * @param monotonicNanos when, on the clock of {@link System#nanoTime}: on Linux both are the
 *     kernel's monotonic clock
 * @param bootId the boot in which it was written, 32 hexadecimal digits
 * @param unit the unit that wrote it, or the one that systemd speaks of; {@code ""} if none
 * @param fromSystemd whether systemd itself wrote it
 */
public record JournalEntry(
    long monotonicNanos, String bootId, String unit, boolean fromSystemd, String message) {

  @Override
  public String toString() {
    return "[%d.%06d] %s%s: %s"
        .formatted(
            monotonicNanos / 1_000_000_000,
            monotonicNanos / 1000 % 1_000_000,
            unit,
            fromSystemd ? " (systemd)" : "",
            message);
  }
}
