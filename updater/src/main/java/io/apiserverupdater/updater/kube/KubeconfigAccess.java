package io.apiserverupdater.updater.kube;

import io.apiserverupdater.apiserver.tls.ClientCertificate;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Access by a context of one or more kubeconfig files. */
final class KubeconfigAccess implements ClusterAccess {
  private final String origin;
  private final ServerAddress server;
  private final Proxy proxy;
  private final Kubeconfig.Entry cluster;
  private final Kubeconfig.Entry user;
  private final Optional<ExecCredential> exec;

  private KubeconfigAccess(
      String origin,
      ServerAddress server,
      Proxy proxy,
      Kubeconfig.Entry cluster,
      Kubeconfig.Entry user,
      Optional<ExecCredential> exec) {
    this.origin = origin;
    this.server = server;
    this.proxy = proxy;
    this.cluster = cluster;
    this.user = user;
    this.exec = exec;
  }

  /**
   * Reads a context and all that it names.
   *
   * @param contextName the context to use; the files' current one when empty
   * @throws ConfigurationException with every fault that was found
   */
  static ClusterAccess of(
      Kubeconfig config, Optional<String> contextName, Map<String, String> environment)
      throws ConfigurationException {
    String name = contextName.or(config::currentContext).orElse("");
    if (name.isEmpty()) {
      throw new ConfigurationException(
          config.files()
              + ": no current-context is set; give --context one of "
              + config.contexts());
    }
    Kubeconfig.Entry context =
        config
            .context(name)
            .orElseThrow(
                () ->
                    new ConfigurationException(
                        config.files()
                            + ": no context \""
                            + name
                            + "\"; expected one of "
                            + config.contexts()));
    List<String> faults = new ArrayList<>();
    Kubeconfig.Entry cluster =
        named(config.cluster(context.text("cluster")), context, faults, "cluster");
    Kubeconfig.Entry user =
        context.text("user").isEmpty()
            ? Kubeconfig.Entry.EMPTY
            : named(config.user(context.text("user")), context, faults, "user");
    ServerAddress server = server(cluster, faults);
    Proxy proxy = proxy(cluster, faults);
    if (cluster.flag("insecure-skip-tls-verify")) {
      faults.add(
          cluster.where()
              + ": insecure-skip-tls-verify is set, but the apiserver's certificate is always"
              + " verified; give certificate-authority instead");
    }
    for (String unsupported : List.of("auth-provider", "username", "password", "as", "as-uid")) {
      if (user.has(unsupported)) {
        faults.add(
            user.where()
                + ": "
                + unsupported
                + " is not supported; use a client certificate, a token, or an exec plugin");
      }
    }
    for (String pair : List.of("client-certificate", "client-key")) {
      String other = pair.equals("client-key") ? "client-certificate" : "client-key";
      if (hasDataOrFile(user, pair) && !hasDataOrFile(user, other)) {
        faults.add(user.where() + ": " + pair + " is set, but " + other + " is not");
      }
    }
    Optional<ExecCredential> exec = ExecCredential.of(user, cluster, environment, faults);
    if (!faults.isEmpty()) {
      throw new ConfigurationException(faults);
    }
    return new KubeconfigAccess(
        config.files() + " context=" + name, server, proxy, cluster, user, exec);
  }

  private static Kubeconfig.Entry named(
      Optional<Kubeconfig.Entry> entry,
      Kubeconfig.Entry context,
      List<String> faults,
      String kind) {
    if (entry.isEmpty()) {
      faults.add(
          context.where() + ": no " + kind + " \"" + context.text(kind) + "\" in the kubeconfig");
    }
    return entry.orElse(Kubeconfig.Entry.EMPTY);
  }

