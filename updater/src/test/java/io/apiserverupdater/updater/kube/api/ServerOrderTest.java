package io.apiserverupdater.updater.kube.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.kube.access.ServerAddress;
import io.apiserverupdater.updater.kube.api.ServerOrder.Calls;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ServerOrderTest {
  private static final ServerAddress CONFIGURED =
      new ServerAddress("10.96.0.1", 443, "", Optional.empty());
  private static final ServerAddress A = ServerAddress.member("192.0.2.1", 6443);
  private static final ServerAddress B = ServerAddress.member("192.0.2.2", 6443);
  private static final ServerAddress C = ServerAddress.member("192.0.2.3", 6443);
  private static final long SECOND = Duration.ofSeconds(1).toNanos();
  private static final long T = -3 * SECOND;

  private final ServerOrder order = new ServerOrder(CONFIGURED);

  @Test
  void configuredAddressIsAllThereIsAtFirst() {
    assertEquals(List.of(CONFIGURED), order.candidates(Calls.RENEWALS, T));
  }

  @Test
  void membersComeBeforeTheConfiguredAddress() {
    order.setMembers(List.of(B, A));
    assertEquals(List.of(B, A, CONFIGURED), order.candidates(Calls.RENEWALS, T));
  }

  @Test
  void theOneThatAnsweredComesFirst() {
    order.setMembers(List.of(A, B, C));
    order.succeeded(C, Calls.RENEWALS, T);
    assertEquals(List.of(C, A, B, CONFIGURED), order.candidates(Calls.RENEWALS, T));
  }

  @Test
  void answerOfTheConfiguredAddressDoesNotPutItFirst() {
    order.succeeded(CONFIGURED, Calls.RENEWALS, T);
    order.setMembers(List.of(A));
    order.succeeded(CONFIGURED, Calls.RENEWALS, T);
    assertEquals(List.of(A, CONFIGURED), order.candidates(Calls.RENEWALS, T));
  }

  @Test
  void theOneThatFailedComesLast() {
    order.setMembers(List.of(A, B));
    order.succeeded(A, Calls.RENEWALS, T);
    order.failed(A, T);
    assertEquals(List.of(B, CONFIGURED, A), order.candidates(Calls.RENEWALS, T));
  }

  @Test
  void ofSeveralFailuresTheOldestComesFirst() {
    order.setMembers(List.of(A, B, C));
    order.failed(C, T);
    order.failed(A, T + SECOND);
    order.failed(CONFIGURED, T + 2 * SECOND);
    order.failed(B, T + 3 * SECOND);
    assertEquals(List.of(C, A, CONFIGURED, B), order.candidates(Calls.RENEWALS, T + 4 * SECOND));
  }

  @Test
  void failureIsForgottenAfterTenSeconds() {
    order.setMembers(List.of(A, B));
    order.failed(A, T);
    assertEquals(List.of(B, CONFIGURED, A), order.candidates(Calls.RENEWALS, T + 10 * SECOND));
    assertEquals(List.of(A, B, CONFIGURED), order.candidates(Calls.RENEWALS, T + 10 * SECOND + 1));
  }

  @Test
  void theOneThatWasSilentAtAWriteComesAfterTheOtherMembersForTenSecondsAndIsNotLeft() {
    order.setMembers(List.of(A, B, C));
    order.silent(B, T);
    order.silent(A, T + SECOND);
    order.succeeded(A, Calls.OTHERS, T + 2 * SECOND);
    long now = T + 3 * SECOND;
    assertEquals(List.of(C, B, A, CONFIGURED), order.candidates(Calls.RENEWALS, now));
    assertEquals(List.of(C, B, A, CONFIGURED), order.candidates(Calls.OTHERS, now));
    assertFalse(order.isDemoted(A, now));
    assertFalse(order.isWorthLeaving(A, now));
    order.failed(C, now);
    assertEquals(List.of(B, A, CONFIGURED, C), order.candidates(Calls.RENEWALS, now));
    long later = T + 11 * SECOND + 1;
    assertEquals(List.of(A, B, CONFIGURED, C), order.candidates(Calls.OTHERS, later));
  }

  @Test
  void answerEndsTheDemotion() {
    order.setMembers(List.of(A, B));
    order.failed(A, T);
    assertTrue(order.succeeded(A, Calls.RENEWALS, T + 1), "it had failed");
    assertFalse(order.succeeded(A, Calls.RENEWALS, T + 1), "and is told once");
    assertEquals(List.of(A, B, CONFIGURED), order.candidates(Calls.RENEWALS, T));
  }

  @Test
  void answerToACallSentBeforeTheFailureDoesNotEndIt() {
    order.setMembers(List.of(A, B));
    order.failed(A, T);
    assertFalse(order.succeeded(A, Calls.RENEWALS, T), "sent before");
    assertFalse(order.failed(A, T + SECOND), "it has not been back");
    assertEquals(List.of(B, CONFIGURED, A), order.candidates(Calls.RENEWALS, T + SECOND));
  }

  @Test
  void busyOneComesAfterTheIdleAndBeforeTheFailed() {
    order.setMembers(List.of(A, B, C));
    order.succeeded(A, Calls.RENEWALS, T);
    order.busy(A, T + 2 * SECOND);
    order.failed(B, T);
    assertEquals(
        List.of(C, CONFIGURED, A, B), order.candidates(Calls.RENEWALS, T + 2 * SECOND - 1));
    assertEquals(List.of(A, C, CONFIGURED, B), order.candidates(Calls.RENEWALS, T + 2 * SECOND));
  }

  /** As in the kubeconfig of a kubeadm cluster: its server is one of the control planes. */
  @Test
  void busyOneIsSparedUnderEachOfItsNames() {
    ServerAddress sameAsA = new ServerAddress("192.0.2.1", 6443, "", Optional.empty());
    ServerOrder named = new ServerOrder(sameAsA);
    named.setMembers(List.of(A, B));
    named.busy(sameAsA, T + SECOND);
    assertFalse(named.mayStandIn(A, T), "it was asked under its other name");
    assertTrue(named.mayStandIn(B, T));
  }

  @Test
  void busyOneThatLeavesAndReturnsIsStillSpared() {
    order.setMembers(List.of(A, B));
    order.busy(A, T + SECOND);
    order.setMembers(List.of(B));
    order.setMembers(List.of(A, B));
    assertFalse(order.mayStandIn(A, T));
    assertTrue(order.mayStandIn(A, T + SECOND));
  }

  @Test
  void onlyAnIdleMemberStandsInAndOnlyAReadyOneTakesOver() {
    order.setMembers(List.of(A, B, C));
    order.busy(A, T + SECOND);
    order.setUnready(() -> Set.of(B));
    assertFalse(order.mayStandIn(A, T), "busy");
    assertTrue(order.mayStandIn(A, T + SECOND), "busy no more");
    assertFalse(order.mayTakeOver(B, T), "unready");
    assertTrue(order.mayStandIn(B, T), "it may serve all the same");
    assertTrue(order.mayTakeOver(C, T));
    assertFalse(order.mayStandIn(CONFIGURED, T), "any of them may be behind it");
  }

  @Test
  void renewalsTakeTurnsBetweenTwoServers() {
    order.setMembers(List.of(A, B, C));
    order.succeeded(A, Calls.RENEWALS, T);
    order.succeeded(A, Calls.RENEWALS, T + 5 * SECOND);
    assertEquals(List.of(A, B, C, CONFIGURED), order.candidates(Calls.RENEWALS, T + 10 * SECOND));
    assertEquals(
        List.of(B, C, A, CONFIGURED), order.candidates(Calls.RENEWALS, T + 10 * SECOND + 1));
    order.succeeded(B, Calls.RENEWALS, T + 11 * SECOND);
    assertEquals(List.of(B, A, C, CONFIGURED), order.candidates(Calls.RENEWALS, T + 12 * SECOND));
    assertEquals(List.of(A, C, B, CONFIGURED), order.candidates(Calls.RENEWALS, T + 22 * SECOND));
  }

  @Test
  void watchesAndOtherCallsStayAtTheirServer() {
    order.setMembers(List.of(A, B));
    order.succeeded(B, Calls.OTHERS, T);
    order.succeeded(A, Calls.RENEWALS, T);
    assertEquals(List.of(B, A, CONFIGURED), order.candidates(Calls.OTHERS, T + 1000 * SECOND));
  }

  @Test
  void watchesLeaveTheConfiguredAddressAsSoonAsAMemberIsKnown() {
    order.setUnready(() -> Set.of(A));
    assertFalse(order.isWorthLeaving(CONFIGURED, T), "there is no other");
    order.setUnready(() -> Set.of());
    order.setMembers(List.of(A, B));
    assertTrue(order.isWorthLeaving(CONFIGURED, T));
    assertTrue(order.isWorthLeavingAtOnce(CONFIGURED, T), "it was chosen before they were known");
    order.failed(A, T);
    order.failed(B, T);
    assertFalse(order.isWorthLeavingAtOnce(CONFIGURED, T), "it was chosen because they failed");
  }

  @Test
  void watchesLeaveUnreadyMembersAndThoseThatAreNoneAnyMore() {
    order.setMembers(List.of(A, B));
    order.setUnready(() -> Set.of(B));
    assertTrue(order.isWorthLeaving(B, T));
    assertTrue(order.isWorthLeaving(C, T), "it is no member");
    assertTrue(order.isWorthLeaving(CONFIGURED, T), "B may be behind it");
    assertFalse(order.isWorthLeaving(A, T));
    order.failed(A, T);
    assertTrue(order.isWorthLeaving(B, T), "A is still the better one");
    order.setUnready(() -> Set.of(A, B));
    for (ServerAddress server : List.of(A, B, C, CONFIGURED)) {
      assertFalse(order.isWorthLeaving(server, T), "there is no better one than " + server);
    }
  }

  @Test
  void distrustedOneComesAfterTheOthersForFiveMinutes() {
    order.setMembers(List.of(A, B, C));
    order.succeeded(A, Calls.RENEWALS, T);
    order.failed(C, T);
    assertTrue(order.distrusted(A, T), "it is new");
    assertFalse(order.distrusted(A, T + SECOND), "and told once");
    assertEquals(List.of(B, CONFIGURED, A, C), order.candidates(Calls.RENEWALS, T + SECOND));
    assertTrue(order.isWorthLeaving(A, T + SECOND), "watches leave it, too");
    assertFalse(
        order.succeeded(A, Calls.RENEWALS, T + 2 * SECOND), "it may serve other calls well");
    assertTrue(order.isDistrusted(A, T + 300 * SECOND));
    assertFalse(order.isDistrusted(A, T + 301 * SECOND));
    assertTrue(order.succeeded(A, Calls.RENEWALS, T + 302 * SECOND), "back");
    assertTrue(order.distrusted(A, T + 303 * SECOND), "told again");
  }

  @Test
  void whereAllAreDistrustedNoneIsLeft() {
    order.setMembers(List.of(A, B));
    order.distrusted(A, T);
    order.distrusted(B, T);
    assertFalse(order.isWorthLeaving(A, T));
    assertFalse(order.isWorthLeaving(B, T));
  }

  @Test
  void watchLeavesAServerThatHasJustFailedForOneThatHasNot() {
    order.setMembers(List.of(A, B));
    order.failed(A, T);
    assertTrue(order.isDemoted(A, T));
    order.setUnready(() -> Set.of(B));
    assertFalse(order.isDemoted(A, T), "the other is unready");
    order.setUnready(() -> Set.of());
    order.failed(B, T);
    assertFalse(order.isDemoted(A, T), "the other has failed as well");
  }

  /** It could not be opened there, and would end as often as it is opened where it is. */
  @Test
  void watchDoesNotLeaveForAServerThatAsksToBeSpared() {
    order.setMembers(List.of(A, B));
    order.busy(A, T + 40 * SECOND);
    order.distrusted(B, T);
    order.failed(B, T);
    for (long now : List.of(T, T + 39 * SECOND)) {
      assertFalse(order.isWorthLeaving(B, now));
      assertFalse(order.isWorthLeavingAtOnce(B, now));
      assertFalse(order.isDemoted(B, now));
    }
    assertTrue(order.isWorthLeaving(B, T + 40 * SECOND));
    order.setMembers(List.of(A, B, C));
    assertTrue(order.isWorthLeaving(B, T), "C is better");
    assertTrue(order.isDemoted(B, T));
    order.failed(C, T);
    assertFalse(order.isWorthLeaving(B, T), "C has failed");
  }

  /** Each member is probed by a thread of its own. */
  @Test
  void ofTwoChangesAtTheSameTimeTheLaterOneCounts() throws Exception {
    order.setMembers(List.of(A, B));
    Thread later = new Thread(() -> order.setUnready(() -> Set.of(A)), "later");
    order.setUnready(
        () -> {
          later.start();
          while (later.isAlive() && later.getState() != Thread.State.BLOCKED) {
            Thread.onSpinWait();
          }
          return Set.of(B);
        });
    later.join();
    assertEquals(List.of(B, CONFIGURED, A), order.candidates(Calls.OTHERS, T));
  }

  /** As where a firewall drops probes; the configured address may be dead. */
  @Test
  void whereAllAreUnreadyThatDecidesNothing() {
    order.setMembers(List.of(A, B));
    order.setUnready(() -> Set.of(A, B));
    order.failed(CONFIGURED, T);
    order.succeeded(B, Calls.OTHERS, T);
    assertEquals(List.of(B, A, CONFIGURED), order.candidates(Calls.OTHERS, T));
    assertTrue(order.mayTakeOver(A, T));
    order.setUnready(() -> Set.of(B));
    assertEquals(List.of(A, CONFIGURED, B), order.candidates(Calls.OTHERS, T));
    assertFalse(order.mayTakeOver(B, T));
  }

  @Test
  void onlyTheFirstFailureIsTold() {
    order.setMembers(List.of(A));
    assertTrue(order.failed(A, T));
    assertFalse(order.failed(A, T + SECOND));
  }

  @Test
  void memberThatLeavesIsForgotten() {
    order.setMembers(List.of(A, B));
    order.failed(B, T);
    order.succeeded(A, Calls.RENEWALS, T);
    order.setMembers(List.of(B));
    assertEquals(
        List.of(CONFIGURED, B), order.candidates(Calls.RENEWALS, T), "the failure of B is kept");
    order.setMembers(List.of());
    order.setMembers(List.of(C, B, A));
    assertEquals(
        List.of(C, B, A, CONFIGURED), order.candidates(Calls.RENEWALS, T), "neither is kept");
  }

  @Test
  void lateAnswerOfOneThatHasLeftChangesNothing() {
    order.setMembers(List.of(B, A));
    order.succeeded(C, Calls.RENEWALS, T);
    assertEquals(List.of(B, A, CONFIGURED), order.candidates(Calls.RENEWALS, T));
  }

  @Test
  void memberIsAskedUnderTheNameThatEveryCertificateCarries() {
    assertEquals(Optional.of("kubernetes.default.svc"), A.tlsName());
    assertEquals("[2001:db8::1]:6443", ServerAddress.member("2001:db8::1", 6443).toString());
  }
}
