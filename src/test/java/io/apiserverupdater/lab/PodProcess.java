package io.apiserverupdater.lab;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A program that finds itself in what looks like a pod on the host's network: the files of its
 * service account, the environment that a kubelet sets, a host name of its own. It can be started
 * again after its end, like a container. Used by one test thread at a time.
 *
 * <p>Unlike a container it sees the machine's process ids, and the machine's file system unless it
 * is in an image.
 */
public final class PodProcess implements AutoCloseable {
  // The mounts are in the namespace that "ip netns exec" has made for this process alone.
  private static final String ENTER =
      """
      set -e
      mount -t tmpfs -o mode=755 pod /run/secrets
      mkdir -p /run/secrets/kubernetes.io/serviceaccount
      mount --bind "$1" /run/secrets/kubernetes.io/serviceaccount
      hostname "$2"
      shift 2
      exec "$@"
      """;

  private static final String ENTER_IMAGE =
      """
      set -e
      root=$3
      mount -t proc proc "$root/proc"
      mount --bind /dev "$root/dev"
      mount -t tmpfs etc "$root/etc"
      { cat /etc/hosts; echo "127.0.0.1 $2"; } >"$root/etc/hosts"
      mount --bind "$1" "$root/var/run/secrets/kubernetes.io/serviceaccount"
      hostname "$2"
      user=$4
      shift 4
      exec chroot "--userspec=$user" "$root" "$@"
      """;

  private final LabHost host;
  private final String name;
  private final List<String> command;
  private final Map<String, String> environment;
  private final ServiceAccountFiles files;
  private LabProcess process;

  private PodProcess(
      LabHost host,
      String name,
      List<String> command,
      Map<String, String> environment,
      ServiceAccountFiles files) {
    this.host = host;
    this.name = name;
    this.command = command;
    this.environment = environment;
    this.files = files;
    this.process = host.start(name, command, environment);
  }

  /** What a pod is to be; made by {@link Lab#pod}. */
  public static final class Builder {
    private final Lab lab;
    private final LabHost host;
    private final String name;
    private final Path folder;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private String namespace = "default";
    private String serviceAccount = "default";
    private int user;
    private Optional<UnpackedImage> image = Optional.empty();

    Builder(Lab lab, LabHost host, String name, Path folder) {
      this.lab = lab;
      this.host = host;
      this.name = name;
      this.folder = folder;
    }

    /** The namespace of the pod and of its service account; {@code default} if not set. */
    public Builder namespace(String podNamespace) {
      this.namespace = podNamespace;
      return this;
    }

    /** {@code default} if not set; it must exist. */
    public Builder serviceAccount(String account) {
      this.serviceAccount = account;
      return this;
    }

    public Builder environment(String key, String value) {
      environment.put(key, value);
      return this;
    }

    /** Runs as this user and group, without capabilities; root if not set. */
    public Builder runAsUser(int userId) {
      this.user = userId;
      return this;
    }

    /** Runs in this image, as its user; {@link #start} is given arguments of its entry point. */
    public Builder image(UnpackedImage unpacked) {
      this.image = Optional.of(unpacked);
      return this;
    }

    /** Gets a token and starts the program; it logs to {@code LOGFOLDER/HOST-NAME.log}. */
    public PodProcess start(String... command) {
      ServiceAccountFiles files = files();
      return new PodProcess(host, name, entered(files, command), fullEnvironment(), files);
    }

    /** Gets a token and runs the program to its end, its output and its errors kept apart. */
    public Execution run(Duration limit, String... command) {
      ServiceAccountFiles files = files();
      try {
        return Execution.run(host.command(entered(files, command), fullEnvironment()), limit);
      } finally {
        files.remove();
      }
    }

    private ServiceAccountFiles files() {
      createFolder(folder.resolve("home"));
      ServiceAccountFiles files =
          new ServiceAccountFiles(lab, folder.resolve("serviceaccount"), namespace, serviceAccount);
      files.rotate();
      return files;
    }

    private Map<String, String> fullEnvironment() {
      Map<String, String> all = new LinkedHashMap<>();
      all.put("KUBERNETES_SERVICE_HOST", Lab.KUBERNETES_SERVICE_ADDRESS);
      all.put("KUBERNETES_SERVICE_PORT", "443");
      all.put("KUBERNETES_SERVICE_PORT_HTTPS", "443");
      all.put("POD_NAME", name);
      all.put("POD_NAMESPACE", namespace);
      all.put("HOSTNAME", name);
      all.put("HOME", image.isPresent() ? "/" : folder.resolve("home").toString());
      image.ifPresent(unpacked -> all.putAll(unpacked.environment()));
      all.putAll(environment);
      return all;
    }

