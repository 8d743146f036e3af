package io.apiserverupdater.updater.events;

import java.time.Duration;
import java.util.Optional;

/** Where events are published. For one thread. */
public interface EventSink {

  /** What the events are about: its uid, "" if there is none; empty while that is not known. */
  Optional<String> subject();

  /**
   * Publishes a series that was not published before. Never throws.
   *
   * @param timeout after it no apiserver is asked any more
   */
  Outcome create(EventSeries series, Duration timeout);

  /**
   * Replaces what was published of a series: by its {@link EventSeries#first} it is known. Never
   * throws.
   */
  Outcome update(EventSeries series, Duration timeout);

  /** How a call ended. */
  sealed interface Outcome {
    record Done() implements Outcome {}

    /**
     * What was to be replaced is not there any more: the API server forgets Events after a while.
     */
    record Gone() implements Outcome {}

    /** No answer, or an error that may pass. */
    record Failed(String reason) implements Outcome {}

    /** The server will say no again until a person changes something. */
    record Rejected(String reason) implements Outcome {}
  }
}
