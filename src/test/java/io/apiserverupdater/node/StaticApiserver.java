package io.apiserverupdater.node;

import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A node's own kube-apiserver, as kubeadm makes it: a static pod that the kubelet starts. */
final class StaticApiserver {
  private static final String MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml";
  private static final String FILES = "/etc/kubernetes/apiserver";

  private StaticApiserver() {}

  /** Puts it on a node, on or off; the kubelet starts it as soon as it sees it. */
  static void install(BootedNode node, Lab lab) {
    List<String> command = new ArrayList<>(List.of("/opt/kube/kube-apiserver"));
    lab.apiserverCommand(node.host()).stream()
        .skip(1)
        .filter(argument -> !argument.startsWith("--audit-"))
        .map(argument -> onNode(argument, node.disk(), lab.work()))
        .forEach(command::add);
    node.disk().write(MANIFEST, manifest(command));
  }

  /** Copies the file that an argument names, if it does. */
  private static String onNode(String argument, NodeDisk disk, Path work) {
    int value = argument.indexOf('=') + 1;
    if (!argument.startsWith(work + "/", value)) {
      return argument;
    }
    Path source = Path.of(argument.substring(value));
    String target = FILES + "/" + work.relativize(source);
    disk.write(target, LabException.wrap("cannot read " + source, () -> Files.readString(source)));
    return argument.substring(0, value) + target;
  }

  /** The image is empty; the program and its files are the node's. */
  private static String manifest(List<String> command) {
    return """
        apiVersion: v1
        kind: Pod
        metadata: {name: kube-apiserver, namespace: kube-system}
        spec:
          hostNetwork: true
          priorityClassName: system-node-critical
          containers:
            - name: kube-apiserver
              image: lab/pause:1
              imagePullPolicy: Never
              command:
        %s
              volumeMounts:
                - {name: programs, mountPath: /opt/kube, readOnly: true}
                - {name: files, mountPath: %s, readOnly: true}
          volumes:
            - {name: programs, hostPath: {path: /opt/kube}}
            - {name: files, hostPath: {path: %s}}
        """
        .formatted(
            command.stream()
                .map(word -> "        - \"" + word + "\"")
                .collect(Collectors.joining("\n")),
            FILES,
            FILES);
  }
}
