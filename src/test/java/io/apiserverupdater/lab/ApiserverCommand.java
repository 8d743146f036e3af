package io.apiserverupdater.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a kube-apiserver of the lab is started. */
final class ApiserverCommand {
  // Who read and wrote what, without the noise of the components themselves.
  private static final String AUDIT_POLICY =
      """
      apiVersion: audit.k8s.io/v1
      kind: Policy
      omitStages: [RequestReceived]
      rules:
      - level: None
        nonResourceURLs: ["/readyz*", "/livez*", "/healthz*", "/version"]
      - level: None
        users: ["system:apiserver"]
        verbs: [get, list, watch]
      - level: None
        users: ["system:apiserver"]
        resources: [{group: coordination.k8s.io, resources: [leases]}]
      - level: None
        users: ["system:kube-controller-manager", "system:kube-proxy"]
        verbs: [get, list, watch]
      - level: Metadata
      """;

  private final String program;
  private final LabPki pki;
  private final Path tokens;
  private final Path auditPolicy;
  private final List<String> furtherFlags;

  /** Writes the files that all apiservers share; each gets the further flags. */
  ApiserverCommand(KubeBinaries binaries, LabPki pki, LabFiles files, List<String> furtherFlags) {
    this.program = binaries.program("kube-apiserver");
    this.pki = pki;
    this.tokens = files.write("tokens.csv", LabUser.tokenFile());
    this.auditPolicy = files.write("audit-policy.yaml", AUDIT_POLICY);
    this.furtherFlags = List.copyOf(furtherFlags);
  }

  /** The command for one host. */
  List<String> on(LabHost host, String etcdUrl, Path auditLog) {
    LabPki.ServingFiles serving = pki.serving(host.name(), host.address());
    List<String> command =
        new ArrayList<>(
            List.of(
                program,
                "--etcd-servers=" + etcdUrl,
                "--advertise-address=" + host.address(),
                "--secure-port=" + Lab.APISERVER_PORT,
                "--endpoint-reconciler-type=lease",
                "--service-cluster-ip-range=" + Lab.SERVICE_CIDR,
                "--tls-cert-file=" + serving.certificate(),
                "--tls-private-key-file=" + serving.key(),
                "--client-ca-file=" + pki.caFile(),
                "--token-auth-file=" + tokens,
                "--authorization-mode=Node,RBAC",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                "--service-account-key-file=" + pki.serviceAccountPublicKey(),
                "--service-account-signing-key-file=" + pki.serviceAccountKey(),
                "--audit-policy-file=" + auditPolicy,
                "--audit-log-path=" + auditLog,
                // Never rotated: a test reads all of it.
                "--audit-log-maxsize=0"));
    command.addAll(furtherFlags);
    return command;
  }
}
