package io.apiserverupdater.bench;

import io.apiserverupdater.lab.TemporaryFolder;
import io.apiserverupdater.sandbox.NodeFiles;
import io.apiserverupdater.sandbox.SandboxApiserver;
import io.apiserverupdater.sandbox.SandboxCluster;
import io.apiserverupdater.sandbox.ServiceAddress;
import io.apiserverupdater.sandbox.WireServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The bootstrap's figures: the packaged program with its own runtime, as processes of this machine,
 * at sandbox control planes. Started by {@code ./bench bootstrap}.
 */
public record BootstrapBench(Path launcher, Path folder) {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Pattern FIRST = Pattern.compile("candidates=([0-9.]+):");
  private static final String INSTALLED = "/usr/lib/apiserver-bootstrap";
  static final String PEAK = "RSS, peak";
  static final double MEBIBYTE = 1 << 20;
  static final int STARTS = 20;
  private static final int BOOTS = 10;

  /**
   * Measures, prints the table, writes it as JSON, and exits with 1 when a target was missed.
   *
   * @param arguments the tree of the package, and the JSON file to write
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path tree = Path.of(arguments[0]).toAbsolutePath();
    List<Figure> figures = new ArrayList<>();
    try (TemporaryFolder temporary = TemporaryFolder.create("bootstrap-bench")) {
      Path folder = temporary.path();
      BootstrapBench bench = of(tree, folder);
      say("exec to pinned");
      figures.addAll(bench.starts());
      say("boots");
      figures.addAll(bench.boots());
      figures.add(new Figure("package, installed", installedBytes(tree) / MEBIBYTE, "MiB", 50));
    }
    System.exit(Measurements.publish(figures, Path.of(arguments[1])));
  }

  /**
   * The program in the tree of a package.
   *
   * @param folder of its own, in which it may write
   */
  static BootstrapBench of(Path tree, Path folder) throws IOException {
    return new BootstrapBench(launcher(tree, folder), folder);
  }

  /** The package's own, made to work where its tree was unpacked. */
  private static Path launcher(Path tree, Path folder) throws IOException {
    String text = Files.readString(tree.resolve("usr/bin/apiserver-bootstrap"));
    Path launcher = folder.resolve("apiserver-bootstrap");
    Files.writeString(launcher, text.replace(INSTALLED, tree + INSTALLED));
    if (!launcher.toFile().setExecutable(true)) {
      throw new IOException("cannot make " + launcher + " executable");
    }
    return launcher;
  }

