package io.apiserverupdater.updater;

import io.apiserverupdater.updater.configuration.UpdaterConfig;
import io.apiserverupdater.updater.log.JsonStream;
import io.apiserverupdater.updater.log.StampedStream;
import java.time.Clock;

/** Sets slf4j-simple up; before the first logger is made. */
final class Logging {
  private Logging() {}

  /**
   * Sets it up.
   *
   * @param mode what the program does, or which mode a command is like
   */
  static void configure(UpdaterConfig.Mode mode, boolean verbose, UpdaterConfig.LogFormat format) {
    // A dry run speaks by its output; its log tells only of trouble.
    String level = verbose ? "debug" : mode == UpdaterConfig.Mode.DRY_RUN ? "warn" : "info";
    set("defaultLogLevel", "warn");
    set("log.io.apiserverupdater", level);
    if (mode == UpdaterConfig.Mode.DRY_RUN && !verbose) {
      // Its output says of each member how it is.
      set("log.io.apiserverupdater.updater.readiness", "error");
    }
    set("logFile", "System.err");
    if (format == UpdaterConfig.LogFormat.JSON) {
      System.setErr(new JsonStream(System.err, Clock.systemUTC()));
    } else if (mode == UpdaterConfig.Mode.RUN) {
      System.setErr(new StampedStream(System.err, Clock.systemUTC()));
    }
    set("showThreadName", "false");
    set("showShortLogName", "true");
  }

  private static void set(String key, String value) {
    // What was given with -D on the command line stands.
    if (System.getProperty("org.slf4j.simpleLogger." + key) == null) {
      System.setProperty("org.slf4j.simpleLogger." + key, value);
    }
  }
}
