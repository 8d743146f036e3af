package io.apiserverupdater.bootstrap.api;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.HttpAnswer;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.UnreachableException;
import io.apiserverupdater.apiserver.tls.Pem;
import io.apiserverupdater.bootstrap.api.Kubeconfig.InvalidKubeconfigException;
import io.apiserverupdater.bootstrap.api.SourceAnswer.Failed;
import io.apiserverupdater.bootstrap.api.SourceAnswer.Members;
import io.apiserverupdater.bootstrap.api.SourceAnswer.Reason;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Reads the EndpointSlice {@code default/kubernetes} from the server of a kubeconfig, mostly that
 * of the kubelet. It is asked for by its name, because RBAC can limit a get to one name; the
 * apiservers have one slice of that name, of one address family. For one thread.
 */
public final class KubeconfigSource implements ApiserverSource {
  static final String SLICE =
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";

  /** Far more than a slice with a thousand endpoints. */
  private static final int MAX_ANSWER_BYTES = 512 * 1024;

  private static final int MAX_WORDS = 300;

  private final Path kubeconfig;
  private final Supplier<Instant> clock;

  KubeconfigSource(Path kubeconfig, Supplier<Instant> clock) {
    this.kubeconfig = kubeconfig;
    this.clock = clock;
  }

  /** Asks with the credential of this file, which is read anew each time. */
  public static KubeconfigSource of(Path kubeconfig) {
    return new KubeconfigSource(kubeconfig, Instant::now);
  }

  @Override
  public SourceAnswer read(Duration deadline) {
    long end = System.nanoTime() + deadline.toNanos();
    Kubeconfig access;
    ApiserverClient client;
    try {
      access = Kubeconfig.read(kubeconfig);
      Optional<String> token = access.token();
      client =
          ApiserverClient.authenticated(
              access.tlsName(), access.trust(), access.certificate(), () -> token);
    } catch (InvalidKubeconfigException e) {
      return new Failed(Reason.KUBECONFIG, String.valueOf(e.getMessage()));
    } catch (GeneralSecurityException e) {
      return new Failed(Reason.KUBECONFIG, kubeconfig + ": " + e.getMessage());
    }
    String server = title(access);
    List<InetAddress> addresses = NameLookup.addresses(access.host(), left(end));
    if (addresses.isEmpty()) {
      return new Failed(
          Reason.UNREACHABLE,
          server + ": the name " + access.host() + " has no address; is it in /etc/hosts?");
    }
    Failed failed = new Failed(Reason.UNREACHABLE, server + ": no time was left to ask");
    for (int i = 0; i < addresses.size(); i++) {
      ApiserverAddress address = new ApiserverAddress(addresses.get(i), access.port());
      // So that the first one that hangs leaves time for the next.
      Duration share = left(end).dividedBy(addresses.size() - i);
      try {
        HttpAnswer answer =
            client.get(address, access.pathPrefix() + SLICE, MAX_ANSWER_BYTES, share);
        return judge(access, server, answer);
      } catch (UnreachableException e) {
        // What a server said tells more than that another one was silent.
        if (failed.reason() == Reason.UNREACHABLE) {
          failed = unreachable(server, address, e.result());
        }
      }
    }
    return failed;
  }

  private static Duration left(long end) {
    return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
  }

  private static String title(Kubeconfig access) {
    boolean v6 = access.host().indexOf(':') >= 0;
    return "https://" + (v6 ? "[" + access.host() + "]" : access.host()) + ":" + access.port();
  }

  private static Failed unreachable(
      String server, ApiserverAddress address, ProbeResult.Unreachable result) {
    String message = server + " at " + address + ": " + result.detail();
    return switch (result.reason()) {
      case CERTIFICATE ->
          new Failed(
              Reason.CERTIFICATE,
              message + "; look at certificate-authority and server in the kubeconfig");
      case MALFORMED_ANSWER -> new Failed(Reason.MALFORMED, message);
      default -> new Failed(Reason.UNREACHABLE, message);
    };
  }

