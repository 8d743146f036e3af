package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.updater.endpoints.EndpointSlice;
import java.util.List;
import java.util.Optional;

/**
 * What a dry run looks at beside the state that the rule decides on.
 *
 * @param otherSlices the slices with the target Service's label that are not the updater's; empty
 *     where they could not be listed
 */
public record Surroundings(Optional<List<EndpointSlice>> otherSlices) {

  /** Nothing is known. */
  public static final Surroundings UNKNOWN = new Surroundings(Optional.empty());

  public Surroundings {
    otherSlices = otherSlices.map(List::copyOf);
  }
}