    private List<String> entered(ServiceAccountFiles files, String... command) {
      return image
          .map(unpacked -> enteredImage(unpacked, files, command))
          .orElseGet(() -> enteredMachine(files, command));
    }

    private List<String> enteredImage(
        UnpackedImage unpacked, ServiceAccountFiles files, String... arguments) {
      List<String> line =
          new ArrayList<>(List.of("unshare", "--uts", "sh", "-c", ENTER_IMAGE, "sh"));
      line.addAll(List.of(files.folder.toString(), name, unpacked.root().toString()));
      line.add(unpacked.user());
      line.addAll(unpacked.entrypoint());
      line.addAll(Arrays.asList(arguments));
      return line;
    }

    private List<String> enteredMachine(ServiceAccountFiles files, String... command) {
      List<String> line =
          new ArrayList<>(
              List.of("unshare", "--uts", "sh", "-c", ENTER, "sh", files.folder.toString(), name));
      if (user != 0) {
        String id = String.valueOf(user);
        line.addAll(
            List.of(
                "setpriv",
                "--reuid",
                id,
                "--regid",
                id,
                "--clear-groups",
                "--no-new-privs",
                "--inh-caps=-all",
                "--bounding-set=-all"));
      }
      line.addAll(Arrays.asList(command));
      return line;
    }
  }

  public String name() {
    return name;
  }

  /** The program, as last started: its signals, exit code and log. */
  public LabProcess process() {
    return process;
  }

  public long pid() {
    return process.pid();
  }

  public boolean alive() {
    return process.alive();
  }

  public OptionalInt exitCode() {
    return process.exitCode();
  }

  /** What it printed, earlier starts included. */
  public List<String> logLines() {
    return process.logLines();
  }

  /** Starts the program again, with the same files and environment; it must have ended. */
  public void restart() {
    if (process.alive()) {
      throw new LabException(name + " still runs");
    }
    process = host.start(name, command, environment);
  }

  /** The token in its file. */
  public String token() {
    return files.token;
  }

  /** Puts a fresh token into place the way a kubelet does; the old one stays valid. */
  public void rotateToken() {
    files.rotate();
  }

  /** Kills it if it still runs and removes its token. */
  @Override
  public void close() {
    process.kill();
    files.remove();
  }

  private static void createFolder(Path folder) {
    LabException.wrap("cannot make " + folder, () -> Files.createDirectories(folder));
  }

  /** The projected volume of a service account: the files are links, switched by one rename. */
  private static final class ServiceAccountFiles {
    private final Lab lab;
    private final Path folder;
    private final String namespace;
    private final String account;
    private String token = "";
    private int version;

    ServiceAccountFiles(Lab lab, Path folder, String namespace, String account) {
      this.lab = lab;
      this.folder = folder;
      this.namespace = namespace;
      this.account = account;
    }

    void rotate() {
      publish(lab.requestToken(namespace, account));
    }

    void publish(String newToken) {
      version++;
      try {
        Path data = folder.resolve("..v" + version);
        Files.createDirectories(data);
        Files.writeString(data.resolve("token"), newToken);
        Files.writeString(data.resolve("namespace"), namespace);
        Files.copy(lab.pki().caFile(), data.resolve("ca.crt"));
        Path next = folder.resolve("..data_tmp");
        Files.createSymbolicLink(next, data.getFileName());
        Files.move(next, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        for (String file : List.of("token", "namespace", "ca.crt")) {
          Path link = folder.resolve(file);
          if (!Files.isSymbolicLink(link)) {
            Files.createSymbolicLink(link, Path.of("..data", file));
          }
        }
      } catch (IOException e) {
        throw new LabException("cannot write the service account's files in " + folder, e);
      }
      token = newToken;
    }

    void remove() {
      Execution.run(Duration.ofSeconds(5), "rm", "-rf", folder.toString()).orThrow();
    }
  }

  /** Reads the token out of the answer to a TokenRequest. */
  static String tokenIn(JsonObject tokenRequest) {
    return tokenRequest.getAsJsonObject("status").get("token").getAsString();
  }
}
