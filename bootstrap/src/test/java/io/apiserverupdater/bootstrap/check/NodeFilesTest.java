package io.apiserverupdater.bootstrap.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.api.ClientFiles.Dialled;
import io.apiserverupdater.bootstrap.check.Facts.CloudInit;
import io.apiserverupdater.bootstrap.check.Facts.HostsSnapshot;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeFilesTest {
  private static final String NAME = "apiserver.cluster.local";

  @TempDir Path root;

  private void file(String path, String content) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  static InetAddress ip(String literal) {
    return ApiserverAddress.parse(literal, 1).orElseThrow().ip();
  }

  static String unknown(Reading<?> reading) {
    return assertInstanceOf(Reading.Unknown.class, reading).reason();
  }

  @Test
  void emptyNodeIsUnknownInEveryPart() {
    NodeFiles files = new NodeFiles(root);
    assertTrue(
        unknown(files.dialled(root.resolve("kubelet.conf"), Map.of())).startsWith("there is no "));
    assertTrue(unknown(files.proxyKubeconfig()).startsWith("its kubeconfig is in none of"));
    assertTrue(unknown(files.clusterDns()).startsWith("there is no "));
    assertTrue(unknown(files.snapshots(NAME)).startsWith("there is no "));
    assertTrue(unknown(files.conntrackTimeout("syn_sent")).startsWith("there is no "));
    assertTrue(unknown(files.machineId()).startsWith("there is no "));
  }

  @Test
  void readsTheMachineIdAsItIs() throws IOException {
    file("etc/machine-id", "uninitialized\n");
    assertEquals(new Reading.Known<>("uninitialized"), new NodeFiles(root).machineId());
  }

  @Test
  void readsForHowLongConntrackKeepsAnEntry() throws IOException {
    String settings = "proc/sys/net/netfilter/nf_conntrack_tcp_timeout_";
    file(settings + "syn_sent", "120\n");
    file(settings + "close", "10\n");
    NodeFiles files = new NodeFiles(root);
    assertEquals(new Reading.Known<>(Duration.ofMinutes(2)), files.conntrackTimeout("syn_sent"));
    assertEquals(new Reading.Known<>(Duration.ofSeconds(10)), files.conntrackTimeout("close"));
    file(settings + "close", "soon\n");
    assertTrue(unknown(files.conntrackTimeout("close")).endsWith("is not a number"));
  }

  @Test
  void readsSettingsOfIpvs() throws IOException {
    file("proc/sys/net/ipv4/vs/conntrack", "1\n");
    NodeFiles files = new NodeFiles(root);
    assertEquals(new Reading.Known<>(1L), files.ipvsSetting("conntrack"));
    assertTrue(unknown(files.ipvsSetting("expire_nodest_conn")).startsWith("there is no "));
  }

  /** A kubeconfig whose current context has this server. */
  private static String kubeconfig(String server) {
    return """
    current-context: main
    contexts: [{name: main, context: {cluster: here, user: me}}]
    clusters: [{name: other, cluster: {server: "https://other:1"}}, {name: here, cluster: {%s}}]
    users: [{name: me, user: {}}]
    """
        .formatted(server);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "server: 'https://apiserver.cluster.local:6443/' | https://apiserver.cluster.local:6443",
        "server: HTTPS://APIserver.Cluster.Local:6443    | https://apiserver.cluster.local:6443",
        "server: 'https://apiserver.cluster.local'       | https://apiserver.cluster.local:443",
        "server: 'https://[fd00::1]:6443'                | https://[fd00::1]:6443",
        "\"server\": \"https://a/b\"                     | https://a:443/b"
      })
  void readsTheServerAsTheKubeletDoes(String field, String server) throws IOException {
    file("kubelet.conf", kubeconfig(field));
    assertEquals(
        new Reading.Known<>(new Dialled(server, Optional.empty())),
        new NodeFiles(root).dialled(root.resolve("kubelet.conf"), Map.of()));
  }

  @Test
  void findsThatCloudInitRewritesTheHostsFile() throws IOException {
    NodeFiles files = new NodeFiles(root);
    assertEquals(Optional.empty(), files.cloudInit(NAME));
    file(
        "etc/cloud/cloud.cfg",
        "users: []\n# manage_etc_hosts: true\nmanage_etc_hosts: localhost\n");
    assertEquals(Optional.empty(), files.cloudInit(NAME));
    file("etc/cloud/cloud.cfg.d/99_pve.cfg", "manage_etc_hosts: true # as the image has it\n");
    file("etc/cloud/templates/hosts.debian.tmpl", "127.0.1.1 {{fqdn}}\n# 10.0.0.1 " + NAME + "\n");
    Path setBy = root.resolve("etc/cloud/cloud.cfg.d/99_pve.cfg");
    assertEquals(Optional.of(new CloudInit(setBy, Optional.empty())), files.cloudInit(NAME));
    file("etc/cloud/templates/hosts.debian.tmpl", "127.0.1.1 {{fqdn}}\n10.0.0.1 " + NAME + "\n");
    Path template = root.resolve("etc/cloud/templates/hosts.debian.tmpl");
    assertEquals(Optional.of(new CloudInit(setBy, Optional.of(template))), files.cloudInit(NAME));
    file("var/lib/cloud/instance/cloud-config.txt", "#cloud-config\nmanage_etc_hosts: false\n");
    assertEquals(Optional.empty(), files.cloudInit(NAME));
  }

  @Test
  void commentsBehindTheServerAreNone() throws IOException {
    file(
        "kubelet.conf",
        """
        clusters:
        - name: a
          cluster:
            # server: https://old:6443
            server: https://a:6443 # server: https://b:6443
        contexts:
        - {name: a, context: {cluster: a}}
        current-context: a
        """);
    assertEquals(
        new Reading.Known<>(new Dialled("https://a:6443", Optional.empty())),
        new NodeFiles(root).dialled(root.resolve("kubelet.conf"), Map.of()));
  }

  @Test
  void tellsTheProxyThatTheEnvironmentNames() throws IOException {
    file("kubelet.conf", kubeconfig("server: 'https://apiserver.cluster.local:6443'"));
    Map<String, String> environment =
        new HashMap<>(Map.of("HTTPS_PROXY", "http://proxy.example:3128", "NO_PROXY", "10.0.0.0/8"));
    Path file = root.resolve("kubelet.conf");
    assertEquals(
        new Reading.Known<>(
            new Dialled("https://apiserver.cluster.local:6443", Optional.of("proxy.example:3128"))),
        new NodeFiles(root).dialled(file, environment));
    environment.put("NO_PROXY", "10.0.0.0/8,.cluster.local");
    assertEquals(
        new Reading.Known<>(new Dialled("https://apiserver.cluster.local:6443", Optional.empty())),
        new NodeFiles(root).dialled(file, environment));
  }

  @Test
  void saysWhatIsWrongWithAKubeconfig() throws IOException {
    file("kubelet.conf", kubeconfig("server: apiserver.cluster.local"));
    String reason = unknown(new NodeFiles(root).dialled(root.resolve("kubelet.conf"), Map.of()));
    assertTrue(reason.contains("kubelet.conf: cluster \"here\": server is "), reason);
  }

  @Test
  void findsKubeProxyOfTheNodeAndOfThePod() throws IOException {
    NodeFiles files = new NodeFiles(root);
    String pod =
        "var/lib/kubelet/pods/u1/volumes/kubernetes.io~configmap/kube-proxy/kubeconfig.conf";
    file(pod, "of the pod");
    file("var/log/pods/kube-system_kube-proxy-abc_u1/kube-proxy/0.log", "");
    assertEquals(new Reading.Known<>(root.resolve(pod)), files.proxyKubeconfig());
    String unit = "etc/kubernetes/kube-proxy.kubeconfig";
    file(unit, "of the unit");
    assertEquals(new Reading.Known<>(root.resolve(unit)), files.proxyKubeconfig());
  }

  /** It may write what it likes into its own configMap. */
  @Test
  void volumeOfAnotherPodIsNotKubeProxys() throws IOException {
    for (String pod : List.of("default_kube-proxy-abc_u1", "kube-system_other_u2")) {
      String uid = pod.substring(pod.length() - 2);
      file(
          "var/lib/kubelet/pods/"
              + uid
              + "/volumes/kubernetes.io~configmap/kube-proxy/kubeconfig.conf",
          "server: https://pod:6443\n");
      file("var/log/pods/" + pod + "/a/0.log", "");
    }
    assertTrue(
        unknown(new NodeFiles(root).proxyKubeconfig()).startsWith("its kubeconfig is in none of"));
  }

  @Test
  void readsClusterDns() throws IOException {
    file(
        "var/lib/kubelet/config.yaml",
        """
        authentication:
        clusterDNS:
          - 10.96.0.10
          # and the other family
          - "fd00:10:96::a"
        clusterDomain: cluster.local
        evictionHard:
        - 1.2.3.4
        """);
    assertEquals(
        new Reading.Known<>(List.of(ip("10.96.0.10"), ip("fd00:10:96::a"))),
        new NodeFiles(root).clusterDns());
    file("var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\n");
    assertTrue(unknown(new NodeFiles(root).clusterDns()).endsWith("has no clusterDNS"));
    file("var/lib/kubelet/config.yaml", "clusterDNS: [10.96.0.10] # one\n");
    assertEquals(new Reading.Known<>(List.of(ip("10.96.0.10"))), new NodeFiles(root).clusterDns());
    file("var/lib/kubelet/config.yaml", "clusterDNS: [\n");
    assertTrue(unknown(new NodeFiles(root).clusterDns()).contains("config.yaml: is not YAML"));
  }

  @Test
  void namesPodsAndWhereTheirCopiesLead() throws IOException {
    String managed = "# Kubernetes-managed hosts file";
    file(
        "var/lib/kubelet/pods/u1/etc-hosts",
        managed
            + " (host network).\n127.0.0.1 localhost\n10.0.0.1\tx APIserver.cluster.local # y\n");
    file("var/lib/kubelet/pods/u2/etc-hosts", managed + ".\n10.0.0.2 apiserver.cluster.local\n");
    file("var/lib/kubelet/pods/u3/etc-hosts", managed + " (host network).\n#10.0.0.3 " + NAME);
    file("var/lib/kubelet/pods/u4/containers", "no copy yet");
    file("var/lib/kubelet/pods/u-5/etc-hosts", managed + " (host network).\n10.0.0.5 " + NAME);
    file("var/lib/kubelet/pods/u6/etc-hosts", managed + " (host network).\n10.0.0.6 " + NAME);
    file("var/log/pods/kube-system_kube-proxy-abc_u1/kube-proxy/0.log", "");
    // All but u6, which has ended and is not yet cleared away.
    file("proc/1/cgroup", "0::/init.scope\n");
    file("proc/11/cgroup", "2:pids:/kubepods/besteffort/podu1/c1\n1:name=systemd:/x\n");
    file("proc/12/cgroup", "0::/kubepods/podu2/c2\n");
    file("proc/13/cgroup", "0::/kubepods/burstable/podu3/c3\n");
    file(
        "proc/15/cgroup",
        "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podu_5.slice/c5.scope\n");
    Reading<List<HostsSnapshot>> reading = new NodeFiles(root).snapshots(NAME);
    List<?> snapshots = (List<?>) assertInstanceOf(Reading.Known.class, reading).value();
    assertEquals(3, snapshots.size(), snapshots.toString());
    assertEquals(
        Set.of(
            new HostsSnapshot("u-5", List.of(ip("10.0.0.5"))),
            new HostsSnapshot("kube-system/kube-proxy-abc", List.of(ip("10.0.0.1"))),
            new HostsSnapshot("u3", List.of())),
        Set.copyOf(snapshots));
  }
}
