package io.apiserverupdater.bootstrap.check;

import java.util.function.Function;

/** One thing about the node: known, or not and why. */
public sealed interface Reading<T> {

  /** What it is. */
  record Known<T>(T value) implements Reading<T> {}

  /**
   * It could not be found out.
   *
   * @param reason a sentence part for a person
   */
  record Unknown<T>(String reason) implements Reading<T> {}

  /** What follows from it; as little known as this. */
  default <R> Reading<R> then(Function<T, Reading<R>> next) {
    if (this instanceof Known<T> known) {
      return next.apply(known.value());
    }
    return new Unknown<>(((Unknown<T>) this).reason());
  }
}
