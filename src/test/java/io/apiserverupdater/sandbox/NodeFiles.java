package io.apiserverupdater.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The files of a node that the bootstrap reads and writes, in one folder of the test. */
public record NodeFiles(Path folder) {
  public static final String NAME = "apiserver.cluster.local";
  public static final String ORIGINAL = "127.0.0.1\tlocalhost\n# a comment\n::1 ip6-localhost\n";

  /** Writes a hosts file that names nothing of ours, and the authority of a cluster. */
  public static NodeFiles create(Path folder, SandboxCluster cluster) {
    NodeFiles files = new NodeFiles(folder);
    files.writeHosts(ORIGINAL);
    write(files.authority(), cluster.pki().authorityPem());
    return files;
  }

  public Path hosts() {
    return folder.resolve("hosts");
  }

  public Path state() {
    return folder.resolve("state");
  }

  public Path authority() {
    return folder.resolve("ca.crt");
  }

  public void writeHosts(String text) {
    write(hosts(), text);
  }

  public String hostsText() {
    try {
      return Files.readString(hosts(), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where the name points, as a resolver reads the file; "" when nowhere. */
  public String target() {
    for (String line : hostsText().split("\n", -1)) {
      List<String> words = List.of(line.replaceAll("#.*", "").strip().split("\\s+", -1));
      if (words.subList(1, words.size()).contains(NAME)) {
        return words.get(0);
      }
    }
    return "";
  }

  /** The flags that every command needs, for all control planes of a cluster. */
  public List<String> flags(SandboxCluster cluster) {
    List<String> flags = new ArrayList<>();
    flags.add("--config=" + write(folder.resolve("bootstrap.conf"), "# nothing\n"));
    flags.add("--hosts-file=" + hosts());
    flags.add("--state-dir=" + state());
    flags.add("--ca-file=" + authority());
    flags.add("--kubeconfig=" + folder.resolve("kubelet.conf"));
    flags.add(
        "--control-plane="
            + String.join(",", cluster.apiservers().stream().map(SandboxApiserver::ip).toList()));
    return flags;
  }

  private static Path write(Path file, String text) {
    try {
      return Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
