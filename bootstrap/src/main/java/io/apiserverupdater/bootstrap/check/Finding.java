package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.apiserver.printing.Printable;
import java.util.Locale;
import java.util.Optional;

/**
 * One line of the report.
 *
 * @param subject what was examined, in a word or two
 * @param message what was found
 * @param advice what to do about it; there is none when all is well
 */
public record Finding(Level level, String subject, String message, Optional<String> advice) {
  /** What was found may be the text of a pod, and must not pass for a finding of its own. */
  public Finding {
    subject = Printable.line(subject);
    message = Printable.line(message);
    advice = advice.map(Printable::line);
  }

  /** How bad it is. */
  public enum Level {
    /** As it should be. */
    OK,
    /** It works, for now or in part; or it could not be found out. */
    WARN,
    /** The node does not work as meant, or will not after its next boot. */
    FAIL;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
