package io.apiserverupdater.bootstrap;

import io.apiserverupdater.apiserver.flags.GoDuration;
import io.apiserverupdater.apiserver.printing.PrintableStream;
import io.apiserverupdater.bootstrap.candidates.CandidateListStore;
import io.apiserverupdater.bootstrap.candidates.NamedControlPlanes;
import io.apiserverupdater.bootstrap.commands.BootCommand;
import io.apiserverupdater.bootstrap.commands.CheckCommand;
import io.apiserverupdater.bootstrap.commands.RefreshCommand;
import io.apiserverupdater.bootstrap.commands.RestoreCommand;
import io.apiserverupdater.bootstrap.commands.Retries;
import io.apiserverupdater.bootstrap.commands.Retries.Ended;
import io.apiserverupdater.bootstrap.commands.StatusCommand;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Parsed;
import io.apiserverupdater.bootstrap.configuration.BootstrapFlags;
import io.apiserverupdater.bootstrap.configuration.Command;
import io.apiserverupdater.bootstrap.configuration.Help;
import io.apiserverupdater.bootstrap.log.Log;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Starts the bootstrap: reads what is asked for, and runs the command. */
public final class Main {
  private static final int OK = 0;
  private static final int FAILED = 1;
  private static final int INVALID = 2;

  /** DNS may not be there while a node boots, and the kubelet waits. */
  private static final Duration LOOK_UP = Duration.ofSeconds(2);

  /**
   * For names of which no address is known. With a search of 30 s it stays below the unit's 45 s.
   */
  private static final Duration LOOK_UP_AGAIN = Duration.ofSeconds(10);

  private Main() {}

  /** See {@code --help}. */
  public static void main(String[] arguments) {
    System.setOut(new PrintableStream(System.out));
    System.setErr(new PrintableStream(System.err));
    int code;
    try {
      code = run(Arrays.asList(arguments));
    } catch (InterruptedException e) {
      // The program was told to end, and the runtime has the exit code.
      code = FAILED;
    }
    System.out.flush();
    System.exit(code);
  }

  /** Returns the exit code. The configuration is read again for each attempt. */
  private static int run(List<String> arguments) throws InterruptedException {
    Log log = new Log(System.err, System.getenv("JOURNAL_STREAM") != null);
    Retries retries = new Retries();
    while (true) {
      Parsed parsed = BootstrapFlags.parse(arguments);
      Ended ended = attempt(parsed, log);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      Optional<Duration> interval =
          parsed instanceof Parsed.Run run ? run.config().retry() : Optional.empty();
      Retries.Step step = retries.after(ended, interval, System.nanoTime());
      if (!(step instanceof Retries.Step.TryAgain again)) {
        ended.error().ifPresent(log::error);
        return ended.exitCode();
      }
      if (again.tells()) {
        ended.error().ifPresent(log::error);
        log.warn(
            "handover=failed exit-code=%d retry-every=%s"
                .formatted(ended.exitCode(), GoDuration.format(again.after())));
      }
      boolean unusedOver =
          new CountDownLatch(1).await(again.after().toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  private static Ended attempt(Parsed parsed, Log log) throws InterruptedException {
    if (parsed instanceof Parsed.Run run) {
      return attempt(run.config(), log);
    }
    if (parsed instanceof Parsed.Invalid invalid) {
      for (String error : invalid.errors()) {
        System.err.println("error: " + error);
      }
      System.err.println("See apiserver-bootstrap --help.");
      return new Ended(INVALID, Optional.empty());
    }
    if (parsed instanceof Parsed.Completion completion) {
      System.out.print(completion.script());
      return new Ended(OK, Optional.empty());
    }
    boolean help = parsed instanceof Parsed.Help;
    System.out.print(help ? Help.text() : "apiserver-bootstrap " + version() + "\n");
    return new Ended(OK, Optional.empty());
  }

  private static Ended attempt(BootstrapConfig config, Log log) throws InterruptedException {
    String error;
    try {
      return new Ended(exitCode(lookedUp(config, log), log), Optional.empty());
    } catch (IOException e) {
      error = String.valueOf(e.getMessage());
    } catch (RuntimeException | Error e) {
      StackTraceElement[] trace = e.getStackTrace();
      error =
          "unexpected " + e + (trace.length == 0 ? "" : " at " + trace[0]) + "; please report it";
    }
    // There 1 has another meaning, which the Java runtime does not know.
    boolean isTaken = config.dryRun() || config.command() == Command.CHECK;
    return new Ended(isTaken ? INVALID : FAILED, Optional.of(error));
  }

  private static int exitCode(BootstrapConfig config, Log log)
      throws IOException, InterruptedException {
    return switch (config.command()) {
      case RUN, PIN, HANDOVER -> new BootCommand(config, log, System.out).run();
      case REFRESH -> RefreshCommand.run(config, log, System.out);
      case UNCONFIGURED -> unconfigured(config);
      case CHECK -> new CheckCommand(config, log).run(System.out);
      case STATUS -> StatusCommand.run(config, log, System.out);
      case RESTORE -> RestoreCommand.run(config, log, System.out);
    };
  }

  /** With the addresses of the control planes that are given by name. */
  private static BootstrapConfig lookedUp(BootstrapConfig config, Log log)
      throws InterruptedException {
    Command command = config.command();
    if (config.controlPlaneNames().isEmpty()
        || command == Command.UNCONFIGURED
        || command == Command.RESTORE) {
      return config;
    }
    boolean looksOnly = command == Command.CHECK || command == Command.STATUS;
    Duration patience = looksOnly || isAnyKnown(config) ? Duration.ZERO : LOOK_UP_AGAIN;
    return config.with(
        new NamedControlPlanes(config.stateDir(), log::warn)
            .addresses(
                config.controlPlaneNames(), LOOK_UP, patience, !looksOnly && !config.dryRun()));
  }

  private static boolean isAnyKnown(BootstrapConfig config) {
    // Warnings about the list come from the command that reads it.
    return !new CandidateListStore(config.stateDir(), warning -> {})
        .read(config.controlPlanes())
        .inOrder()
        .isEmpty();
  }

  /**
   * What a unit asks before it starts: only this program knows how its configuration is written. A
   * configuration that is wrong counts as one, so that the unit tells what is wrong with it.
   */
  private static int unconfigured(BootstrapConfig config) {
    if (config.hasControlPlanes()) {
      return FAILED;
    }
    System.out.println("not configured: CONTROL_PLANE is not set");
    return OK;
  }

  /** From the jar's manifest, or from the module that a packaged runtime holds. */
  private static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    ModuleDescriptor module = Main.class.getModule().getDescriptor();
    if (version == null && module != null) {
      version = module.rawVersion().orElse(null);
    }
    return version == null ? "unreleased" : version;
  }
}