  private static ServerAddress server(Kubeconfig.Entry cluster, List<String> faults) {
    Optional<String> tlsName =
        Optional.of(cluster.text("tls-server-name")).filter(name -> !name.isEmpty());
    String text = cluster.text("server");
    try {
      URI uri = new URI(text);
      if ("https".equals(uri.getScheme()) && uri.getHost() != null) {
        String host = uri.getHost().replaceAll("^\\[|]$", "");
        String path = uri.getRawPath() == null ? "" : uri.getRawPath().replaceAll("/+$", "");
        return new ServerAddress(host, uri.getPort() < 0 ? 443 : uri.getPort(), path, tlsName);
      }
    } catch (URISyntaxException e) {
      // Told below, as every other text that is not such a URL.
    }
    if (!cluster.isEmpty()) {
      faults.add(
          cluster.where() + ": server is \"" + text + "\", expected https://HOST[:PORT][/PATH]");
    }
    return new ServerAddress("invalid", 443, "", tlsName);
  }

  private static Proxy proxy(Kubeconfig.Entry cluster, List<String> faults) {
    String text = cluster.text("proxy-url");
    if (text.isEmpty()) {
      return Proxy.NO_PROXY;
    }
    try {
      URI uri = new URI(text);
      if (uri.getHost() != null && List.of("http", "socks5").contains(uri.getScheme())) {
        boolean http = uri.getScheme().equals("http");
        int port = uri.getPort() >= 0 ? uri.getPort() : http ? 80 : 1080;
        return new Proxy(
            http ? Proxy.Type.HTTP : Proxy.Type.SOCKS,
            InetSocketAddress.createUnresolved(uri.getHost(), port));
      }
    } catch (URISyntaxException e) {
      // Told below.
    }
    faults.add(
        cluster.where()
            + ": proxy-url is \""
            + text
            + "\", expected http://HOST[:PORT] or socks5://HOST[:PORT]");
    return Proxy.NO_PROXY;
  }

  private static boolean hasDataOrFile(Kubeconfig.Entry entry, String key) {
    return entry.has(key) || entry.has(key + "-data");
  }

  @Override
  public String origin() {
    return origin;
  }

  @Override
  public ServerAddress server() {
    return server;
  }

  @Override
  public Proxy proxy() {
    return proxy;
  }

  @Override
  public Optional<String> certificateAuthority() throws IOException {
    return dataOrFile(cluster, "certificate-authority");
  }

  @Override
  public ClientIdentity identity(boolean fresh) throws IOException {
    Optional<String> chain = dataOrFile(user, "client-certificate");
    Optional<String> key = dataOrFile(user, "client-key");
    Optional<ClientCertificate> certificate =
        chain.isPresent() && key.isPresent()
            ? Optional.of(new ClientCertificate(chain.get(), key.get()))
            : Optional.empty();
    if (user.has("tokenFile")) {
      // As kubectl does: the file wins over the token beside it.
      return new ClientIdentity(
          Optional.of(read(user, "tokenFile", user.path("tokenFile")).strip()), certificate);
    }
    if (user.has("token")) {
      return new ClientIdentity(Optional.of(user.text("token")), certificate);
    }
    if (exec.isPresent() && certificate.isEmpty()) {
      return exec.get().identity(fresh);
    }
    return new ClientIdentity(Optional.empty(), certificate);
  }

  private static Optional<String> dataOrFile(Kubeconfig.Entry entry, String key)
      throws IOException {
    if (entry.has(key + "-data")) {
      try {
        byte[] data = Base64.getMimeDecoder().decode(entry.text(key + "-data"));
        return Optional.of(new String(data, StandardCharsets.UTF_8));
      } catch (IllegalArgumentException e) {
        throw new IOException(entry.where() + ": " + key + "-data is not base64", e);
      }
    }
    return entry.has(key) ? Optional.of(read(entry, key, entry.path(key))) : Optional.empty();
  }

  private static String read(Kubeconfig.Entry entry, String key, Path file) throws IOException {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new IOException(entry.where() + ": " + key + ": no such file: " + file, e);
    } catch (IOException e) {
      throw new IOException(entry.where() + ": " + key + ": cannot read " + file + ": " + e, e);
    }
  }
}
