package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Other programs take the name out of the hosts file of a node that is up. */
@Tag("real")
@Timeout(180)
class HostsRepairTest {
  private static final Duration SOON = Duration.ofSeconds(40);
  private static final String HANDOVER = "apiserver-bootstrap-handover.service";

  /** As cloud-init and configuration management do it. */
  private static final String REPLACED =
      "echo '127.0.0.1 localhost' >/etc/hosts.new && mv /etc/hosts.new /etc/hosts";

  /** As an editor's script does it. */
  private static final String LINE_DELETED = "sed -i '/" + Lab.APISERVER_NAME + "/d' /etc/hosts";

  /** In place, as a tool does it that knows foreign blocks. */
  private static final String BLOCK_STRIPPED =
      "sed '/# BEGIN apiserver-bootstrap/,/# END/d' /etc/hosts >/run/hosts"
          + " && cat /run/hosts >/etc/hosts";

  /** The name stays, its markers go: the next one must not take it for somebody else's. */
  private static final String COMMENTS_STRIPPED = "sed -i '/^#/d' /etc/hosts";

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "hosts-repair",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"));

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void theEntryIsPutBackWhateverTookItOut(int number) {
    BootedNode node = cluster.settled(number);
    for (String manner :
        new String[] {REPLACED, LINE_DELETED, BLOCK_STRIPPED, COMMENTS_STRIPPED, REPLACED}) {
      node.run("sh", "-c", manner).orThrow();
      Deadline.in(SOON)
          .await(
              "the entry to be back after: " + manner,
              () ->
                  new String(node.hostsFile(), StandardCharsets.UTF_8)
                          .contains("# BEGIN apiserver-bootstrap")
                      && node.target(Lab.APISERVER_NAME).equals(Lab.APISERVER_SERVICE_ADDRESS),
              () -> node.journalTail(40));
      node.awaitUnit(HANDOVER, "inactive", SOON);
    }
    assertEquals("active", node.unit("apiserver-bootstrap-handover.path", "ActiveState"));
    node.powerOff();
  }

  @Test
  void restoreIsNotUndone() {
    BootedNode node = cluster.settled(1);
    node.run("apiserver-bootstrap", "restore").orThrow();
    node.run("sh", "-c", "echo '# a change' >>/etc/hosts").orThrow();
    Deadline.in(SOON)
        .await(
            "the hand-over to see it",
            () -> node.said(HANDOVER).contains("phase=unpinned"),
            () -> node.journalTail(40));
    node.awaitUnit(HANDOVER, "inactive", SOON);
    assertEquals("", node.target(Lab.APISERVER_NAME));
    node.powerOff();
  }

  /** After the program has looked for the last time, and before systemd watches the file again. */
  @Test
  void changeThatThePathUnitMissesIsMendedByTheDailyRefresh() {
    BootedNode node = cluster.settled(1);
    String mark = "/var/lib/apiserver-bootstrap/once";
    String once = "test -e " + mark + " || { touch " + mark + "; " + REPLACED + "; }";
    String folder = "/run/systemd/system/" + HANDOVER + ".d";
    String dropIn = "[Service]\nExecStartPost=/bin/sh -c \"" + once + "\"\n";
    node.run(
            "sh",
            "-c",
            "mkdir --parents " + folder + " && printf %s \"$1\" >" + folder + "/rewrite.conf",
            "sh",
            dropIn)
        .orThrow();
    node.run("systemctl", "daemon-reload").orThrow();
    node.run("systemctl", "start", HANDOVER).orThrow();
    assertEquals("", node.target(Lab.APISERVER_NAME));
    node.run("systemctl", "start", "apiserver-bootstrap-refresh.service").orThrow();
    Deadline.in(SOON)
        .await(
            "the entry to be back",
            () -> node.target(Lab.APISERVER_NAME).equals(Lab.APISERVER_SERVICE_ADDRESS),
            () -> node.journalTail(40));
    node.powerOff();
  }

  /**
   * What rewrites the file at each boot does so before the pin, or between it and the hand-over.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void comesBackWhenTheFileIsRewrittenDuringTheBoot(int number) {
    BootedNode node = cluster.settled(number);
    node.powerOff();
    node.disk()
        .write(
            "/etc/systemd/system/apiserver-bootstrap.service.d/rewrite.conf",
            "[Service]\nExecStartPost=/bin/sh -c \"" + REPLACED + "\"\n");
    node.powerOn();
    long unusedReady = node.awaitSettled(SOON);
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    node.powerOff();
  }
}
