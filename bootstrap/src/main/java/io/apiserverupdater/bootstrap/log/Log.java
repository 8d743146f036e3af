package io.apiserverupdater.bootstrap.log;

import io.apiserverupdater.apiserver.printing.Printable;
import java.io.PrintStream;

/**
 * Plain lines of {@code key=value}. The journal stamps them; under systemd each begins with its
 * priority, which the journal takes off again (sd-daemon(3)). Thread-safe.
 *
 * @param priorities whether the lines go to the journal
 */
public record Log(PrintStream out, boolean priorities) {
  private static final String ERROR = "<3>";
  private static final String WARNING = "<4>";
  private static final String INFO = "<6>";

  public void info(String line) {
    print(INFO, line);
  }

  /** Something that a person should look at. */
  public void warn(String line) {
    print(WARNING, priorities ? line : "warning: " + line);
  }

  /** Why the program ends without having done what it was asked. */
  public void error(String message) {
    print(ERROR, "error: " + message);
  }

  private void print(String priority, String line) {
    // One write, so that lines of two threads do not mix.
    out.print((priorities ? priority : "") + Printable.line(line) + "\n");
    out.flush();
  }
}
