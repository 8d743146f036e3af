package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.TrafficTarget;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/**
 * Debian's own HAProxy, nginx and keepalived outside the cluster, with {@code updater export}
 * beside them and the rights of {@code deploy/export}: two hosts with HAProxy share an address by
 * VRRP, a third has nginx. A client outside makes requests by both ways while control planes come,
 * go and die. The tests are one story, in this order.
 */
@Tag("real")
@Timeout(180)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BalancerTest {
  private static final String VIRTUAL = "172.30.4.100";
  private static final Duration SOON = UpdaterCluster.SOON;

  /** HAProxy gives a server that is back its full share after 10 s. */
  private static final Duration SERVED = Duration.ofSeconds(30);

  /** In a row: all servers have been met then. */
  private static final int MANY = 40;

  private static final String USER = "system:serviceaccount:kube-system:apiserver-export";

  private static Lab lab;
  private static Path kubeconfig;
  private static Instant start;
  private static List<String> updater;
  private static List<Balancer> balancers;
  private static LabProcess firstHaproxy;
  private static LabProcess firstKeepalived;
  private static Traffic throughHaproxy;
  private static Traffic throughNginx;

  /** A host with a balancer, its main configuration, and the exporter's file that this includes. */
  private record Balancer(LabHost host, String format, Path folder) {
    static Balancer create(int number, String format) {
      LabHost host = lab.addHost("lb" + number, "172.30.4." + number);
      Path folder = lab.work().resolve(host.name());
      LabException.wrap("cannot make " + folder, () -> Files.createDirectory(folder));
      return new Balancer(host, format, folder);
    }

    String file(String name) {
      return folder.resolve(name).toString();
    }

    void write(String name, String text) {
      LabException.wrap("cannot write", () -> Files.writeString(folder.resolve(name), text));
    }

    String read(String name) {
      return LabException.wrap("cannot read", () -> Files.readString(folder.resolve(name)));
    }

    /** Starts the exporter, or runs it to its end with {@code --once}. */
    private List<String> exporter(String... flags) {
      List<String> command = new ArrayList<>(updater);
      command.addAll(
          List.of(
              "export",
              "--format=" + format,
              "--output=" + file("apiserver.cfg"),
              "--kubeconfig=" + kubeconfig));
      command.addAll(List.of(flags));
      return command;
    }

    void exportOnce(String... flags) {
      List<String> command = exporter(flags);
      command.add("--once");
      host.run(SOON, Map.of(), command.toArray(String[]::new)).orThrow();
    }

    void export(String... flags) {
      LabProcess unusedExporter = host.start("export", exporter(flags), Map.of());
    }

    /** Returns HAProxy itself, beside which the exporter runs. */
    LabProcess startHaproxy() {
      write(
          "haproxy.cfg",
          """
          global
              stats socket %s
          defaults
              timeout connect 5s
              timeout client 50s
              timeout server 50s
          frontend apiserver
              bind :6443
              mode tcp
              timeout client 4h
              default_backend apiserver
          """
              .formatted(file("stats")));
      write("reload", "kill -USR2 $(cat " + file("pid") + ")\n");
      String check = "--check-command=haproxy -c -f " + file("haproxy.cfg") + " -f {}";
      exportOnce(check);
      LabProcess haproxy = runHaproxy();
      export(check, "--on-change=sh " + file("reload"));
      return haproxy;
    }

    LabProcess runHaproxy() {
      return host.start(
          "haproxy",
          List.of(
              "haproxy",
              "-W",
              "-p",
              file("pid"),
              "-f",
              file("haproxy.cfg"),
              "-f",
              file("apiserver.cfg")),
          Map.of());
    }

    void startNginx() {
      write(
          "nginx.conf",
          """
          include /etc/nginx/modules-enabled/*.conf;
          user root;
          daemon off;
          pid %s;
          error_log stderr;
          events {}
          stream {
              include %s;
              server {
                  listen 6443;
                  proxy_pass apiserver;
                  proxy_connect_timeout 1s;
                  proxy_timeout 4h;
              }
          }
          """
              .formatted(file("pid"), file("apiserver.cfg")));
      exportOnce();
      LabProcess unusedNginx =
          host.start("nginx", List.of("nginx", "-c", file("nginx.conf")), Map.of());
      export("--on-change=nginx -c " + file("nginx.conf") + " -s reload");
    }

    /**
     * Shares the virtual address with its peer; the smaller number has it first. As in
     * docs/outside.md, but that nobody here can ask systemd whether HAProxy runs.
     */
    LabProcess startKeepalived(int number, Balancer peer) {
      write("alive", "kill -0 \"$(cat " + file("pid") + ")\"\n");
      write(
          "keepalived.conf",
          """
          global_defs {
              vrrp_version 3
              enable_script_security
              script_user root
          }
          vrrp_script haproxy {
              script "/bin/sh %s"
              interval 1
              fall 2
              rise 2
          }
          vrrp_instance apiserver {
              state BACKUP
              nopreempt
              interface eth0
              virtual_router_id 51
              priority %d
              advert_int 0.3
              unicast_src_ip %s
              unicast_peer {
                  %s
              }
              virtual_ipaddress {
                  %s/16
              }
              track_script {
                  haproxy
              }
          }
          """
              .formatted(
                  file("alive"), 102 - number, host.address(), peer.host().address(), VIRTUAL));
      return host.start(
          "keepalived",
          List.of(
              "keepalived",
              "--dont-fork",
              "--log-console",
              "--vrrp",
              "--use-file=" + file("keepalived.conf"),
              "--pid=" + file("keepalived.pid"),
              "--vrrp_pid=" + file("vrrp.pid")),
          Map.of());
    }

    boolean hasVirtualAddress() {
      return host.run("ip", "addr", "show", "dev", "eth0").out().contains(VIRTUAL + "/");
    }

    boolean lists(ControlPlaneHost controlPlane) {
      return read("apiserver.cfg").contains(controlPlane.address() + ":6443");
    }
  }

  @BeforeAll
  static void start() {
    lab =
        Lab.builder("balancer")
            .controlPlanes(2)
            .workers()
            .apiserverFlags(
                "--shutdown-delay-duration=3s",
                // Else it waits for its watches for a minute before it ends.
                "--shutdown-watch-termination-grace-period=2s")
            .start();
    start = Instant.now();
    updater = UpdaterCluster.command(lab);
    lab.kubectl().run("apply", "-f", "deploy/export/rbac.yaml").orThrow();
    // The control plane that is to stay.
    kubeconfig =
        lab.kubeconfig(
            "export",
            "https://" + lab.controlPlane(2).address() + ":" + Lab.APISERVER_PORT,
            lab.requestToken("kube-system", "apiserver-export"));
    Balancer first = Balancer.create(1, "haproxy");
    Balancer second = Balancer.create(2, "haproxy");
    Balancer third = Balancer.create(3, "nginx");
    balancers = List.of(first, second, third);
    firstHaproxy = first.startHaproxy();
    LabProcess unusedHaproxy = second.startHaproxy();
    third.startNginx();
    firstKeepalived = first.startKeepalived(1, second);
    await("the first has the virtual address", first::hasVirtualAddress);
    LabProcess unusedSecond = second.startKeepalived(2, first);
    LabHost client = lab.addHost("client", "172.30.4.9");
    throughHaproxy = lab.traffic(client, target(VIRTUAL));
    throughNginx = lab.traffic(client, target(third.host().address()));
    awaitServed(lab.controlPlanes());
  }

  private static TrafficTarget target(String address) {
    // One that is about to stop still answers this.
    return TrafficTarget.of(address, 6443, Lab.APISERVER_NAME).path("/version");
  }

  @AfterAll
  static void stop() {
    lab.close();
  }

  private static void await(String what, BooleanSupplier done) {
    Deadline.in(SOON).await(what, done);
  }

  /** Waits until the client reaches these and no other, by both ways. */
  private static void awaitServed(List<ControlPlaneHost> wanted) {
    Set<String> names =
        wanted.stream().map(ControlPlaneHost::name).collect(Collectors.toCollection(TreeSet::new));
    throughHaproxy.awaitOnly(names, MANY, SERVED);
    throughNginx.awaitOnly(names, MANY, SERVED);
  }

  private static void assertNoneFailed(long since) {
    assertEquals(List.of(), throughHaproxy.failuresSince(since), "through HAProxy");
    assertEquals(List.of(), throughNginx.failuresSince(since), "through nginx");
  }

  @Test
  @Order(1)
  void controlPlaneThatJoinsIsServedWithinTwoSeconds() {
    long before = System.nanoTime();
    ControlPlaneHost added = lab.addControlPlane();
    Set<String> all =
        lab.controlPlanes().stream().map(ControlPlaneHost::address).collect(Collectors.toSet());
    lab.awaitAddresses("default", "kubernetes", all, SOON);
    long listed = System.nanoTime();
    throughHaproxy.await(
        "an answer of " + added.name(),
        samples -> samples.stream().anyMatch(it -> it.server().equals(added.name())),
        SOON);
    // The client may have met it before this thread knew that it is listed.
    long took =
        throughHaproxy.samplesSince(before).stream()
            .filter(it -> it.server().equals(added.name()))
            .mapToLong(it -> it.startNanos() + it.took().toNanos() - listed)
            .min()
            .orElseThrow();
    System.out.printf("member listed to served by HAProxy: %d ms%n", took / 1_000_000);
    assertTrue(took <= Duration.ofSeconds(2).toNanos(), took + " ns");
    awaitServed(lab.controlPlanes());
    assertNoneFailed(before);
  }

  @Test
  @Order(2)
  void controlPlaneThatLeavesIsTakenOutOfEveryFile() {
    long before = System.nanoTime();
    ControlPlaneHost leaving = lab.controlPlane(1);
    leaving.terminate();
    for (Balancer balancer : balancers) {
      await(balancer.host().name() + " without " + leaving.name(), () -> !balancer.lists(leaving));
    }
    int unusedCode = leaving.process().awaitExit(Duration.ofSeconds(90));
    lab.removeControlPlane(leaving);
    awaitServed(lab.controlPlanes());
    assertNoneFailed(before);
  }

  @Test
  @Order(3)
  void clientsGoOnWhenOneIsKilled() {
    ControlPlaneHost killed = lab.controlPlane(2);
    long before = System.nanoTime();
    killed.kill();
    awaitServed(List.of(lab.controlPlane(1)));
    Duration haproxy = throughHaproxy.outageSince(before);
    Duration nginx = throughNginx.outageSince(before);
    System.out.printf(
        "outage after SIGKILL: HAProxy %d ms, nginx %d ms%n", haproxy.toMillis(), nginx.toMillis());
    // What it was answering at that moment is lost; new connections go to the other one.
    assertTrue(haproxy.compareTo(Duration.ofMillis(500)) <= 0, haproxy::toString);
    assertTrue(nginx.compareTo(Duration.ofMillis(500)) <= 0, nginx::toString);
    killed.restart();
    awaitServed(lab.controlPlanes());
  }

  /** Its host lives, and would go on announcing an address that nobody serves. */
  @Test
  @Order(4)
  void secondBalancerTakesTheAddressOverWhenTheFirstOnesProxyDies() {
    Balancer first = balancers.get(0);
    assertTrue(first.hasVirtualAddress());
    Duration outage = outageUntilServedBy(balancers.get(1), firstHaproxy::kill);
    System.out.printf("outage after the death of a balancer's HAProxy: %d ms%n", outage.toMillis());
    assertTrue(outage.compareTo(Duration.ofSeconds(6)) <= 0, outage::toString);
    LabProcess unusedHaproxy = first.runHaproxy();
    await(
        "the first one is there for the second again",
        () ->
            firstKeepalived
                .logLines()
                .subList(lastLine("Entering FAULT STATE"), firstKeepalived.logLines().size())
                .stream()
                .anyMatch(line -> line.contains("Entering BACKUP STATE")));
    assertTrue(balancers.get(1).hasVirtualAddress(), "it has taken the address back");
  }

  private static int lastLine(String text) {
    List<String> lines = firstKeepalived.logLines();
    return IntStream.range(0, lines.size())
        .filter(i -> lines.get(i).contains(text))
        .max()
        .orElseThrow(() -> new AssertionError(text + ": " + firstKeepalived.logTail()));
  }

  @Test
  @Order(5)
  void firstBalancerTakesTheAddressOverWhenTheSecondDies() {
    Balancer second = balancers.get(1);
    assertTrue(second.hasVirtualAddress());
    Duration outage = outageUntilServedBy(balancers.get(0), () -> second.host().linkDown());
    System.out.printf("outage after the death of a balancer: %d ms%n", outage.toMillis());
    assertTrue(outage.compareTo(Duration.ofSeconds(3)) <= 0, outage::toString);
  }

  /** How long the client was without answers when the address had to move. */
  private static Duration outageUntilServedBy(Balancer other, Runnable fault) {
    long before = System.nanoTime();
    fault.run();
    await(other.host().name() + " has the address", other::hasVirtualAddress);
    long takenOver = System.nanoTime();
    throughHaproxy.await(
        "answers through " + other.host().name(),
        samples ->
            samples.stream().filter(it -> it.ok() && it.startNanos() - takenOver > 0).count()
                >= MANY,
        SERVED);
    awaitServed(lab.controlPlanes());
    Duration outage = throughHaproxy.outageSince(before);
    assertNotEquals(Duration.ZERO, outage);
    return outage;
  }

  /** By keepalived's own word: the lab's kernel has no LVS. */
  @Test
  @Order(6)
  void keepalivedAcceptsItsRealServers() {
    Balancer fourth = Balancer.create(4, "keepalived");
    fourth.exportOnce();
    for (ControlPlaneHost controlPlane : lab.controlPlanes()) {
      assertTrue(
          fourth.read("apiserver.cfg").contains("real_server " + controlPlane.address() + " 6443"));
    }
    Execution refused =
        fourth
            .host()
            .run(
                SOON,
                Map.of(),
                fourth.exporter("--once", "--ip-family=ipv6").toArray(String[]::new));
    assertEquals(1, refused.exitCode(), refused.err());
  }

  @Test
  @Order(7)
  void nothingIsGrantedThatIsNotUsedAndNothingRefused() {
    List<AuditEntry> entries =
        lab.auditSince(start).stream().filter(entry -> entry.user().equals(USER)).toList();
    assertEquals(
        Set.of("list", "watch"),
        entries.stream().map(AuditEntry::verb).collect(Collectors.toSet()));
    assertEquals(List.of(), entries.stream().filter(entry -> entry.status() == 403).toList());
  }
}
