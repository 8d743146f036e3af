package io.apiserverupdater.updater.leaderelection;

import java.time.Duration;
import java.util.Optional;

/** The Lease in the API server. Safe for use by several threads. */
public interface LeaseLock {

  /**
   * What was last seen of the Lease, by the watch or by this process' own calls.
   *
   * @return {@link Sight.Unknown} until the first answer
   */
  Sight sight();

  /** Reads the Lease from the API server, at most for the given time. */
  Outcome read(Duration timeout);

  /** Creates the Lease, at most for the given time. */
  Outcome create(LeaseRecord leaseRecord, Duration timeout);

  /** Writes the Lease if it still is at the given version, at most for the given time. */
  Outcome update(LeaseRecord leaseRecord, String resourceVersion, Duration timeout);

  /** Calls the listener, briefly and from any thread, whenever {@link #sight} has changed. */
  void onChange(Runnable listener);

  /** What is known of the Lease. */
  sealed interface Sight {
    /** No answer yet. */
    record Unknown() implements Sight {}

    /** The API server says that it does not exist. */
    record Absent() implements Sight {}

    /** It exists. */
    record Present(ObservedLease lease) implements Sight {}

    /** The Lease, if it is known to exist. */
    default Optional<ObservedLease> observed() {
      return this instanceof Present present ? Optional.of(present.lease()) : Optional.empty();
    }
  }

  /** How a call ended. */
  sealed interface Outcome {
    /** The API server has answered, and {@link #sight} says what. */
    record Done() implements Outcome {}

    /** Somebody else wrote first; {@link #sight} may be old. */
    record Conflict() implements Outcome {}

    /** The server will say no again until a person changes something: 401, 403, 422. */
    record Rejected(String reason) implements Outcome {}

    /** No answer, or an error. A write may have landed all the same. */
    record Failed(String reason) implements Outcome {}
  }
}