  private SourceAnswer judge(Kubeconfig access, String server, HttpAnswer answer) {
    return switch (answer.status()) {
      case 200 -> members(server, answer.body());
      case 401 ->
          new Failed(
              Reason.UNAUTHENTICATED,
              server
                  + " does not know the credential of "
                  + kubeconfig
                  + " (401)"
                  + validity(access)
                  + "; is it of this cluster, and has the kubelet renewed it?");
      case 403 ->
          new Failed(
              Reason.FORBIDDEN,
              server
                  + " does not let this node read the EndpointSlice default/kubernetes (403"
                  + words(answer)
                  + "). A Role for it is missing. Apply"
                  + " deploy/kustomize/components/node-reader/role.yaml,"
                  + " or, as an administrator:\n"
                  + "  kubectl create role apiserver-bootstrap --namespace=default --verb=get"
                  + " --resource=endpointslices.discovery.k8s.io --resource-name=kubernetes\n"
                  + "  kubectl create rolebinding apiserver-bootstrap --namespace=default"
                  + " --role=apiserver-bootstrap --group=system:nodes");
      case 404 ->
          new Failed(
              Reason.NOT_FOUND,
              server
                  + " has no EndpointSlice default/kubernetes (404"
                  + words(answer)
                  + "); Kubernetes 1.21 or newer has it, unless the apiservers run with"
                  + " --endpoint-reconciler-type=none");
      default ->
          new Failed(
              Reason.STATUS,
              server
                  + " answered "
                  + answer.status()
                  + words(answer)
                  + ", expected 200 with the EndpointSlice default/kubernetes");
    };
  }

  private static SourceAnswer members(String server, byte[] body) {
    JsonValue answer;
    try {
      answer =
          JsonReader.read(
              StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
    } catch (JsonReader.MalformedJsonException e) {
      return new Failed(
          Reason.MALFORMED,
          server + " answered something else than JSON: " + e.getMessage() + " at " + e.position());
    } catch (CharacterCodingException e) {
      return new Failed(Reason.MALFORMED, server + " answered something else than UTF-8 text");
    }
    if (!SourceSlices.areSlices(answer)) {
      return new Failed(
          Reason.MALFORMED,
          server + " answered something else than an EndpointSlice of discovery.k8s.io/v1");
    }
    List<ApiserverAddress> addresses = SourceSlices.addresses(answer);
    if (addresses.isEmpty()) {
      return new Failed(
          Reason.EMPTY,
          server
              + ": the EndpointSlice default/kubernetes holds no address with a port named https;"
              + " nothing is taken from it");
    }
    return new Members(addresses);
  }

  /** The message of a Status object, if the answer is one. */
  private static String words(HttpAnswer answer) {
    String message = "";
    try {
      if (JsonReader.read(answer.bodyText()) instanceof JsonValue.Members status) {
        message = status.text("message");
      }
    } catch (JsonReader.MalformedJsonException e) {
      // A proxy's page, perhaps; the status says enough.
    }
    StringBuilder printable = new StringBuilder();
    for (int i = 0; i < message.length() && i < MAX_WORDS; i++) {
      char c = message.charAt(i);
      printable.append(Character.isISOControl(c) ? '?' : c);
    }
    return printable.isEmpty() ? "" : ": " + printable;
  }

  /** The most common reason of a 401: the node was off for longer than its certificate is good. */
  private String validity(Kubeconfig access) {
    if (access.certificate().isEmpty()) {
      return "";
    }
    try {
      byte[] chain = access.certificate().get().chain().getBytes(StandardCharsets.ISO_8859_1);
      Instant end = Pem.certificates(chain).get(0).getNotAfter().toInstant();
      return end.isBefore(clock.get()) ? ": its client certificate ended at " + end : "";
    } catch (GeneralSecurityException e) {
      return "";
    }
  }
}
