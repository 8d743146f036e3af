package io.apiserverupdater.bootstrap.api;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.apiserver.kubeconfig.Kubeconfig;
import io.apiserverupdater.apiserver.kubeconfig.ServerUrl;
import io.apiserverupdater.apiserver.kubeconfig.YamlFile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What the files of the kubelet and of kube-proxy say, as those programs read them. */
public final class ClientFiles {
  private ClientFiles() {}

  /**
   * Where a program dials.
   *
   * @param server {@code https://HOST:PORT[/PATH]}, the host in lower case, always with its port
   * @param proxy through which, if any
   */
  public record Dialled(String server, Optional<String> proxy) {}

  /**
   * Where a program with this kubeconfig dials, by its current context.
   *
   * @param environment of that program: HTTPS_PROXY and NO_PROXY count
   * @throws IOException with a message for a person, which names the file
   */
  public static Dialled dialled(Path kubeconfig, Map<String, String> environment)
      throws IOException {
    Kubeconfig config = Kubeconfig.load(List.of(kubeconfig), Optional.empty(), environment);
    ServerUrl url = config.server();
    String server =
        new ServerUrl(url.host().toLowerCase(Locale.ROOT), url.port(), url.path()).toString();
    return config.proxy().address().address() instanceof InetSocketAddress proxy
        ? new Dialled(
            server, Optional.of(ApiserverAddress.text(proxy.getHostString(), proxy.getPort())))
        : new Dialled(server, Optional.empty());
  }

  /**
   * The addresses that a kubelet's configuration file gives to pods as their DNS.
   *
   * @return empty when it gives none
   * @throws IOException with a message for a person, which names the file
   */
  public static List<InetAddress> clusterDns(Path kubeletConfiguration) throws IOException {
    Object dns =
        YamlFile.read(kubeletConfiguration, "a kubelet's configuration: expected fields")
            .get("clusterDNS");
    List<InetAddress> addresses = new ArrayList<>();
    for (Object item : dns instanceof List<?> list ? list : List.of()) {
      IpAddress.parse(String.valueOf(item)).ifPresent(addresses::add);
    }
    return addresses;
  }
}
