package io.apiserverupdater.updater.dryrun;

import java.util.Optional;

/**
 * One object that differs from its desired state.
 *
 * @param live the object as it is; empty when it is not there
 * @param merged the object as it would be; empty when it would be deleted
 */
public record Comparison(Action action, Optional<Manifest> live, Optional<Manifest> merged) {

  /** What would happen to the object. */
  public enum Action {
    /** The updater would create it. */
    CREATE,
    /** The updater would update it. */
    UPDATE,
    /** The updater would delete it. */
    DELETE,
    /**
     * The updater would delete it and create it again, because a field differs that is immutable.
     */
    REPLACE,
    /** A person must create it: the updater waits for it. */
    AWAIT
  }

  public Comparison {
    if (live.isEmpty() && merged.isEmpty()) {
      throw new IllegalArgumentException("an object that neither is there nor would be");
    }
  }

  /** The object in the state that is known: as it would be, or else as it is. */
  Manifest object() {
    return merged.or(() -> live).orElseThrow();
  }

  /** The object as it is, as YAML; empty when it is not there. */
  public Optional<String> liveText() {
    return live.map(manifest -> YamlRenderer.text(manifest.fields()));
  }

  /** The object as it would be, as YAML; empty when it would be deleted. */
  public Optional<String> mergedText() {
    return merged.map(manifest -> YamlRenderer.text(manifest.fields()));
  }
}
