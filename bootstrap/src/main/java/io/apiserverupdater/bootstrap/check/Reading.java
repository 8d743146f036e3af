package io.apiserverupdater.bootstrap.check;

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
}
