package io.apiserverupdater.bootstrap.state;

import java.util.Optional;

/** Remembers from one run to the next what was done to the name last. */
public interface BootMemory {
  /** Knows nothing and keeps nothing. */
  BootMemory NONE =
      new BootMemory() {
        @Override
        public Optional<BootState> read() {
          return Optional.empty();
        }

        @Override
        public void keep(BootState state) {}
      };

  /** What was kept last; empty when there is nothing that can be read. */
  Optional<BootState> read();

  /** Keeps a state. Nothing that goes wrong stops the boot. */
  void keep(BootState state);

  /** The same, but what {@code restore} has kept by then stands. */
  default void keepUnlessUnpinned(BootState state) {
    if (!isUnpinned()) {
      keep(state);
    }
  }

  /**
   * Whether a person has ended it, with {@code restore}; nothing but {@code pin} starts it again.
   */
  default boolean isUnpinned() {
    return read().filter(state -> state.phase() == BootPhase.UNPINNED).isPresent();
  }
}
