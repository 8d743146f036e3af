package io.apiserverupdater.updater.controller;

import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import java.util.Set;

/** What is known of the members' health. Safe for use by several threads. */
public interface MemberHealths {

  /** From now on these are the members: others are no longer probed. */
  void follow(Set<Member> members);

  /** What is known of a member; {@link MemberHealth#UNKNOWN} while it is not judged. */
  MemberHealth of(Member member);

  /** Calls the listener, briefly and from any thread, when a member's state has changed. */
  void onChange(Runnable listener);

  /** Nobody is probed, and all are taken to be well. */
  MemberHealths NOT_PROBED =
      new MemberHealths() {
        @Override
        public void follow(Set<Member> members) {}

        @Override
        public MemberHealth of(Member member) {
          return MemberHealth.READY;
        }

        @Override
        public void onChange(Runnable listener) {}
      };
}
