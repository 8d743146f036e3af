package io.apiserverupdater.updater.endpoints;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The input of a decision.
 *
 * @param source the slices of the source Service
 * @param service the target Service, where it exists
 * @param slices the slices under our names, where they exist
 * @param endpoints the target's Endpoints object, where it exists
 */
public record ObservedState(
    List<EndpointSlice> source,
    Optional<Service> service,
    Map<AddressFamily, EndpointSlice> slices,
    Optional<Endpoints> endpoints) {

  public ObservedState {
    source = List.copyOf(source);
    slices = AddressFamily.inOrder(slices);
  }
}
