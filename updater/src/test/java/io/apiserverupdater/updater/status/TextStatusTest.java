package io.apiserverupdater.updater.status;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.status.StatusReport.Listing;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Transition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextStatusTest {
  @Test
  void showsThatAllIsWell() {
    assertEquals(
        """
        kube-system/apiserver from default/kubernetes: all is well

        REPLICA                             ROLE      STARTED   VERSION   NODE
        apiserver-updater-7d4f8c9b6-x2x4q   leader    3d5h      0.1.0     cp1
        apiserver-updater-7d4f8c9b6-k9k7m   standby   3d5h      0.1.0     cp3

        MEMBER           PROBES   SINCE   PUBLISHED   LATENCY   CERTIFICATE   NODE
        10.0.0.11:6443   ready    3d4h    ready       1.2 ms    341d          cp1
        10.0.0.12:6443   ready    3d4h    ready       1.2 ms    341d          cp2
        10.0.0.13:6443   ready    3d4h    ready       1.2 ms    341d          cp3

        Gate:   IPv4 normal
        Target: in step with the source

        AGO    REPLICA                             REASON          MESSAGE
        3d4h   apiserver-updater-7d4f8c9b6-x2x4q   LeaderElected   leading: started (apiserver-updater-7d4f8c9b6-x2x4q_0a1b2c3d)
        """,
        TextStatus.text(Reports.well()));
  }

  @Test
  void beginsWithWhatToLookAt() {
    List<String> lines = TextStatus.text(Reports.oneDown()).lines().toList();
    assertEquals(
        List.of(
            "kube-system/apiserver from default/kubernetes: 2 things to look at",
            "! 10.0.0.12:6443 has not been ready for 12s: " + Reports.REFUSED,
            "! the certificate of 10.0.0.12:6443 expires in 12d",
            ""),
        lines.subList(0, 4));
    assertEquals(
        "10.0.0.12:6443   not ready   12s     ready    not ready   -         12d           cp2    "
            + Reports.REFUSED,
        lines.stream().filter(line -> line.startsWith("10.0.0.12")).findFirst().orElse(""));
  }

  /** In {@link #showsThatAllIsWell} it would say nothing new. */
  @Test
  void showsTheSourceBesideATargetThatDiffers() {
    List<MemberStatus> members = new ArrayList<>(Reports.well().members());
    members.set(0, Reports.member(1, Listing.ABSENT, Reports.ready(Reports.LEADER)));
    members.set(2, Reports.member(3, Listing.ABSENT, Listing.READY));
    String text = TextStatus.text(Reports.with(Reports.well(), members, List.of()));
    assertEquals(
        """
        MEMBER           PROBES   SINCE   SOURCE       PUBLISHED    LATENCY   CERTIFICATE   NODE
        10.0.0.11:6443   ready    3d4h    ready        not listed   1.2 ms    341d          cp1
        10.0.0.12:6443   ready    3d4h    ready        ready        1.2 ms    341d          cp2
        10.0.0.13:6443   -        -       not listed   ready        -         -             cp3
        """,
        text.replaceFirst("(?s).*\n(MEMBER .*?\n)\n.*", "$1"));
  }

  @Test
  void showsTheLastTransitionsOnly() {
    Transition one = Reports.transition(Duration.ofSeconds(5), "r", "MemberReady", "it is ready");
    StatusReport report =
        Reports.with(Reports.well(), Reports.well().members(), Collections.nCopies(100, one));
    assertEquals(
        10, TextStatus.text(report).lines().filter(line -> line.contains("it is ready")).count());
  }

  @Test
  void hasNoTableOfWhatIsNotKnown() {
    StatusReport empty = Reports.empty("the Lease cannot be read: 403 Forbidden");
    assertEquals(
        """
        c/d from a/b: 1 thing to look at
        ! the Lease cannot be read: 403 Forbidden

        Gate:   unknown
        Target: unknown
        """,
        TextStatus.text(empty));
  }

  @Test
  void foreignTextIsShownAndNotObeyed() {
    String text = TextStatus.text(Reports.saying("x\n\u001b[2J\u202e"));
    assertFalse(text.contains("\u001b"));
    assertTrue(text.contains("x\\u000a\\u001b[2J\\u202e"));
  }
}
