package io.apiserverupdater.updater.leaderelection;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The Lease in a model of the API server, and each participant's view of it. It has the manners of
 * the real one: a write must name the stored version, an answer may be lost, and a view is old
 * until a watch or a call renews it. Not thread-safe, unless only one participant uses it.
 */
final class ModelLease {

  /** What happens to a call. */
  enum Fault {
    NONE,
    /** The request never arrives. */
    REQUEST_LOST,
    /** It arrives and the answer does not. */
    ANSWER_LOST,
    /** The server says no. */
    FORBIDDEN,
    /** The caller has given up long before the request arrives. */
    REQUEST_LATE
  }

  private record LateWrite(LeaseRecord leaseRecord, long version) {}

  private final LongSupplier clock;
  private final List<LateWrite> late = new ArrayList<>();
  private Optional<LeaseRecord> stored = Optional.empty();
  private long version = 1;

  ModelLease(LongSupplier clock) {
    this.clock = clock;
  }

  Optional<LeaseRecord> stored() {
    return stored;
  }

  String holder() {
    return stored.map(LeaseRecord::holder).orElse("");
  }

  /** Somebody writes the Lease without asking anybody. */
  void put(LeaseRecord leaseRecord) {
    stored = Optional.of(leaseRecord);
    version++;
  }

  /** Somebody writes the Lease's metadata: only its version changes. */
  void touch() {
    version++;
  }

  void delete() {
    stored = Optional.empty();
    version++;
  }

  /** The requests that were thought lost arrive now. */
  void deliverLateWrites() {
    late.forEach(write -> compareAndStore(write.leaseRecord(), write.version()));
    late.clear();
  }

  private boolean compareAndStore(LeaseRecord leaseRecord, long expected) {
    if (stored.isEmpty() || version != expected) {
      return false;
    }
    put(leaseRecord);
    return true;
  }

  /** The Lease as one participant sees it. */
  final class View implements LeaseLock {
    final List<String> calls = new ArrayList<>();
    final List<Duration> timeouts = new ArrayList<>();
    Supplier<Fault> fault = () -> Fault.NONE;

    /** Reads show no Lease, whether there is one or not. */
    boolean listsNothing;

    Runnable onTheWay = () -> {};
    Runnable onTheWayBack = () -> {};

    private Sight sight = new Sight.Unknown();
    private Runnable listener = () -> {};

    /** The watch catches up. */
    void catchUp() {
      look();
      listener.run();
    }

    private void look() {
      if (stored.isEmpty() || listsNothing) {
        sight = new Sight.Absent();
        return;
      }
      LeaseRecord leaseRecord = stored.get();
      long since =
          sight
              .observed()
              .filter(before -> before.leaseRecord().equals(leaseRecord))
              .map(ObservedLease::since)
              .orElseGet(clock::getAsLong);
      sight = new Sight.Present(new ObservedLease(leaseRecord, Long.toString(version), since));
    }

    @Override
    public Sight sight() {
      return sight;
    }

    @Override
    public Outcome read(Duration timeout) {
      return call("read", timeout, () -> true, () -> {});
    }

    @Override
    public Outcome create(LeaseRecord leaseRecord, Duration timeout) {
      return call(
          "create",
          timeout,
          () -> {
            if (stored.isPresent()) {
              return false;
            }
            put(leaseRecord);
            return true;
          },
          () -> {});
    }

    @Override
    public Outcome update(LeaseRecord leaseRecord, String resourceVersion, Duration timeout) {
      long expected = Long.parseLong(resourceVersion);
      return call(
          leaseRecord.isUnheld() ? "release" : "update",
          timeout,
          () -> compareAndStore(leaseRecord, expected),
          () -> late.add(new LateWrite(leaseRecord, expected)));
    }

    private Outcome call(
        String name, Duration timeout, Supplier<Boolean> arrival, Runnable lateArrival) {
      calls.add(name);
      timeouts.add(timeout);
      Fault what = fault.get();
      onTheWay.run();
      if (what == Fault.REQUEST_LOST || what == Fault.REQUEST_LATE) {
        if (what == Fault.REQUEST_LATE) {
          lateArrival.run();
        }
        return new Outcome.Failed("no answer to " + name);
      }
      if (what == Fault.FORBIDDEN) {
        return new Outcome.Rejected("403 for " + name);
      }
      boolean accepted = arrival.get();
      onTheWayBack.run();
      if (what == Fault.ANSWER_LOST) {
        return new Outcome.Failed("the answer to " + name + " was lost");
      }
      if (!accepted) {
        return new Outcome.Conflict();
      }
      look();
      return new Outcome.Done();
    }

    @Override
    public void onChange(Runnable whenChanged) {
      listener = whenChanged;
    }
  }
}
