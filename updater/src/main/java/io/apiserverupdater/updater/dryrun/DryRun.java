package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.Decision;
import io.apiserverupdater.updater.endpoints.DesiredObject;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Endpoints;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.Refusal;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.endpoints.TargetName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the updater would do, compared object by object. Pure: the same state always gives the same
 * report.
 *
 * @param rule the rule that the updater itself follows
 * @param targetKnown whether the target was read from a cluster; without one it is taken as absent
 */
public record DryRun(MirrorRule rule, boolean targetKnown) {

  /** The address that the base manifests give the Service. */
  private static final String CLUSTER_IP = "10.96.0.64";

  private static final String HEADLESS = "None";

  /** kube-proxy passes over slices with one of these labels, whatever its value. */
  private static final List<String> HIDING_LABELS =
      List.of("service.kubernetes.io/headless", "service.kubernetes.io/service-proxy-name");

  /**
   * Compares the target with what is to be published of the source.
   *
   * @param reading what is to be published
   * @param health what the probes say of each member; empty when none was probed
   * @param gate whose word counted
   * @param drained who is drained, and until when
   * @param surroundings what else is known
   */
  public Report compare(
      ObservedState state,
      EndpointsSnapshot.Reading reading,
      Map<Member, MemberHealth> health,
      GateState gate,
      Map<Member, Instant> drained,
      Surroundings surroundings) {
    TargetName target = rule.target();
    Manifests manifests = new Manifests(target);
    List<Comparison> comparisons = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    drained.entrySet().stream()
        .map(it -> "member %s is drained until %s".formatted(it.getKey(), it.getValue()))
        .sorted()
        .forEach(notes::add);
    Set<AddressFamily> families = families(state.source());
    Service service = state.service().orElseGet(() -> needed(families));
    if (state.service().isEmpty()) {
      comparisons.add(
          new Comparison(
              Comparison.Action.AWAIT, Optional.empty(), Optional.of(manifests.of(service))));
      notes.addAll(missing(target, service));
    }
    ObservedState assumed =
        new ObservedState(state.source(), Optional.of(service), state.slices(), state.endpoints());
    List<String> warnings = new ArrayList<>();
    if (reading instanceof EndpointsSnapshot.Usable usable) {
      usable.leftOut().forEach(it -> warnings.add(it.message() + "; " + it.remedy()));
    }
    warnings.addAll(warnings(service, families, gate));
    warnings.addAll(clusterIpWarnings(service, surroundings.serviceRanges()));
    warnings.addAll(certificateWarnings(state.service(), surroundings.certificates()));
    warnings.addAll(ServerClock.warnings(surroundings.clocks()));
    warnings.addAll(hiddenSlices(state));
    warnings.addAll(otherSlices(surroundings));
    if (targetKnown && surroundings.otherSlices().isEmpty()) {
      notes.add(
          "other slices of Service %s were not looked for: endpointslices cannot be listed by label"
              .formatted(target));
    }
    List<Refusal> refusals = new ArrayList<>();
    Decision decision = rule.decide(assumed, reading);
    if (decision instanceof Decision.Refuse refuse) {
      refusals.addAll(refuse.refusals());
    } else if (decision instanceof Decision.Apply apply) {
      comparisons.addAll(comparisons(apply, assumed, reading, manifests));
    }
    return new Report(rule.source(), target, comparisons, health, notes, warnings, refusals);
  }

  private List<String> missing(TargetName target, Service needed) {
    List<String> notes = new ArrayList<>();
    String note =
        targetKnown
            ? "Service %s does not exist, and the updater waits for it; it is shown as required, and"
                + " the rest as if it existed"
            : "no cluster was read, so Service %s and its endpoints count as absent; the updater"
                + " waits for the Service, which is shown as required";
    notes.add(note.formatted(target));
    if (needed.clusterIp().isEmpty()) {
      notes.add(
          "the source has IPv6 addresses only: set spec.clusterIP of the Service to a free address"
              + " of the cluster's IPv6 Service range");
    }
    return notes;
  }

  /** The Service of the base manifests. */
  private Service needed(Set<AddressFamily> families) {
    boolean ipv6Only = families.equals(Set.of(AddressFamily.IPV6));
    return new Service(
        rule.target().service(),
        "ClusterIP",
        Map.of(),
        ipv6Only ? "" : CLUSTER_IP,
        List.of(ipv6Only ? AddressFamily.IPV6 : AddressFamily.IPV4),
        List.of(new Port("https", ApiserverAddress.DEFAULT_PORT, Port.TCP)));
  }

