package io.apiserverupdater.updater.endpoints;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The main rule: the target's endpoints are the source's. Pure: the same state always gives the
 * same decision.
 *
 * @param source NAMESPACE/NAME of the source Service, for messages
 * @param target the Service whose endpoints are written
 * @param writeEndpoints whether the v1 Endpoints object is written too
 */
public record MirrorRule(String source, TargetName target, boolean writeEndpoints) {

  /** Who we are, in the label that names a slice's writer. */
  public static final String MANAGER = "apiserver-updater";

  /** What the slices of the source amount to. An empty source is refused, never mirrored. */
  public EndpointsSnapshot.Reading read(List<EndpointSlice> slices) {
    EndpointsSnapshot.Reading reading = EndpointsSnapshot.of(source, slices);
    return reading instanceof EndpointsSnapshot.Usable usable
            && usable.snapshot().members().isEmpty()
        ? new EndpointsSnapshot.Unusable(List.of(Refusal.emptySource(source)))
        : reading;
  }

  /**
   * Decides.
   *
   * @param reading what is to be published: what {@link #read} says, or what the gate makes of it
   */
  public Decision decide(ObservedState state, EndpointsSnapshot.Reading reading) {
    List<Refusal> refusals = new ArrayList<>();
    if (reading instanceof EndpointsSnapshot.Unusable unusable) {
      refusals.addAll(unusable.refusals());
    }
    Service service = state.service().orElse(null);
    if (service == null) {
      refusals.add(Refusal.missingService(target));
    } else {
      refusals.addAll(objections(service));
    }
    state.slices().forEach((family, slice) -> refusals.addAll(objections(family, slice)));
    if (service == null
        || !refusals.isEmpty()
        || !(reading instanceof EndpointsSnapshot.Usable usable)) {
      return new Decision.Refuse(refusals);
    }
    EndpointsSnapshot snapshot = usable.snapshot();
    List<Change> changes = new ArrayList<>();
    for (AddressFamily family : AddressFamily.values()) {
      if (!usable.unknown().contains(family)) {
        sliceChange(snapshot, service, family, state).ifPresent(changes::add);
      }
    }
    // The object holds one family only.
    AddressFamily held = service.primaryFamily().orElse(AddressFamily.IPV4);
    if (writeEndpoints && !usable.unknown().contains(held)) {
      endpointsChange(snapshot, service, state).ifPresent(changes::add);
    }
    return changes.isEmpty()
        ? new Decision.UpToDate(snapshot)
        : new Decision.Apply(snapshot, changes);
  }

  private List<Refusal> objections(Service service) {
    List<Refusal> refusals = new ArrayList<>();
    if (service.type().equals("ExternalName")) {
      refusals.add(Refusal.externalName(target));
      return refusals;
    }
    if (!service.selector().isEmpty()) {
      refusals.add(Refusal.selector(target, service.selector()));
    }
    if (service.tcpPorts().isEmpty()) {
      refusals.add(Refusal.noTcpPort(target));
    }
    return refusals;
  }

  private List<Refusal> objections(AddressFamily family, EndpointSlice slice) {
    if (slice.managedBy().isPresent() && !slice.managedBy().get().equals(MANAGER)) {
      return List.of(Refusal.foreignSlice(target, slice, MANAGER));
    }
    if (slice.serviceName().isPresent() && !slice.serviceName().get().equals(target.service())) {
      return List.of(Refusal.sliceOfOtherService(target, slice));
    }
    if (slice.managedBy().isEmpty() && !slice.addressType().equals(family.addressType())) {
      // It would have to be deleted, and somebody has made it.
      return List.of(Refusal.sliceOfOtherAddressType(target, slice, family));
    }
    return List.of();
  }

  private Optional<Change> sliceChange(
      EndpointsSnapshot snapshot, Service service, AddressFamily family, ObservedState state) {
    EndpointsSnapshot.Members members = snapshot.members().get(family);
    EndpointSlice current = state.slices().get(family);
    if (members == null) {
      // A slice that carries our name but not our label was made by a person: it stays.
      return Optional.ofNullable(current)
          .filter(slice -> slice.managedBy().isPresent())
          .map(slice -> new Change.DeleteSlice(slice.name(), slice.resourceVersion()));
    }
    DesiredObject.Slice desired =
        new DesiredObject.Slice(
            target.slice(family),
            family,
            Map.of(
                EndpointSlice.SERVICE_NAME_LABEL,
                target.service(),
                EndpointSlice.MANAGED_BY_LABEL,
                MANAGER),
            endpointPorts(service, members.port()),
            members.endpoints());
    if (current == null) {
      return Optional.of(new Change.Create(desired));
    }
    if (!current.addressType().equals(family.addressType())) {
      // The address type of a slice cannot be changed: it is created again once it is gone.
      return Optional.of(new Change.DeleteSlice(current.name(), current.resourceVersion()));
    }
    boolean same =
        containsAll(current.labels(), desired.labels())
            && sameElements(current.ports(), desired.ports())
            && sameElements(current.endpoints(), desired.endpoints())
            && current.verbatim().isEmpty();
    return same
        ? Optional.empty()
        : Optional.of(new Change.Update(desired, current.resourceVersion()));
  }

  private Optional<Change> endpointsChange(
      EndpointsSnapshot snapshot, Service service, ObservedState state) {
    EndpointsSnapshot.Members members =
        service
            .primaryFamily()
            .flatMap(family -> Optional.ofNullable(snapshot.members().get(family)))
            .orElseGet(() -> snapshot.members().values().iterator().next());
    DesiredObject.LegacyEndpoints desired =
        new DesiredObject.LegacyEndpoints(
            target.service(),
            // Without it the controller-manager would mirror this object beside our slices.
            Map.of(Endpoints.SKIP_MIRROR_LABEL, "true"),
            new Endpoints.Subset(
                // v1 Endpoints has no zone.
                members.endpoints().stream()
                    .map(
                        endpoint ->
                            new Endpoint(
                                endpoint.address(),
                                endpoint.ready(),
                                endpoint.nodeName(),
                                Optional.empty()))
                    .toList(),
                endpointPorts(service, members.port())));
    Endpoints current = state.endpoints().orElse(null);
    if (current == null) {
      return Optional.of(new Change.Create(desired));
    }
    boolean same =
        containsAll(current.labels(), desired.labels())
            && current.subsets().equals(List.of(desired.subset()))
            && current.verbatim().isEmpty();
    return same
        ? Optional.empty()
        : Optional.of(new Change.Update(desired, current.resourceVersion()));
  }

  /** One endpoint port for each TCP port of the Service: kube-proxy pairs them by name. */
  private static List<Port> endpointPorts(Service service, int number) {
    return service.tcpPorts().stream()
        .map(port -> new Port(port.name(), number, Port.TCP))
        .toList();
  }

  private static boolean containsAll(Map<String, String> labels, Map<String, String> wanted) {
    return labels.entrySet().containsAll(wanted.entrySet());
  }

  private static <T> boolean sameElements(List<T> a, List<T> b) {
    return a.size() == b.size() && new HashSet<>(a).equals(new HashSet<>(b));
  }
}
