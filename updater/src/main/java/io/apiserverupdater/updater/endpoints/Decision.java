package io.apiserverupdater.updater.endpoints;

import java.util.List;

/** The decision about the target. */
public sealed interface Decision {

  /** Nothing differs: nothing is written. */
  record UpToDate(EndpointsSnapshot snapshot) implements Decision {}

  /** These writes, in this order: what kube-proxy reads comes first. */
  record Apply(EndpointsSnapshot snapshot, List<Change> changes) implements Decision {
    public Apply {
      changes = List.copyOf(changes);
    }

    /** The writes that connections depend on. */
    public List<Change> slices() {
      return changes.stream().filter(Change::isOfSlice).toList();
    }

    /** The writes for people and old tools. */
    public List<Change> others() {
      return changes.stream().filter(change -> !change.isOfSlice()).toList();
    }
  }

  /** Nothing may be written, for all of these reasons. */
  record Refuse(List<Refusal> refusals) implements Decision {
    public Refuse {
      refusals = List.copyOf(refusals);
    }
  }
}