  /** What the rule does not refuse, though no client gets anywhere by it. */
  private List<String> warnings(Service service, Set<AddressFamily> families, GateState gate) {
    List<String> warnings = new ArrayList<>();
    if (gate.isAny(GateState.Mode.FAIL_OPEN)) {
      warnings.add("no member is ready by the updater's probes, so all are published as ready");
    }
    if (gate.isAny(GateState.Mode.HOLD)) {
      warnings.add("no member answers probes from this machine, so the published readiness stays");
    }
    String subject = "Service " + rule.target();
    List<Port> tcp = service.tcpPorts();
    // Both are refused, with reasons that say more.
    if (service.type().equals("ExternalName") || tcp.isEmpty()) {
      return warnings;
    }
    if (service.clusterIp().equals(HEADLESS)) {
      warnings.add(
          subject
              + " is headless (clusterIP None), so kube-proxy has no rules for it; delete it and"
              + " create it with a fixed clusterIP");
    }
    if (tcp.stream().noneMatch(port -> port.port() == ApiserverAddress.DEFAULT_PORT)) {
      warnings.add(
          ("%s has no port %s, only %s; add the port %2$s with protocol TCP, or use another port on"
                  + " the nodes")
              .formatted(
                  subject,
                  ApiserverAddress.DEFAULT_PORT,
                  tcp.stream()
                      .map(port -> Integer.toString(port.port()))
                      .collect(Collectors.joining(", "))));
    }
    if (service.localTrafficOnly()) {
      warnings.add(
          subject
              + " has internalTrafficPolicy Local, so kube-proxy drops its connections on every node"
              + " whose name no endpoint carries, and the apiservers' own slice carries none; set"
              + " spec.internalTrafficPolicy to Cluster");
    }
    if (service.localExternalTrafficOnly()) {
      warnings.add(
          subject
              + " has externalTrafficPolicy Local, so no node accepts connections from outside whose"
              + " name no endpoint carries, and the apiservers' own slice carries none; set"
              + " spec.externalTrafficPolicy to Cluster");
    }
    service
        .primaryFamily()
        .filter(primary -> service.families().size() > 1)
        .filter(primary -> !families.isEmpty() && !families.contains(primary))
        .ifPresent(
            primary ->
                warnings.add(
                    ("the cluster IP %s of %s is %s, but the source has no %3$s endpoint, so"
                            + " connections to it fail; create the Service again with the other"
                            + " family first in spec.ipFamilies")
                        .formatted(service.clusterIp(), subject, primary.addressType())));
    for (AddressFamily family : families) {
      // A server that is too old to tell the families has no say here.
      if (!service.families().isEmpty() && !service.families().contains(family)) {
        warnings.add(
            ("%s has no %s address, but the source has %2$s endpoints, which kube-proxy ignores;"
                    + " add %2$s to spec.ipFamilies")
                .formatted(subject, family.addressType()));
      }
    }
    return warnings;
  }

  /** A cluster IP that the API server does not accept, or gives to another Service first. */
  private List<String> clusterIpWarnings(Service service, List<ServiceRange> ranges) {
    String ip = service.clusterIp();
    if (ranges.isEmpty() || ip.isEmpty() || ip.equals(HEADLESS)) {
      return List.of();
    }
    ServiceRange range = ranges.stream().filter(it -> it.contains(ip)).findFirst().orElse(null);
    if (range == null) {
      return List.of(
          ("the cluster IP %s of Service %s is in none of the cluster's ranges %s; choose a free"
                  + " address in one of them")
              .formatted(ip, rule.target(), ranges.stream().map(ServiceRange::cidr).toList()));
    }
    return range.isStatic(ip)
        ? List.of()
        : List.of(
            ("if Service %s is ever deleted, Kubernetes may give its cluster IP %s to another one;"
                    + " choose one of the first %s addresses of %s")
                .formatted(rule.target(), ip, range.staticBand(), range.cidr()));
  }

  private static List<String> certificateWarnings(
      Optional<Service> service, List<ServingCertificate> certificates) {
    List<String> warnings = new ArrayList<>();
    for (ServingCertificate certificate : certificates) {
      if (certificate.expiresSoon()) {
        warnings.add(
            "the certificate of member %s %s; renew it"
                .formatted(certificate.member(), expiry(certificate.expiresIn())));
      }
    }
    String ip = service.map(Service::clusterIp).filter(it -> !it.equals(HEADLESS)).orElse("");
    List<Member> lacking =
        certificates.stream()
            .filter(certificate -> !ip.isEmpty() && !certificate.isValidFor(ip))
            .map(ServingCertificate::member)
            .toList();
    if (!lacking.isEmpty()) {
      warnings.add(
          ("the certificates of the members %s lack the cluster IP %s; clients that dial the"
                  + " address instead of the name need certificates that contain it")
              .formatted(lacking, ip));
    }
    return warnings;
  }

  private static String expiry(Duration left) {
    if (left.isNegative()) {
      long days = left.negated().toDays();
      return days == 0 ? "has expired" : "expired " + days + " days ago";
    }
    return "expires in " + left.toDays() + " days";
  }

