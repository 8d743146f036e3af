package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.updater.endpoints.EndpointSlice;
import java.util.List;
import java.util.Optional;

/**
 * What a dry run looks at beside the state that the rule decides on.
 *
 * @param otherSlices the slices with the target Service's label that are not the updater's; empty
 *     where they could not be listed
 * @param serviceRanges the ranges of cluster IPs; empty where they are not known
 * @param certificates those that members have shown
 * @param clocks those of the members that have told the time
 */
public record Surroundings(
    Optional<List<EndpointSlice>> otherSlices,
    List<ServiceRange> serviceRanges,
    List<ServingCertificate> certificates,
    List<ServerClock> clocks) {

  /** Nothing is known. */
  public static final Surroundings UNKNOWN =
      new Surroundings(Optional.empty(), List.of(), List.of(), List.of());

  public Surroundings {
    otherSlices = otherSlices.map(List::copyOf);
    serviceRanges = List.copyOf(serviceRanges);
    certificates = List.copyOf(certificates);
    clocks = List.copyOf(clocks);
  }

  /** The same, with what members have shown. */
  public Surroundings with(List<ServingCertificate> shown, List<ServerClock> told) {
    return new Surroundings(otherSlices, serviceRanges, shown, told);
  }
}
