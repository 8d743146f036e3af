package io.apiserverupdater.updater.kube;

import io.apiserverupdater.updater.endpoints.ObservedState;

/** What came of reading the cluster once. */
public sealed interface ClusterReading {

  /** All of it was read: what is not in the state does not exist. */
  record Read(ObservedState state) implements ClusterReading {}

  /** A part of it could not be read, so that nothing can be said of it. */
  record Unreadable(String why) implements ClusterReading {}
}
