package io.apiserverupdater.updater.export;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a load balancer reads. Each is a file of its own, for a person's configuration to include:
 * this program owns all of it, and nothing else.
 */
public enum Format {
  /** A backend section. */
  HAPROXY("haproxy -c -f /etc/haproxy/haproxy.cfg -f {} {others}") {
    @Override
    String text(String name, HealthCheck check, List<Server> servers) {
      // A server that refuses connections is out after 1.3 s at most, a silent one after 3.3 s; a
      // new connection that it refuses goes to another one at once. What was open to it is closed,
      // so that clients notice. A watch may be silent for minutes: the usual 50 s would cut it.
      String asked =
          switch (check) {
            case READYZ ->
                """
                    option httpchk GET /readyz
                    http-check expect status 200
                    default-server check-ssl verify none
                """;
            case TCP ->
                """
                    option tcp-check
                """;
          };
      return """
      backend %s
          mode tcp
          balance leastconn
          option redispatch 1
          retries 3
          timeout connect 1s
          timeout server 4h
          timeout tunnel 4h
      %s\
          default-server check inter 1s fastinter 250ms fall 2 rise 2
          default-server slowstart 10s on-marked-down shutdown-sessions
      """
              .formatted(name, asked)
          + lines(servers, server -> "    server %s %s\n".formatted(server.name(), server));
    }
  },
  /** An upstream for the stream module. Without nginx Plus it has no active checks. */
  NGINX("nginx -t -q -c {}") {
    @Override
    String text(String name, HealthCheck check, List<Server> servers) {
      return """
      # In its server: proxy_pass %1$s; proxy_connect_timeout 1s; proxy_timeout 4h;
      upstream %1$s {
          zone %1$s 64k;
          least_conn;
      """
              .formatted(name)
          + lines(
              servers, server -> "    server %s max_fails=1 fail_timeout=5s;\n".formatted(server))
          + "}\n";
    }

    @Override
    Optional<String> frame(Path file, List<Server> servers) {
      return Optional.of(
          """
          include /etc/nginx/modules-enabled/*.conf;
          events {}
          stream {
              include %s;
          }
          """
              .formatted(file));
    }
  },
  /** The real servers of a virtual server, whose address and scheduler a person chooses. */
  KEEPALIVED("keepalived -t -f {}") {
    @Override
    String text(String name, HealthCheck check, List<Server> servers) {
      String asked =
          switch (check) {
            case READYZ ->
                """
                    SSL_GET {
                        url {
                            path /readyz
                            status_code 200
                        }
                """;
            case TCP ->
                """
                    TCP_CHECK {
                """;
          };
      return lines(
          servers,
          server ->
              """
              real_server %s %d {
                  weight 1
                  delay_loop 1
              %s\
                      connect_timeout 1
                      retry 1
                      delay_before_retry 1
                  }
              }
              """
                  .formatted(server.address(), server.port(), asked));
    }

    @Override
    Optional<String> frame(Path file, List<Server> servers) {
      boolean ipv6 = servers.stream().anyMatch(server -> server.address().indexOf(':') >= 0);
      // Addresses that nobody has: RFC 5737 and RFC 3849.
      return Optional.of(
          """
          virtual_server %s 6443 {
              lb_algo wlc
              lb_kind NAT
              protocol TCP
              include %s
          }
          """
              .formatted(ipv6 ? "2001:db8::1" : "192.0.2.1", file));
    }
  },
  /** What Envoy's endpoint discovery reads from a file; Envoy notices the rename by itself. */
  ENVOY("") {
    @Override
    String text(String name, HealthCheck check, List<Server> servers) {
      return """
      resources:
      - "@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
        cluster_name: "%s"
        endpoints:
        - lb_endpoints:
      """
              .formatted(name)
          + lines(
              servers,
              server ->
                  """
                      - endpoint:
                          address:
                            socket_address:
                              address: "%s"
                              port_value: %d
                  """
                      .formatted(server.address(), server.port()));
    }
  },
  /** An address and a port a line, for programs of one's own. */
  LIST("") {
    @Override
    String text(String name, HealthCheck check, List<Server> servers) {
      return lines(servers, server -> server + "\n");
    }

    @Override
    String heading(String source) {
      return "";
    }

    @Override
    boolean isOurs(String text) {
      return text.lines().allMatch(line -> line.matches("\\S+:[0-9]+"));
    }
  };

  /** What the balancer's own health checks ask. */
  public enum HealthCheck {
    /** {@code /readyz}, over TLS. */
    READYZ,
    /** Whether the server accepts a connection. */
    TCP
  }

  private static final String OURS = "# Written by updater export ";

  private final String checkCommand;

  Format(String checkCommand) {
    this.checkCommand = checkCommand;
  }

  /** With which the balancer checks a new file, in words between spaces; empty for none. */
  public String checkCommand() {
    return checkCommand;
  }

  /**
   * The whole file.
   *
   * @param source where the servers come from, for a person who reads the file
   * @param name what the balancer calls them
   * @param servers at least one
   */
  String render(String source, String name, HealthCheck check, List<Server> servers) {
    return heading(source) + text(name, check, servers);
  }

  abstract String text(String name, HealthCheck check, List<Server> servers);

  String heading(String source) {
    return OURS + "from %s. Changes are lost.\n".formatted(source);
  }

  /** Whether a file was written by this program, for whatever source and format. */
  boolean isOurs(String text) {
    return text.isEmpty() || text.startsWith(OURS);
  }

  /**
   * A configuration around a new file, with which the balancer can check it by itself; empty where
   * the file needs none.
   */
  Optional<String> frame(Path file, List<Server> servers) {
    return Optional.empty();
  }

  private static String lines(List<Server> servers, Function<Server, String> line) {
    return servers.stream().map(line).collect(Collectors.joining());
  }
}
