package io.apiserverupdater.bootstrap.boot;

/** Remembers what was done last. */
public interface StateKeeper {

  /** Keeps a state; what goes wrong is logged and stops nothing. */
  void keep(BootState state);
}
