package io.apiserverupdater.updater.kube.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.kube.access.ServerAddress;
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
    assertEquals(List.of(CONFIGURED), order.candidates(T));
  }

  @Test
  void membersComeBeforeTheConfiguredAddress() {
    order.setMembers(List.of(B, A));
    assertEquals(List.of(B, A, CONFIGURED), order.candidates(T));
  }

  @Test
  void theOneThatAnsweredComesFirst() {
    order.setMembers(List.of(A, B, C));
    order.succeeded(C, T);
    assertEquals(List.of(C, A, B, CONFIGURED), order.candidates(T));
  }

  @Test
  void answerOfTheConfiguredAddressDoesNotPutItFirst() {
    order.succeeded(CONFIGURED, T);
    order.setMembers(List.of(A));
    order.succeeded(CONFIGURED, T);
    assertEquals(List.of(A, CONFIGURED), order.candidates(T));
  }

  @Test
  void theOneThatFailedComesLast() {
    order.setMembers(List.of(A, B));
    order.succeeded(A, T);
    order.failed(A, T);
    assertEquals(List.of(B, CONFIGURED, A), order.candidates(T));
  }

  @Test
  void ofSeveralFailuresTheOldestComesFirst() {
    order.setMembers(List.of(A, B, C));
    order.failed(C, T);
    order.failed(A, T + SECOND);
    order.failed(CONFIGURED, T + 2 * SECOND);
    order.failed(B, T + 3 * SECOND);
    assertEquals(List.of(C, A, CONFIGURED, B), order.candidates(T + 4 * SECOND));
  }

  @Test
  void failureIsForgottenAfterTenSeconds() {
    order.setMembers(List.of(A, B));
    order.failed(A, T);
    assertEquals(List.of(B, CONFIGURED, A), order.candidates(T + 10 * SECOND));
    assertEquals(List.of(A, B, CONFIGURED), order.candidates(T + 10 * SECOND + 1));
  }

  @Test
  void answerEndsTheDemotion() {
    order.setMembers(List.of(A, B));
    order.failed(A, T);
    assertTrue(order.succeeded(A, T + 1), "it had failed");
    assertFalse(order.succeeded(A, T + 1), "and is told once");
    assertEquals(List.of(A, B, CONFIGURED), order.candidates(T));
  }

  @Test
  void answerToACallSentBeforeTheFailureDoesNotEndIt() {
    order.setMembers(List.of(A, B));
    order.failed(A, T);
    assertFalse(order.succeeded(A, T), "sent before");
    assertFalse(order.failed(A, T + SECOND), "it has not been back");
    assertEquals(List.of(B, CONFIGURED, A), order.candidates(T + SECOND));
  }

  @Test
  void busyOneComesAfterTheIdleAndBeforeTheFailed() {
    order.setMembers(List.of(A, B, C));
    order.succeeded(A, T);
    order.busy(A, T + 2 * SECOND);
    order.failed(B, T);
    assertEquals(List.of(C, CONFIGURED, A, B), order.candidates(T + 2 * SECOND - 1));
    assertEquals(List.of(A, C, CONFIGURED, B), order.candidates(T + 2 * SECOND));
  }

  @Test
  void onlyAnIdleReadyMemberStandsIn() {
    order.setMembers(List.of(A, B, C));
    order.busy(A, T + SECOND);
    order.setUnready(Set.of(B));
    assertFalse(order.mayStandIn(A, T), "busy");
    assertTrue(order.mayStandIn(A, T + SECOND), "busy no more");
    assertFalse(order.mayStandIn(B, T), "unready");
    assertTrue(order.mayStandIn(C, T));
    assertFalse(order.mayStandIn(CONFIGURED, T), "any of them may be behind it");
  }

  @Test
  void unreadyOnesAndTheConfiguredAddressAreWorthLeaving() {
    order.setMembers(List.of(A, B));
    assertEquals(Set.of(), order.worthLeaving());
    order.setUnready(Set.of(B));
    assertEquals(Set.of(B, CONFIGURED), order.worthLeaving());
    assertTrue(order.isUnready(B));
    assertFalse(order.isUnready(A));
    assertFalse(order.isUnready(CONFIGURED));
    order.setUnready(Set.of(A, B));
    assertEquals(Set.of(), order.worthLeaving(), "there is no better one");
    assertFalse(order.isUnready(B), "nor here");
  }

  @Test
  void nobodyIsLeftWhereTheMembersAreNotAsked() {
    order.setUnready(Set.of(A));
    assertEquals(Set.of(), order.worthLeaving());
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
    order.succeeded(A, T);
    order.setMembers(List.of(B));
    assertEquals(List.of(CONFIGURED, B), order.candidates(T), "the failure of B is kept");
    order.setMembers(List.of());
    order.setMembers(List.of(C, B, A));
    assertEquals(List.of(C, B, A, CONFIGURED), order.candidates(T), "neither is kept");
  }

  @Test
  void lateAnswerOfOneThatHasLeftChangesNothing() {
    order.setMembers(List.of(B, A));
    order.succeeded(C, T);
    assertEquals(List.of(B, A, CONFIGURED), order.candidates(T));
  }

  @Test
  void memberIsAskedUnderTheNameThatEveryCertificateCarries() {
    assertEquals(Optional.of("kubernetes.default.svc"), A.tlsName());
    assertEquals("[2001:db8::1]:6443", ServerAddress.member("2001:db8::1", 6443).toString());
  }
}
