package io.apiserverupdater.updater.controller;

import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.ObservedState;
import java.time.Duration;
import java.util.Optional;

/** The source and the target in the API server. Safe for use by several threads. */
public interface EndpointsClient {
  /** No write needs more time than this, whatever apiservers it has to ask. */
  Duration LONGEST_WRITE = Duration.ofSeconds(3);

  /**
   * The state as far as it is known, by watches and by the answers to our own writes.
   *
   * @return empty while a part of it has never been read
   */
  Optional<ObservedState> observed();

  /**
   * Carries out one change. Never throws; a write of ours is visible in {@link #observed} after.
   *
   * @param timeout after it no apiserver is asked any more
   */
  WriteResult apply(Change change, Duration timeout);

  /**
   * Reads the target again, past the watches: after a conflict, or when a write may have landed.
   */
  void reread();

  /** Calls the listener, briefly and from any thread, whenever {@link #observed} has changed. */
  void onChange(Runnable listener);

  /** How a write ended. */
  sealed interface WriteResult {
    /** The API server has accepted it. */
    record Written() implements WriteResult {}

    /** The object is not the one that was compared. */
    record Conflict() implements WriteResult {}

    /** It was not carried out, as far as is known. */
    sealed interface NotWritten extends WriteResult {
      String reason();

      /** For logs. */
      default String describe(Change change) {
        return "could not " + change.describe() + ": " + reason();
      }
    }

    /**
     * No answer, or an error that may pass.
     *
     * @param retryAfter what the server asked for, if it did
     */
    record Failed(String reason, Optional<Duration> retryAfter) implements NotWritten {}

    /** The server will say no again until a person changes something: 401, 403, 422. */
    record Rejected(String reason) implements NotWritten {}
  }
}