  static double installedBytes(Path tree) throws IOException {
    try (Stream<Path> files = Files.walk(tree)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  /** A control plane in some state, and a node at it. */
  private record Situation(String name, double target, Place place, Sample sample) {}

  final class Place implements AutoCloseable {
    private final SandboxCluster cluster = SandboxCluster.start();
    private final ServiceAddress service = cluster.serviceAddress();
    private final NodeFiles files;
    private final List<AutoCloseable> owned = new ArrayList<>();

    Place(String name) throws IOException {
      files = NodeFiles.create(Files.createDirectory(folder.resolve(name)), cluster);
    }

    Process start(String... arguments) throws IOException {
      List<String> command = new ArrayList<>(List.of(launcher.toString()));
      command.addAll(List.of(arguments));
      command.addAll(files.flags(cluster));
      command.add("--cluster-ip=" + service.ip());
      return new ProcessBuilder(command)
          .redirectOutput(files.folder().resolve("out").toFile())
          .redirectError(log().toFile())
          .start();
    }

    private Path log() {
      return files.folder().resolve("log");
    }

    /** Runs to the end; returns the milliseconds from exec to the change of the hosts file. */
    double pinMillis() throws IOException, InterruptedException {
      files.writeHosts(NodeFiles.ORIGINAL);
      Instant begin = Instant.now();
      expect(0, start("pin"));
      return Duration.between(begin, changed()).toNanos() / 1e6;
    }

    /** By the inode's change time, which the rename sets; the kernel stamps in steps of some ms. */
    Instant changed() throws IOException {
      return ((FileTime) Files.getAttribute(files.hosts(), "unix:ctime")).toInstant();
    }

    void expect(int code, Process process) throws IOException, InterruptedException {
      if (!process.waitFor(SOON.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != code) {
        process.destroyForcibly();
        throw new IllegalStateException(
            "expected exit code " + code + "\n" + Files.readString(log()));
      }
    }

    SandboxApiserver first() throws IOException, InterruptedException {
      expect(1, start("pin", "--dry-run"));
      Matcher matcher = FIRST.matcher(Files.readString(log()));
      if (!matcher.find()) {
        throw new IllegalStateException(Files.readString(log()));
      }
      String ip = matcher.group(1);
      return cluster.apiservers().stream().filter(s -> s.ip().equals(ip)).findFirst().orElseThrow();
    }

    void inPlaceOfFirst(WireServer.Wrong wrong) throws IOException, InterruptedException {
      SandboxApiserver first = first();
      first.kill();
      owned.add(WireServer.inPlaceOf(first, cluster, wrong));
    }

    @Override
    public void close() {
      for (AutoCloseable part : owned) {
        try {
          part.close();
        } catch (Exception e) {
          say("could not end " + part + ": " + e);
        }
      }
      service.close();
      cluster.close();
    }
  }

  /** All situations in turn, again and again, so that a busy moment meets them alike. */
  private List<Figure> starts() throws IOException, InterruptedException {
    List<Figure> figures = new ArrayList<>();
    try (Place healthy = new Place("healthy");
        Place refused = new Place("refused");
        Place blackHole = new Place("black-hole");
        Place silent = new Place("silent")) {
      refused.first().kill();
      blackHole.inPlaceOfFirst(WireServer.Wrong.BLACK_HOLE);
      silent.inPlaceOfFirst(WireServer.Wrong.SILENT);
      List<Situation> situations =
          List.of(
              new Situation("3 candidates healthy", 300, healthy, new Sample()),
              new Situation("first one refuses", 350, refused, new Sample()),
              new Situation("first one is a black hole", 600, blackHole, new Sample()),
              new Situation("first one accepts and hangs", 600, silent, new Sample()));
      for (int i = 0; i <= STARTS; i++) {
        for (Situation situation : situations) {
          double millis = situation.place().pinMillis();
          // The first one reads everything from the disk.
          if (i > 0) {
            situation.sample().add(millis);
          }
        }
      }
      for (Situation situation : situations) {
        String name = "exec to pinned, " + situation.name();
        figures.add(
            new Figure(
                name + ", median", situation.sample().percentile(0.5), "ms", situation.target()));
        figures.add(Figure.stated(name + ", slowest", situation.sample().max(), "ms"));
      }
    }
    return figures;
  }

  /** Pin and hand-over in one process, as a boot has them. */
  List<Figure> boots() throws IOException, InterruptedException {
    Sample flips = new Sample();
    Sample peaks = new Sample();
    Sample probes = new Sample();
    int resident = 0;
    try (Place place = new Place("boots")) {
      for (int i = 0; i < BOOTS; i++) {
        place.files.writeHosts(NodeFiles.ORIGINAL);
        int before = place.cluster.audit().entries().size();
        Process boot = place.start();
        awaitWaiting(place);
        // As long as a kube-proxy takes.
        TimeUnit.MILLISECONDS.sleep(1_000 + i * 37L);
        place.service.open();
        Instant open = Instant.now();
        peaks.add(peakMebibytes(boot));
        // The refresh at the end finds no kubeconfig; the boot is done all the same.
        place.expect(0, boot);
        flips.add(Duration.between(open, place.changed()).toNanos() / 1e6);
        resident += boot.descendants().toList().size();
        Map<String, Long> seen =
            place.cluster.audit().entries().stream()
                .skip(before)
                .collect(
                    Collectors.groupingBy(e -> e.request().apiserver(), Collectors.counting()));
        place
            .cluster
            .apiservers()
            .forEach(server -> probes.add(seen.getOrDefault(server.name(), 0L)));
        place.service.close();
      }
    }
    return List.of(
        new Figure("cluster IP works, to name switched, median", flips.percentile(0.5), "ms", 250),
        Figure.stated("cluster IP works, to name switched, slowest of " + BOOTS, flips.max(), "ms"),
        new Figure(PEAK, peaks.max(), "MiB", 55),
        new Figure("processes left after the hand-over", resident, "", 0),
        new Figure("probes per boot seen by an apiserver, mean", probes.mean(), "", 2),
        Figure.stated("probes per boot seen by an apiserver, most", probes.max(), ""));
  }

  private static void awaitWaiting(Place place) throws IOException, InterruptedException {
    long end = System.nanoTime() + SOON.toNanos();
    while (!Files.readString(place.log()).contains("apiserver=" + place.service.ip())) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException(Files.readString(place.log()));
      }
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  /** The launcher is a shell that has become the program. */
  private static double peakMebibytes(Process process) throws IOException {
    try (Stream<String> lines =
        Files.lines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
      return lines
              .filter(line -> line.startsWith("VmHWM:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
              .findFirst()
              .orElseThrow()
          / 1024.0;
    }
  }

  private static void say(String what) {
    System.err.println("bench: " + what);
  }
}