  private List<String> hiddenSlices(ObservedState state) {
    List<String> warnings = new ArrayList<>();
    for (EndpointSlice slice : state.slices().values()) {
      for (String label : HIDING_LABELS) {
        if (slice.labels().containsKey(label)) {
          warnings.add(
              "EndpointSlice %s/%s has the label %s, so kube-proxy passes over it; remove the label"
                  .formatted(rule.target().namespace(), slice.name(), label));
        }
      }
    }
    return warnings;
  }

  /**
   * kube-proxy finds the slices of a Service by their label, whatever their names, and uses those
   * of both families, unless a label hides them.
   */
  private List<String> otherSlices(Surroundings surroundings) {
    TargetName target = rule.target();
    return surroundings.otherSlices().orElse(List.of()).stream()
        .filter(slice -> !slice.endpoints().isEmpty())
        .filter(slice -> AddressFamily.of(slice.addressType()).isPresent())
        .filter(slice -> HIDING_LABELS.stream().noneMatch(slice.labels()::containsKey))
        .map(
            slice ->
                ("EndpointSlice %s/%s, managed by %s, belongs to Service %s too, so kube-proxy also"
                        + " uses its addresses %s; stop its writer and delete it: kubectl -n %1$s"
                        + " delete endpointslice %2$s")
                    .formatted(
                        target.namespace(),
                        slice.name(),
                        slice.managedBy().orElse("nobody"),
                        target,
                        slice.endpoints().stream().map(Endpoint::address).sorted().toList()))
        .toList();
  }

  private Set<AddressFamily> families(List<EndpointSlice> source) {
    Set<AddressFamily> families = EnumSet.noneOf(AddressFamily.class);
    if (rule.read(source) instanceof EndpointsSnapshot.Usable usable) {
      families.addAll(usable.snapshot().members().keySet());
      families.addAll(usable.unknown());
    }
    return families;
  }

  private List<Comparison> comparisons(
      Decision.Apply apply,
      ObservedState state,
      EndpointsSnapshot.Reading reading,
      Manifests manifests) {
    Map<String, DesiredObject.Slice> created = createdAfterDeletes(apply, state, reading);
    List<Comparison> comparisons = new ArrayList<>();
    for (Change change : apply.changes()) {
      if (change instanceof Change.DeleteSlice delete) {
        Optional<Manifest> live =
            state.slices().values().stream()
                .filter(slice -> slice.name().equals(delete.name()))
                .findFirst()
                .map(manifests::of);
        Optional<Manifest> merged =
            Optional.ofNullable(created.get(delete.name()))
                .map(desired -> manifests.of(desired, Map.of()));
        comparisons.add(
            new Comparison(
                merged.isPresent() ? Comparison.Action.REPLACE : Comparison.Action.DELETE,
                live,
                merged));
      } else {
        Comparison.Action action =
            change instanceof Change.Create ? Comparison.Action.CREATE : Comparison.Action.UPDATE;
        comparisons.add(compare(action, change.desired().orElseThrow(), state, manifests));
      }
    }
    return comparisons;
  }

  private static Comparison compare(
      Comparison.Action action, DesiredObject desired, ObservedState state, Manifests manifests) {
    if (desired instanceof DesiredObject.Slice slice) {
      Optional<EndpointSlice> live = Optional.ofNullable(state.slices().get(slice.family()));
      return new Comparison(
          action,
          live.map(manifests::of),
          Optional.of(manifests.of(slice, live.map(EndpointSlice::labels).orElse(Map.of()))));
    }
    Optional<Endpoints> live = state.endpoints();
    return new Comparison(
        action,
        live.map(manifests::of),
        Optional.of(
            manifests.of(
                (DesiredObject.LegacyEndpoints) desired,
                live.map(Endpoints::labels).orElse(Map.of()))));
  }

  /**
   * The slices that the rule creates once its deletions are done: a slice of the wrong address type
   * goes first and comes back in a second pass, which a person wants to see as one change.
   */
  private Map<String, DesiredObject.Slice> createdAfterDeletes(
      Decision.Apply apply, ObservedState state, EndpointsSnapshot.Reading reading) {
    Set<String> deleted =
        apply.changes().stream()
            .filter(Change.DeleteSlice.class::isInstance)
            .map(change -> ((Change.DeleteSlice) change).name())
            .collect(Collectors.toSet());
    if (deleted.isEmpty()) {
      return Map.of();
    }
    Map<AddressFamily, EndpointSlice> left = new HashMap<>(state.slices());
    left.values().removeIf(slice -> deleted.contains(slice.name()));
    ObservedState after =
        new ObservedState(state.source(), state.service(), left, state.endpoints());
    if (!(rule.decide(after, reading) instanceof Decision.Apply next)) {
      return Map.of();
    }
    return next.changes().stream()
        .flatMap(change -> change.desired().stream())
        .filter(DesiredObject.Slice.class::isInstance)
        .map(DesiredObject.Slice.class::cast)
        .filter(slice -> deleted.contains(slice.name()))
        .collect(Collectors.toMap(DesiredObject.Slice::name, slice -> slice));
  }
}
