package io.apiserverupdater.updater.controller;

import io.apiserverupdater.updater.endpoints.Drains;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.events.EventReason;
import io.apiserverupdater.updater.events.EventRecorder;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells who is drained from now on, and who is no longer. Not thread-safe. */
final class DrainLog {
  private static final Logger log = LoggerFactory.getLogger(DrainLog.class);

  private final EventRecorder events;
  private final Map<Member, Instant> told = new HashMap<>();

  DrainLog(EventRecorder events) {
    this.events = events;
  }

  /**
   * Tells what has changed.
   *
   * @param drained who is drained now, and until when
   * @param members who is a member; a drained one that has left for a while may come back
   */
  void tell(Map<Member, Instant> drained, Set<Member> members, Drains drains, Instant now) {
    drained.forEach(
        (member, until) -> {
          if (!until.equals(told.put(member, until))) {
            log.info("member=drained address={} until={}", member, until);
            events.record(
                EventReason.MEMBER_DRAINED,
                member.toString(),
                "%s is drained until %s".formatted(member, until));
          }
        });
    Map.copyOf(told)
        .forEach(
            (member, until) -> {
              if (!drained.containsKey(member)) {
                why(member, until, members, drains, now).ifPresent(why -> tellOfEnd(member, why));
              }
            });
  }

  private void tellOfEnd(Member member, String why) {
    told.remove(member);
    log.info("member=undrained address={} reason=\"{}\"", member, why);
    events.record(
        EventReason.MEMBER_UNDRAINED,
        member.toString(),
        "%s is no longer drained: %s".formatted(member, why));
  }

  /** Empty when the member is merely away. */
  private static Optional<String> why(
      Member member, Instant until, Set<Member> members, Drains drains, Instant now) {
    if (!drains.isAsked(member.address(), now)) {
      return Optional.of(now.isBefore(until) ? "the drain was withdrawn" : "the drain is over");
    }
    return members.contains(member) ? Optional.of("no other member is ready") : Optional.empty();
  }
}
