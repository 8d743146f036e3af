package io.apiserverupdater.compat;

/** What is known of something that the project may run on. */
enum State {
  /** Every core test ran and passed. */
  TESTED("tested"),
  /** Nothing failed, but not every core test ran. */
  EXPECTED("expected"),
  /** A core test failed. */
  NOT("not");

  private final String word;

  State(String word) {
    this.word = word;
  }

  /** As the page has it. */
  String word() {
    return word;
  }
}
