package io.apiserverupdater.updater.export;

import io.apiserverupdater.updater.endpoints.EndpointSlice;
import java.util.List;
import java.util.Optional;

/** Where the servers are listed. Thread-safe. */
public interface ServerSource {

  /** The slices that list them, as they are now; empty until they have been read once. */
  Optional<List<EndpointSlice>> slices();
}
