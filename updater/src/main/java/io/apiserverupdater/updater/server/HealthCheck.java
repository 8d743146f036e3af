package io.apiserverupdater.updater.server;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * One line of a health answer.
 *
 * @param name as in {@code [+]name ok}
 * @param live whether the process must be restarted when it fails; else it is only not ready
 * @param failure why it fails; empty when it does not
 */
public record HealthCheck(String name, boolean live, Supplier<Optional<String>> failure) {

  /** A check that the process can do its work at all. */
  public static HealthCheck live(String name, Supplier<Boolean> ok, String failure) {
    return new HealthCheck(name, true, () -> ok.get() ? Optional.empty() : Optional.of(failure));
  }

  /** A check that what the process needs is there. */
  public static HealthCheck ready(String name, Supplier<Optional<String>> failure) {
    return new HealthCheck(name, false, failure);
  }
}
