package io.apiserverupdater.apiserver.kubeconfig;

import io.apiserverupdater.apiserver.tls.ClientCertificate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What one context of one or more kubeconfig files gives access to. The files that it names are
 * read again at each call: certificates and tokens rotate. Thread-safe.
 *
 * @param origin files and context, for messages
 */
public record Kubeconfig(
    String origin,
    ServerUrl server,
    ProxyServer proxy,
    Entry cluster,
    Entry user,
    Optional<ExecPlugin> plugin) {

  /**
   * Reads a context and all that it names; files merge as kubectl merges them.
   *
   * @param contextName the context to use; the files' current one when empty
   * @param environment that of a credential plugin, beside what the kubeconfig gives it; and where
   *     HTTPS_PROXY and NO_PROXY are, unless the cluster has a proxy-url
   * @throws InvalidKubeconfigException with every fault that was found
   */
  public static Kubeconfig load(
      List<Path> files, Optional<String> contextName, Map<String, String> environment)
      throws InvalidKubeconfigException {
    return load(files, contextName, ExecPlugin.Surroundings.ofThisProcess(environment));
  }

  static Kubeconfig load(
      List<Path> files, Optional<String> contextName, ExecPlugin.Surroundings surroundings)
      throws InvalidKubeconfigException {
    KubeconfigFiles config = KubeconfigFiles.load(files);
    Entry context = context(config, contextName);
    List<String> faults = new ArrayList<>();
    context.expectTexts(faults, "cluster", "user");
    Entry cluster = named(config.clusters(), context, "cluster", faults);
    Entry user = context.has("user") ? named(config.users(), context, "user", faults) : Entry.EMPTY;
    cluster.expectTexts(
        faults,
        "server",
        "tls-server-name",
        "proxy-url",
        "certificate-authority",
        "certificate-authority-data");
    cluster.expectBase64(faults, "certificate-authority");
    cluster.expectPaths(faults, "certificate-authority");
    cluster.expectFlags(faults, "insecure-skip-tls-verify", "disable-compression");
    ServerUrl server = server(cluster, faults);
    String tlsName = cluster.text("tls-server-name");
    if (!tlsName.isEmpty() && !ServerUrl.isHost(tlsName)) {
      faults.add(
          "%s: tls-server-name is %s, expected a host name or an IP address"
              .formatted(cluster.where(), Entry.quoted(tlsName)));
    }
    ProxyServer proxy = proxy(cluster, server, surroundings.environment(), faults);
    if (cluster.flag("insecure-skip-tls-verify")) {
      faults.add(
          cluster.where()
              + ": insecure-skip-tls-verify is set, but the apiserver's certificate is always"
              + " verified; set certificate-authority instead");
    }
    checkUser(user, faults);
    Optional<ExecPlugin> plugin = ExecPlugin.of(user, cluster, surroundings, faults);
    if (!faults.isEmpty()) {
      throw new InvalidKubeconfigException(faults);
    }
    String origin = config.title() + " context=" + contextName.or(config::currentContext).get();
    return new Kubeconfig(origin, server, proxy, cluster, user, plugin);
  }

  private static Entry context(KubeconfigFiles config, Optional<String> contextName)
      throws InvalidKubeconfigException {
    String expected =
        ", expected one of " + config.contexts().keySet().stream().map(Entry::printable).toList();
    Optional<String> name = contextName.or(config::currentContext);
    if (name.isEmpty()) {
      throw new InvalidKubeconfigException(
          "%s: no current-context is set%s; set it with kubectl config use-context"
              .formatted(config.title(), expected));
    }
    Entry context = config.contexts().get(name.get());
    if (context == null) {
      throw new InvalidKubeconfigException(
          config.title() + ": no context " + Entry.quoted(name.get()) + expected);
    }
    return context;
  }

  private static Entry named(
      Map<String, Entry> entries, Entry context, String kind, List<String> faults) {
    Entry entry = entries.get(context.text(kind));
    if (entry == null) {
      faults.add(
          context.where()
              + (context.has(kind)
                  ? ": no " + kind + " " + Entry.quoted(context.text(kind)) + " in the kubeconfig"
                  : ": " + kind + " is not set"));
    }
    return entry == null ? Entry.EMPTY : entry;
  }

  private static ServerUrl server(Entry cluster, List<String> faults) {
    String text = cluster.text("server");
    Optional<ServerUrl.Parts> url = ServerUrl.parse(text);
    if (url.isPresent() && url.get().scheme().equals("https") && url.get().userInfo().isEmpty()) {
      int port = url.get().port() == 0 ? 443 : url.get().port();
      return new ServerUrl(url.get().host(), port, url.get().path());
    }
    if (!cluster.isEmpty()) {
      faults.add(
          "%s: server is %s, expected https://HOST[:PORT][/PATH]"
              .formatted(cluster.where(), Entry.quoted(text)));
    }
    return new ServerUrl("invalid", 443, "");
  }

  private static ProxyServer proxy(
      Entry cluster, ServerUrl server, Map<String, String> environment, List<String> faults) {
    if (!cluster.has("proxy-url")) {
      return ProxyVariables.proxy(environment, server, faults);
    }
    String text = cluster.text("proxy-url");
    Optional<ProxyServer> proxy = ProxyServer.parse(text);
    if (proxy.isEmpty() && !text.isEmpty()) {
      faults.add(
          "%s: proxy-url is %s, %s"
              .formatted(cluster.where(), ProxyServer.quoted(text), ProxyServer.EXPECTED));
    }
    return proxy.orElse(ProxyServer.NONE);
  }

  private static void checkUser(Entry user, List<String> faults) {
    user.expectTexts(
        faults,
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "token",
        "tokenFile");
    user.expectBase64(faults, "client-certificate", "client-key");
    user.expectPaths(faults, "client-certificate", "client-key", "tokenFile");
    for (String unsupported :
        List.of(
            "auth-provider",
            "username",
            "password",
            "as",
            "as-uid",
            "as-groups",
            "as-user-extra")) {
      if (user.has(unsupported)) {
        faults.add(
            "%s: %s is not supported; use a client certificate, a token, or an exec plugin"
                .formatted(user.where(), unsupported));
      }
    }
    for (String part : List.of("client-certificate", "client-key")) {
      String other = part.equals("client-key") ? "client-certificate" : "client-key";
      if (user.hasDataOrFile(part) && !user.hasDataOrFile(other)) {
        faults.add(user.where() + ": " + part + " is set, but " + other + " is not");
      }
    }
    if (!ClientIdentity.fitsHeader(user.text("token"))) {
      faults.add(user.where() + ": token has invalid characters");
    }
  }

  /** The name that the apiserver's certificate must carry, where that is not the host itself. */
  public Optional<String> tlsServerName() {
    return Optional.of(cluster.text("tls-server-name")).filter(name -> !name.isEmpty());
  }

  /**
   * The certificates that the apiserver's must be signed by, as PEM; empty when none are named.
   *
   * @throws IOException when the file cannot be read
   */
  public Optional<String> certificateAuthority() throws IOException {
    return cluster.dataOrFile("certificate-authority");
  }

  /**
   * Our identity at this moment; {@link ClientIdentity#ANONYMOUS} when there is none.
   *
   * @param fresh whether what a plugin gave before must be fetched again, because it was turned
   *     down
   * @throws IOException when a file cannot be read or the plugin fails; the message says which and
   *     why
   */
  public ClientIdentity identity(boolean fresh) throws IOException {
    Optional<String> chain = user.dataOrFile("client-certificate");
    // The kubelet keeps both in one file, which it replaces: two looks could see two of them.
    Optional<String> key =
        user.nameOneFile("client-certificate", "client-key")
            ? chain
            : user.dataOrFile("client-key");
    Optional<ClientCertificate> certificate =
        chain.flatMap(pem -> key.map(other -> new ClientCertificate(pem, other)));
    if (user.has("tokenFile")) {
      // As kubectl does: the file wins over the token beside it.
      String token = user.file("tokenFile").strip();
      if (token.isEmpty() || !ClientIdentity.fitsHeader(token)) {
        throw new IOException(user.where() + ": tokenFile: no token in " + user.path("tokenFile"));
      }
      return new ClientIdentity(Optional.of(token), certificate);
    }
    if (user.has("token")) {
      return new ClientIdentity(Optional.of(user.text("token")), certificate);
    }
    if (plugin.isPresent() && certificate.isEmpty()) {
      return plugin.get().identity(fresh);
    }
    return new ClientIdentity(Optional.empty(), certificate);
  }

  /** Secrets stay out of logs. */
  @Override
  public String toString() {
    return origin;
  }
}
