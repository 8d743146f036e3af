package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.time.Duration;

/** Told of calls to apiservers and of watches. Safe for use by several threads; returns at once. */
public interface ApiObserver {

  /** For who is not interested. */
  ApiObserver NONE =
      new ApiObserver() {
        @Override
        public void called(ServerAddress server, Result result, Duration took) {}

        @Override
        public void watchEnded(String resource, WatchEnd end) {}
      };

  /** How one server has answered one call. */
  enum Result {
    /** 2xx. */
    OK,
    /** 409: somebody else has written in between. */
    CONFLICT,
    /** 429: the server asks to be spared. */
    BUSY,
    /** Another 4xx. */
    REJECTED,
    /** 5xx. */
    FAILED,
    /** None came in time. */
    NO_ANSWER;

    static Result of(int status) {
      return switch (status) {
        case 409 -> CONFLICT;
        case 429 -> BUSY;
        default -> status < 300 ? OK : status < 500 ? REJECTED : FAILED;
      };
    }
  }

  /** How a list and the watch that follows it ended. */
  enum WatchEnd {
    /** In order: the server ends each after some minutes, and some move to a better server. */
    ENDED,
    /** The connection was lost, or no server could be reached. */
    BROKEN,
    /** A server has said no, or what makes no sense. */
    FAILED
  }

  /**
   * One server has been asked once.
   *
   * @param took until the answer was there, or was given up; of a watch, until it was open
   */
  void called(ServerAddress server, Result result, Duration took);

  /**
   * A watch has ended, and another one follows.
   *
   * @param resource in plural, for example {@code endpointslices}
   */
  void watchEnded(String resource, WatchEnd end);
}
