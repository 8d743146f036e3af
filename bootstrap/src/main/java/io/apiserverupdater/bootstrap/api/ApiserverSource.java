package io.apiserverupdater.bootstrap.api;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.kubeconfig.InvalidKubeconfigException;
import io.apiserverupdater.apiserver.kubeconfig.Kubeconfig;
import io.apiserverupdater.apiserver.kubeconfig.ServerUrl;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.apiserver.probe.ConnectFault;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.tls.ClientTls;
import io.apiserverupdater.apiserver.tls.Pem;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.bootstrap.api.SourceAnswer.Failed;
import io.apiserverupdater.bootstrap.api.SourceAnswer.Members;
import io.apiserverupdater.bootstrap.api.SourceAnswer.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.net.URL;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.ssl.HttpsURLConnection;

/**
 * Reads the EndpointSlice {@code default/kubernetes} from the server of a kubeconfig, mostly that
 * of the kubelet. It is asked for by its name, because RBAC can limit a get to one name; the
 * apiservers have one slice of that name, of one address family. For one thread.
 */
public record ApiserverSource(
    Path kubeconfig, Supplier<Instant> clock, String name, List<ApiserverAddress> controlPlanes) {
  static final String SLICE =
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";

  /** Far more than a slice with a thousand endpoints. */
  private static final int MAX_ANSWER_BYTES = 512 * 1024;

  private static final int MAX_DEPTH = 64;
  private static final int MAX_WORDS = 300;

  ApiserverSource(Path kubeconfig, Supplier<Instant> clock) {
    this(kubeconfig, clock, "", List.of());
  }

  /** Asks with the credential of this file, which is read each time. */
  public static ApiserverSource of(Path kubeconfig) {
    return new ApiserverSource(kubeconfig, Instant::now);
  }

  /**
   * The same, which asks these control planes when nobody is reached at the kubeconfig's server:
   * the name there may lead to a cluster IP that does not work, and the answer may be what mends
   * that.
   *
   * @param name which their certificates must carry; the authority is the kubeconfig's
   */
  public ApiserverSource orAt(String name, List<ApiserverAddress> controlPlanes) {
    return new ApiserverSource(kubeconfig, clock, name, List.copyOf(controlPlanes));
  }

  /**
   * Asks once. Never throws for what files, network or server do.
   *
   * @param deadline for everything together: the kubeconfig's plugin, looking up the name,
   *     connecting, the handshake, the answer
   */
  public SourceAnswer read(Duration deadline) {
    long end = System.nanoTime() + deadline.toNanos();
    // A name that is looked up, and an answer that trickles in, know no limit of their own.
    FutureTask<SourceAnswer> answer = new FutureTask<>(() -> ask(end));
    Thread thread = new Thread(answer, "api-request");
    thread.setDaemon(true);
    thread.start();
    try {
      return answer.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return new Failed(
          Reason.UNREACHABLE, kubeconfig + ": no answer within " + deadline.toMillis() + " ms");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Failed(Reason.UNREACHABLE, "interrupted");
    } catch (ExecutionException e) {
      // An error, such as a lack of memory; whoever asked goes on.
      return new Failed(Reason.UNREACHABLE, kubeconfig + ": the request failed: " + e.getCause());
    }
  }

  private SourceAnswer ask(long end) {
    Access access;
    try {
      access = access();
    } catch (IOException e) {
      return new Failed(Reason.KUBECONFIG, String.valueOf(e.getMessage()));
    } catch (GeneralSecurityException e) {
      return new Failed(Reason.KUBECONFIG, kubeconfig + ": " + e.getMessage());
    }
    ServerUrl server = access.config().server();
    Failed failed = new Failed(Reason.UNREACHABLE, server + ": no time was left for the request");
    List<Target> targets = new ArrayList<>();
    try {
      String own = access.config().tlsServerName().orElse(access.host());
      for (InetAddress address : access.addresses()) {
        targets.add(new Target(new InetSocketAddress(address, server.port()), own));
      }
    } catch (UnknownHostException e) {
      failed =
          new Failed(
              Reason.UNREACHABLE,
              server + ": the name " + access.host() + " has no address; check /etc/hosts");
    }
    int named = targets.size();
    if (access.isDirect()) {
      for (ApiserverAddress at : controlPlanes) {
        targets.add(new Target(new InetSocketAddress(at.ip(), at.port()), name));
      }
    }
    for (int i = 0; i < targets.size(); i++) {
      // So that the first one that hangs leaves time for the next.
      long share = (end - System.nanoTime()) / (targets.size() - i);
      try {
        return ask(access, targets.get(i), (int) Math.max(1, share / 1_000_000));
      } catch (IOException | GeneralSecurityException e) {
        // What a server said tells more than that another one was silent, and what the kubeconfig's
        // own said more than what the others did.
        if (failed.reason() == Reason.UNREACHABLE && i < named) {
          failed =
              unreachable(
                  server + " at " + targets.get(i).address().getAddress().getHostAddress(), e);
        }
      }
    }
    return failed;
  }

  /**
   * Where to ask.
   *
   * @param name sent by SNI, and compared with the certificate
   */
  private record Target(InetSocketAddress address, String name) {}

  private record Access(Kubeconfig config, ClientIdentity identity, ClientTls tls) {
    String host() {
      return config.server().host();
    }

    boolean isDirect() {
      return config.proxy().address().equals(Proxy.NO_PROXY);
    }

    @SuppressWarnings("AddressSelection") // All of them are used.
    List<InetAddress> addresses() throws UnknownHostException {
      // A proxy looks the name up itself.
      return isDirect()
          ? List.of(InetAddress.getAllByName(host()))
          : List.of(InetAddress.getLoopbackAddress());
    }
  }

  static Kubeconfig kubeconfig(Path file) throws InvalidKubeconfigException {
    // The name is in this node's hosts file alone: only a proxy-url is meant for it.
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.keySet().removeAll(Set.of("HTTPS_PROXY", "https_proxy"));
    return Kubeconfig.load(List.of(file), Optional.empty(), environment);
  }

  private Access access() throws IOException, GeneralSecurityException {
    Kubeconfig config = kubeconfig(kubeconfig);
    Optional<String> authority = config.certificateAuthority();
    if (authority.isEmpty()) {
      throw new InvalidKubeconfigException(
          config.origin()
              + ": certificate-authority is not set; expected the file of the cluster's CA, as"
              + " /etc/kubernetes/pki/ca.crt");
    }
    if (config.proxy().authorization().isPresent()) {
      // The Java runtime does not send one for a tunnel.
      throw new InvalidKubeconfigException(
          config.origin() + ": proxy-url has a user, expected a proxy that asks for none");
    }
    ClientIdentity identity = config.identity(false);
    if (identity.equals(ClientIdentity.ANONYMOUS)) {
      throw new InvalidKubeconfigException(
          config.origin() + ": no credentials; expected a client certificate or a token");
    }
    ServerTrust trust;
    try {
      trust = ServerTrust.authorities(authority.get().getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new GeneralSecurityException("certificate-authority: " + e.getMessage(), e);
    }
    try {
      return new Access(config, identity, ClientTls.of(trust, identity.certificate()));
    } catch (GeneralSecurityException e) {
      // Certificate and key in two files, of which one has just been renewed.
      ClientIdentity again = config.identity(false);
      return new Access(config, again, ClientTls.of(trust, again.certificate()));
    }
  }

  private SourceAnswer ask(Access access, Target target, int millis)
      throws IOException, GeneralSecurityException {
    URL url = URI.create(access.config().server() + SLICE).toURL();
    HttpsURLConnection connection =
        (HttpsURLConnection) url.openConnection(access.config().proxy().address());
    try {
      connection.setSSLSocketFactory(
          new NamedServerSockets(access.tls().newSocketFactory(), target.address(), target.name()));
      connection.setInstanceFollowRedirects(false);
      connection.setConnectTimeout(millis);
      connection.setReadTimeout(millis);
      connection.setRequestProperty("User-Agent", "apiserver-bootstrap");
      connection.setRequestProperty("Accept", "application/json");
      access
          .identity()
          .token()
          .ifPresent(token -> connection.setRequestProperty("Authorization", "Bearer " + token));
      int status = connection.getResponseCode();
      byte[] body;
      try (InputStream in =
          status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
        body = in == null ? new byte[0] : in.readNBytes(MAX_ANSWER_BYTES + 1);
      }
      if (body.length > MAX_ANSWER_BYTES) {
        return new Failed(
            Reason.MALFORMED,
            "%s sent an answer of more than %d bytes"
                .formatted(access.config().server(), MAX_ANSWER_BYTES));
      }
      return judge(access, status, new String(body, StandardCharsets.UTF_8));
    } finally {
      connection.disconnect();
    }
  }

  private static Failed unreachable(String server, Exception e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException) {
        return new Failed(
            Reason.CERTIFICATE,
            "%s: %s; check certificate-authority and server in the kubeconfig"
                .formatted(server, cause.getMessage()));
      }
    }
    String words =
        ConnectFault.ifWhileConnecting(e)
            .map(ProbeResult.Unreachable::detail)
            .orElseGet(() -> String.valueOf(e.getMessage()));
    return new Failed(
        Reason.UNREACHABLE,
        server + ": " + words.substring(0, 1).toLowerCase(Locale.ROOT) + words.substring(1));
  }

  private SourceAnswer judge(Access access, int status, String body) {
    ServerUrl server = access.config().server();
    return switch (status) {
      case 200 -> members(server, body);
      case 401 ->
          new Failed(
              Reason.UNAUTHENTICATED,
              """
              %s does not accept the credentials of %s (401)%s; check that they belong to this \
              cluster and that the kubelet has renewed them"""
                  .formatted(server, kubeconfig, validity(access.identity())));
      case 403 ->
          new Failed(
              Reason.FORBIDDEN,
              """
              %s does not allow this node to read the EndpointSlice default/kubernetes (403%s). \
              The Role is missing. Apply deploy/kustomize/components/node-reader/role.yaml, or run \
              as an administrator:
                kubectl create role apiserver-bootstrap --namespace=default --verb=get \
              --resource=endpointslices.discovery.k8s.io --resource-name=kubernetes
                kubectl create rolebinding apiserver-bootstrap --namespace=default \
              --role=apiserver-bootstrap --group=system:nodes"""
                  .formatted(server, words(body)));
      case 404 ->
          new Failed(
              Reason.NOT_FOUND,
              """
              %s has no EndpointSlice default/kubernetes (404%s); Kubernetes 1.21 or newer has it, \
              unless the apiservers run with --endpoint-reconciler-type=none"""
                  .formatted(server, words(body)));
      default ->
          new Failed(
              Reason.STATUS,
              "%s answered %d%s, expected 200 with the EndpointSlice default/kubernetes"
                  .formatted(server, status, words(body)));
    };
  }

  private static SourceAnswer members(ServerUrl server, String body) {
    JsonElement answer;
    try {
      answer = json(body);
    } catch (IOException | JsonParseException e) {
      return new Failed(Reason.MALFORMED, server + " did not answer with JSON: " + e.getMessage());
    }
    if (!SourceSlices.areSlices(answer)) {
      return new Failed(
          Reason.MALFORMED,
          server + " did not answer with an EndpointSlice of discovery.k8s.io/v1");
    }
    if (!SourceSlices.areOfApiservers(answer)) {
      return new Failed(
          Reason.NOT_FOUND,
          server
              + ": the EndpointSlice default/kubernetes has the label of another Service; it is"
              + " ignored");
    }
    List<ApiserverAddress> addresses = SourceSlices.addresses(answer);
    if (addresses.isEmpty()) {
      return new Failed(
          Reason.EMPTY,
          server
              + ": the EndpointSlice default/kubernetes has no address with a port named https;"
              + " it is ignored");
    }
    return new Members(addresses);
  }

  private static JsonElement json(String text) throws IOException {
    JsonReader reader = new JsonReader(new StringReader(text));
    reader.setStrictness(Strictness.STRICT);
    reader.setNestingLimit(MAX_DEPTH);
    JsonElement element = JsonParser.parseReader(reader);
    if (reader.peek() != JsonToken.END_DOCUMENT) {
      throw new IOException("unexpected text after the JSON value");
    }
    return element;
  }

  /** The message of a Status object, if the answer is one. */
  private static String words(String body) {
    String message = "";
    try {
      if (json(body) instanceof JsonObject status) {
        message = SourceSlices.text(status, "message");
      }
    } catch (IOException | JsonParseException e) {
      // A proxy's page, perhaps; the status says enough.
    }
    return message.isEmpty() ? "" : ": " + Printable.line(message, MAX_WORDS);
  }

  /** The most common reason of a 401: the node was off for longer than its certificate is good. */
  private String validity(ClientIdentity identity) {
    if (identity.certificate().isEmpty()) {
      return "";
    }
    try {
      byte[] chain = identity.certificate().get().chain().getBytes(StandardCharsets.UTF_8);
      Instant end = Pem.certificates(chain).get(0).getNotAfter().toInstant();
      return end.isBefore(clock.get()) ? ": its client certificate expired at " + end : "";
    } catch (GeneralSecurityException e) {
      return "";
    }
  }
}
