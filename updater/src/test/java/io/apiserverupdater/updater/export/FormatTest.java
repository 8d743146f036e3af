package io.apiserverupdater.updater.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Each format, word by word. Balancers themselves read such files in the real tier. */
class FormatTest {
  private static final List<Server> SERVERS =
      List.of(new Server("cp-1", "10.0.0.11", 6443), new Server("fd00::12", "fd00::12", 6443));

  private static String text(Format format, Format.HealthCheck check) {
    return format.render("default/kubernetes", "apiserver", check, SERVERS);
  }

  private static String text(Format format) {
    return text(format, Format.HealthCheck.READYZ);
  }

  @Test
  void haproxyAsksReadyz() {
    assertEquals(
        """
        # Written by updater export from default/kubernetes. Changes are lost.
        backend apiserver
            mode tcp
            balance leastconn
            option redispatch 1
            retries 3
            timeout connect 1s
            timeout server 4h
            timeout tunnel 4h
            option httpchk GET /readyz
            http-check expect status 200
            default-server check-ssl verify none
            default-server check inter 1s fastinter 250ms fall 2 rise 2
            default-server slowstart 10s on-marked-down shutdown-sessions
            server cp-1 10.0.0.11:6443
            server fd00::12 [fd00::12]:6443
        """,
        text(Format.HAPROXY));
  }

  @Test
  void haproxyConnectsWhereNobodyKnowsReadyz() {
    String text = text(Format.HAPROXY, Format.HealthCheck.TCP);
    assertEquals(
        text(Format.HAPROXY)
            .replace(
                """
                    option httpchk GET /readyz
                    http-check expect status 200
                    default-server check-ssl verify none
                """,
                "    option tcp-check\n"),
        text);
    assertFalse(text.contains("readyz"), text);
  }

  @Test
  void nginx() {
    assertEquals(
        """
        # Written by updater export from default/kubernetes. Changes are lost.
        # In its server: proxy_pass apiserver; proxy_connect_timeout 1s; proxy_timeout 4h;
        upstream apiserver {
            zone apiserver 64k;
            least_conn;
            server 10.0.0.11:6443 max_fails=1 fail_timeout=5s;
            server [fd00::12]:6443 max_fails=1 fail_timeout=5s;
        }
        """,
        text(Format.NGINX));
  }

  @Test
  void keepalivedAsksReadyzOrConnects() {
    List<Server> one = SERVERS.subList(0, 1);
    assertEquals(
        """
        # Written by updater export from a/b. Changes are lost.
        real_server 10.0.0.11 6443 {
            weight 1
            delay_loop 1
            SSL_GET {
                url {
                    path /readyz
                    status_code 200
                }
                connect_timeout 1
                retry 1
                delay_before_retry 1
            }
        }
        """,
        Format.KEEPALIVED.render("a/b", "apiserver", Format.HealthCheck.READYZ, one));
    assertEquals(
        """
        # Written by updater export from a/b. Changes are lost.
        real_server 10.0.0.11 6443 {
            weight 1
            delay_loop 1
            TCP_CHECK {
                connect_timeout 1
                retry 1
                delay_before_retry 1
            }
        }
        """,
        Format.KEEPALIVED.render("a/b", "apiserver", Format.HealthCheck.TCP, one));
  }

  @Test
  void envoy() {
    assertEquals(
        """
        # Written by updater export from default/kubernetes. Changes are lost.
        resources:
        - "@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
          cluster_name: "apiserver"
          endpoints:
          - lb_endpoints:
            - endpoint:
                address:
                  socket_address:
                    address: "10.0.0.11"
                    port_value: 6443
            - endpoint:
                address:
                  socket_address:
                    address: "fd00::12"
                    port_value: 6443
        """,
        text(Format.ENVOY));
  }

  @Test
  void listIsNothingButAddresses() {
    assertEquals("10.0.0.11:6443\n[fd00::12]:6443\n", text(Format.LIST));
  }

  /** What these balancers include cannot be checked without what includes it. */
  @Test
  void fragmentsAreCheckedInAFrame() {
    Path file = Path.of("/etc/x/.a.conf.new");
    assertEquals(
        Optional.of(
            """
            include /etc/nginx/modules-enabled/*.conf;
            events {}
            stream {
                include /etc/x/.a.conf.new;
            }
            """),
        Format.NGINX.frame(file, SERVERS));
    assertEquals(
        Optional.of(
            """
            virtual_server 192.0.2.1 6443 {
                lb_algo wlc
                lb_kind NAT
                protocol TCP
                include /etc/x/.a.conf.new
            }
            """),
        Format.KEEPALIVED.frame(file, SERVERS.subList(0, 1)));
    assertEquals(
        Optional.of(true),
        Format.KEEPALIVED
            .frame(file, SERVERS.subList(1, 2))
            .map(text -> text.startsWith("virtual_server 2001:db8::1 6443 {")));
    assertEquals(Optional.empty(), Format.HAPROXY.frame(file, SERVERS));
  }
}
