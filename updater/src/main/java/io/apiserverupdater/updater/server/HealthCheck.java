package io.apiserverupdater.updater.server;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * One line of a health answer.
 *
 * @param name as in {@code [+]name ok}
 * @param live whether the process must be restarted when it fails; else it is only not ready
 * @param failure why it fails; empty when it does not
 * @param detail what else there is to say; empty for nothing
 */
public record HealthCheck(
    String name, boolean live, Supplier<Optional<String>> failure, Supplier<String> detail) {

  /** A check that the process can do its work at all. */
  public static HealthCheck live(String name, Supplier<Boolean> ok, String failure) {
    return new HealthCheck(
        name, true, () -> ok.get() ? Optional.empty() : Optional.of(failure), () -> "");
  }

  /** A check that what the process needs is there. */
  public static HealthCheck ready(String name, Supplier<Optional<String>> failure) {
    return new HealthCheck(name, false, failure, () -> "");
  }

  /** This check with something more to say when it is well. */
  public HealthCheck saying(Supplier<String> more) {
    return new HealthCheck(name, live, failure, more);
  }
}
