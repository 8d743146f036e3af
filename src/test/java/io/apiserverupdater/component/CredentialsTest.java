package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.sandbox.AccessControl;
import io.apiserverupdater.sandbox.SandboxApiserver;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("component")
class CredentialsTest {
  private static final Duration MOMENT = Duration.ofSeconds(8);

  private final SandboxCluster cluster = SandboxCluster.start();
  private final Replicas replicas = new Replicas(cluster);
  private final String user = Replicas.fresh("updater");
  private final String namespace = replicas.namespace();
  private final Path authority = replicas.folder().resolve("ca.crt");

  @AfterEach
  void end() {
    replicas.close();
  }

  /** Replaced by a rename, as the kubelet replaces what it mounts. */
  private static void replace(Path file, String text) throws IOException {
    Path next = file.resolveSibling(file.getFileName() + ".next");
    Files.writeString(next, text);
    Files.move(next, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  /** A kubeconfig with the authority in a file, and the user as given. */
  private Path kubeconfig(String userFields) throws IOException {
    replace(authority, cluster.pki().authorityPem());
    Path file = replicas.folder().resolve(Replicas.fresh("config"));
    String yaml =
        """
        apiVersion: v1
        kind: Config
        current-context: c
        contexts: [{name: c, context: {cluster: k, user: u}}]
        clusters: [{name: k, cluster: {server: "%s", certificate-authority: ca.crt}}]
        users: [{name: u, user: %s}]
        """;
    Files.writeString(file, yaml.formatted(cluster.apiserver(0).url(), userFields));
    return file;
  }

  private UpdaterProcess start(String userFields) throws IOException {
    UpdaterProcess updater =
        replicas.with(user, namespace, kubeconfig(userFields), "--leader-elect=false");
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    return updater;
  }

  private void awaitFollows(String address) {
    cluster.source().set(address);
    replicas.awaitMirrored(namespace, address);
  }

  private boolean askedAs(String name) {
    return !replicas.requests(name, System.nanoTime() - TimeUnit.MINUTES.toNanos(1)).isEmpty();
  }

  @Test
  void aClientCertificateFromFiles() throws Exception {
    cluster
        .clientPki()
        .client(user)
        .write(replicas.folder().resolve("tls.crt"), replicas.folder().resolve("tls.key"));
    start("{client-certificate: tls.crt, client-key: tls.key}");
    assertTrue(askedAs(user));
  }

  @Test
  void aClientCertificateInTheKubeconfig() {
    replicas.with(
        user,
        namespace,
        replicas.kubeconfig(cluster.clientCertificate(user)),
        "--leader-elect=false");
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    assertTrue(askedAs(user));
  }

  @Test
  void aTokenFileThatIsRotatedIsReadAgainAtOnceWhenTheOldTokenIsTurnedDown() throws Exception {
    Path token = replicas.folder().resolve("token");
    Files.writeString(token, cluster.access().issueToken(user) + "\n");
    UpdaterProcess updater = start("{tokenFile: token}");
    replace(token, cluster.access().rotateToken(user));
    // Writes and new watches alike.
    cluster.apiservers().forEach(SandboxApiserver::breakConnections);
    long start = System.nanoTime();
    awaitFollows("10.0.0.1");
    Duration taken = Duration.ofNanos(System.nanoTime() - start);
    assertTrue(taken.compareTo(Duration.ofSeconds(5)) < 0, () -> taken + "\n" + updater.logText());
  }

  @Test
  void anExecPluginIsRunAgainWhenItsTokenIsTurnedDown() throws Exception {
    Path token = replicas.folder().resolve("plugin-token");
    Path runs = replicas.folder().resolve("runs");
    Files.writeString(token, cluster.access().issueToken(user));
    Path plugin = replicas.folder().resolve("plugin.sh");
    Files.writeString(
        plugin,
        """
        #!/bin/sh
        echo "$1 $REGION" >> "%s"
        printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
        printf '"status":{"token":"%%s"}}' "$(cat "%s")"
        """
            .formatted(runs, token));
    assertTrue(plugin.toFile().setExecutable(true));
    start(
        "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never,"
            + " command: ./plugin.sh, args: [login], env: [{name: REGION, value: here}]}}");
    assertEquals(List.of("login here"), Files.readAllLines(runs));
    awaitFollows("10.0.0.1");
    assertEquals(1, Files.readAllLines(runs).size(), "what it gave is kept");
    replace(token, cluster.access().rotateToken(user));
    awaitFollows("10.0.0.2");
    int size = Files.readAllLines(runs).size();
    assertTrue(size >= 2 && size <= 4, "run " + size + " times");
  }

  @Test
  void anExecPluginThatFailsIsRunOnceAndNoServerIsBlamed() throws Exception {
    Path runs = replicas.folder().resolve("failed-runs");
    Path plugin = replicas.folder().resolve("failing.sh");
    Files.writeString(plugin, "#!/bin/sh\necho run >> '" + runs + "'\nexit 7\n");
    assertTrue(plugin.toFile().setExecutable(true));
    Path config =
        kubeconfig("{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./failing.sh}}");
    UpdaterProcess.Result failed =
        replicas
            .oneShot("--dry-run", "--kubeconfig=" + config, "--namespace=" + namespace)
            .exits(2)
            .says("user \"u\" exec: " + plugin + " failed with exit code 7");
    assertFalse(failed.err().contains("apiserver=down"), failed::toString);
    assertEquals(List.of("run"), Files.readAllLines(runs));
  }

  @Test
  void anAuthorityThatIsReplacedIsReadAgain() throws Exception {
    String token = cluster.access().issueToken(user);
    UpdaterProcess updater = start("{token: " + token + "}");
    cluster.rotateServingAuthority();
    updater.awaitLog("apiserver=down .*certificate", SOON);
    replace(authority, cluster.pki().authorityPem());
    awaitFollows("10.0.0.1");
    updater.awaitLog("credentials=reloaded", SOON);
    assertEquals(1, updater.log("apiserver=down .*certificate").size(), updater::logText);
  }

  /** Six updaters at once, because each must be watched for some time. */
  @Test
  void whatIsForbiddenIsNamedTriedSlowlyAndDoneWhenItIsGranted() throws Exception {
    Map<String, String> reasons = new LinkedHashMap<>();
    reasons.put("list", "watch=down .*endpointslices.*default.*403.*cannot list resource");
    reasons.put("watch", "watch=down .*services.*403.*cannot watch resource");
    reasons.put("create", "write=failed .*403.*cannot create resource .*endpointslices");
    reasons.put("lease", "lease=unreachable .*403.*cannot create resource .*leases");
    reasons.put("token", "watch=down .*401 Unauthorized");
    reasons.put("gone", "credentials=unreadable .*tokenFile: no such file");
    Map<String, UpdaterProcess> updaters = new LinkedHashMap<>();
    Map<String, String> namespaces = new LinkedHashMap<>();
    reasons.keySet().forEach(what -> namespaces.put(what, replicas.namespace()));
    AccessControl access = cluster.access();
    List<AccessControl.Denial> denials =
        List.of(
            access.deny("list", "list", "endpointslices", "default", "*"),
            access.deny("watch", "watch", "services", "*", "*"),
            access.deny("create", "create", "endpointslices", "*", "*"),
            access.deny("lease", "create", "leases", "*", "*"));
    Path gone = replicas.folder().resolve("gone");
    Files.writeString(gone, access.issueToken("gone"));
    Path goneConfig = kubeconfig("{tokenFile: gone}");
    Path token = replicas.folder().resolve("token");
    Files.writeString(token, "nonsense");
    Path config = kubeconfig("{tokenFile: token}");
    namespaces.forEach(
        (what, target) ->
            updaters.put(
                what,
                switch (what) {
                  case "token" -> replicas.with(what, target, config, "--leader-elect=false");
                  case "gone" -> replicas.with(what, target, goneConfig, "--leader-elect=false");
                  case "lease" -> replicas.replica(what, target);
                  default -> replicas.single(what, target);
                }));
    replicas.awaitMirrored(of(namespaces, "gone"), cluster.runningAddresses());
    Files.delete(gone);
    access.revokeTokens("gone");
    cluster.apiservers().forEach(SandboxApiserver::breakConnections);
    for (Map.Entry<String, String> reason : reasons.entrySet()) {
      of(updaters, reason.getKey()).awaitLog(reason.getValue(), SOON);
    }
    long start = System.nanoTime();
    cluster.awaitNever(
        "an updater ends",
        MOMENT,
        () -> updaters.values().stream().anyMatch(updater -> !updater.isAlive()));
    updaters.forEach(
        (what, updater) -> {
          // Who has no valid token is nobody; two have none, and are counted together.
          boolean nobody = List.of("token", "gone").contains(what);
          long requests = replicas.requests(nobody ? "" : what, start).size();
          long most = (nobody ? 2 : 1) * (MOMENT.toSeconds() * 2 + 12);
          assertTrue(requests <= most, () -> what + " made " + requests + " requests");
          long lines = updater.log(of(reasons, what)).size();
          // One for each of the watches that are refused.
          assertTrue(lines <= 5, () -> what + " is told:\n" + updater.logText());
        });
    denials.forEach(access::allowAgain);
    assertEquals(1, of(updaters, "gone").log(of(reasons, "gone")).size());
    replace(token, access.issueToken("token"));
    replace(gone, access.issueToken("gone"));
    namespaces.values().forEach(n -> replicas.awaitMirrored(n, cluster.runningAddresses()));
    of(updaters, "list").awaitLog("watch=up .*default", SOON);
    of(updaters, "create").awaitLog("write=ok", SOON);
    of(updaters, "gone").awaitLog("credentials=readable", SOON);
    of(updaters, "lease").awaitLog("lease=reachable", SOON);
    cluster.source().set("10.0.0.1");
    namespaces.values().forEach(n -> replicas.awaitMirrored(n, "10.0.0.1"));
  }

  /** The value of a key that is there. */
  private static <T> T of(Map<String, T> map, String key) {
    return java.util.Objects.requireNonNull(map.get(key), key);
  }
}
