package io.apiserverupdater.tour;

import io.apiserverupdater.lab.TemporaryFolder;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/** What {@code ./try} runs when everything is built. */
public final class Main {
  private static final int OK = 0;
  private static final int FAILED = 1;
  private static final Duration SIGNAL = Duration.ofMillis(300);
  private static final Path UNIVERSE = Path.of("/run/lab");

  private Main() {}

  /**
   * What was asked for.
   *
   * @param universe the process id of the script around the lab, as it is outside
   */
  record Options(boolean real, boolean keep, boolean colours, String universe) {
    static Options of(List<String> arguments) {
      return new Options(
          arguments.contains("--real"),
          arguments.contains("--keep"),
          arguments.contains("--colours"),
          arguments.stream()
              .filter(argument -> argument.startsWith("--universe="))
              .map(argument -> argument.substring("--universe=".length()))
              .findFirst()
              .orElse(""));
    }
  }

  /** Makes the stage, in a folder that is removed after it. */
  interface StageMaker {
    Stage make(Path folder);
  }

  /** Plays the tour; {@code ./try} has checked the arguments. */
  public static void main(String[] arguments) throws InterruptedException {
    Options options = Options.of(List.of(arguments));
    Path projectRoot = Path.of(System.getProperty("project.root", "")).toAbsolutePath().normalize();
    Backstage backstage = new Backstage();
    AtomicBoolean kept = new AtomicBoolean();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  backstage.close();
                  if (kept.get()) {
                    // Ctrl-C is how that is meant to end.
                    Runtime.getRuntime().halt(OK);
                  }
                },
                "tour-end"));
    Path parent = options.real() ? UNIVERSE : Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
    Timeline timeline = new Timeline(System.out, options.colours(), System::nanoTime);
    Optional<Tour> tour =
        play(
            backstage,
            projectRoot,
            parent,
            folder ->
                options.real()
                    ? new RealStage(projectRoot, options.universe())
                    : new SandboxStage(projectRoot, folder),
            options.keep(),
            timeline,
            System.err);
    if (tour.isPresent() && options.keep()) {
      // Until a signal comes; its hook ends everything.
      kept.set(true);
      new CountDownLatch(1).await();
    }
    if (backstage.over()) {
      // A signal is ending this process, and sets its exit code.
      return;
    }
    backstage.close();
    System.exit(tour.isPresent() ? OK : FAILED);
  }

  /**
   * Plays all acts.
   *
   * @param parent where the tour may make its folder
   * @param keep whether the cluster is to be left running, and how to reach it told
   * @param errors where a failure is told
   * @return the tour, unless it failed
   */
  static Optional<Tour> play(
      Backstage backstage,
      Path projectRoot,
      Path parent,
      StageMaker stageMaker,
      boolean keep,
      Timeline timeline,
      PrintStream errors)
      throws InterruptedException {
    Optional<Tour> tour = Optional.empty();
    try {
      Path folder =
          backstage.own(() -> TemporaryFolder.in(parent, "apiserver-updater-try-")).path();
      Stage stage = backstage.own(() -> stageMaker.make(folder));
      timeline.title("The updater on " + stage.description());
      long start = System.nanoTime();
      Release release = Release.unpack(backstage, projectRoot, folder);
      timeline.say(
          "release",
          release.version() + " unpacked, and started once to create its class archive",
          Duration.ofNanos(System.nanoTime() - start));
      tour = Optional.of(Tour.begin(backstage, stage, release, timeline));
      tour.get().play();
      if (keep) {
        timeline.act("Running until Ctrl-C");
        tour.get().restore();
        timeline.plain("In another terminal:");
        stage.wayIn().forEach(line -> timeline.plain("  " + line));
        timeline.plain("  kubectl -n kube-system get endpointslices,leases");
        timeline.plain("  " + release.launcher() + " --dry-run");
      }
      return tour;
    } catch (RuntimeException e) {
      // Ctrl-C goes to all processes of a terminal, so a broken child can be its first sign.
      if (!backstage.overWithin(SIGNAL)) {
        errors.println("try: the tour failed: " + e.getMessage());
        tour.map(Tour::logTails).orElse(List.of()).forEach(errors::println);
      }
      return Optional.empty();
    }
  }
}
