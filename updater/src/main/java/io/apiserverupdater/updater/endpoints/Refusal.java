package io.apiserverupdater.updater.endpoints;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Why nothing is written, in words for the person who can change it.
 *
 * @param reason one CamelCase word, stable: for logs, Events and metrics
 * @param message what was found, and what was expected
 * @param remedy what to do
 */
public record Refusal(String reason, String message, String remedy) {

  /** All of it, in one sentence. */
  public String sentence() {
    return "%s: %s; %s".formatted(reason, message, remedy);
  }

  static Refusal emptySource(String source) {
    int slash = source.indexOf('/');
    String namespace = source.substring(0, Math.max(0, slash));
    return new Refusal(
        "EmptySource",
        "the source " + source + " has no endpoint",
        ("nothing is written, so the last good state stays; if no listed apiserver works, check"
                + " the apiservers' logs and etcd; if kubectl get endpointslices -n %1$s -l"
                + " %2$s=%3$s shows none named %3$s but one of another name, remove resourceNames"
                + " from the updater's Role in namespace %1$s, so that it may find slices by their"
                + " label")
            .formatted(namespace, EndpointSlice.SERVICE_NAME_LABEL, source.substring(slash + 1)));
  }

  static Refusal sourcePort(String source, String slice, List<Port> candidates) {
    return new Refusal(
        "SourcePortUnclear",
        "slice %s of the source %s has %s TCP ports to choose from, expected one, or one named https"
            .formatted(slice, source, candidates.size()),
        "set --source to a Service whose slices have one TCP port, or one named https");
  }

  static Refusal differentSourcePorts(
      String source, AddressFamily family, Collection<Integer> ports) {
    return new Refusal(
        "SourcePortsDiffer",
        "the %s slices of the source %s have different port numbers %s, expected one"
            .formatted(family.addressType(), source, ports),
        "give all apiservers the same --secure-port");
  }

  static Refusal unusableAddresses(String source, EndpointSlice slice, AddressFamily family) {
    return new Refusal(
        "UnusableAddress",
        "slice %s of the source %s lists %s, expected %s addresses"
            .formatted(
                slice.name(),
                source,
                slice.endpoints().stream()
                    .map(Endpoint::address)
                    .filter(address -> !family.contains(address))
                    .toList(),
                family.addressType()),
        ("these members are left out, and if the source has no other %s member, the slice of that"
                + " family stays as it is; correct --advertise-address of their apiservers, without"
                + " leading zeros")
            .formatted(family.addressType()));
  }

  static Refusal missingService(TargetName target) {
    return new Refusal(
        "MissingService",
        "Service " + target + " does not exist",
        "create it, for example with deploy/kustomize/base; the updater waits for it");
  }

  static Refusal selector(TargetName target, Map<String, String> selector) {
    return new Refusal(
        "ServiceHasSelector",
        ("Service %s has the selector %s, so Kubernetes itself writes its endpoints; expected a"
                + " Service without a selector")
            .formatted(target, selector),
        ("remove spec.selector from it and then the slices that Kubernetes leaves behind (kubectl -n"
                + " %s delete endpointslices -l %s=%s,%s=endpointslice-controller.k8s.io), or"
                + " choose another Service with --service")
            .formatted(
                target.namespace(),
                EndpointSlice.SERVICE_NAME_LABEL,
                target.service(),
                EndpointSlice.MANAGED_BY_LABEL));
  }

  static Refusal externalName(TargetName target) {
    return new Refusal(
        "ServiceIsExternalName",
        "Service " + target + " is of type ExternalName, which has no endpoints",
        "make it a ClusterIP Service, or choose another one with --service");
  }

  static Refusal noTcpPort(TargetName target) {
    return new Refusal(
        "ServiceWithoutTcpPort",
        "Service " + target + " has no TCP port",
        "add port 6443 with protocol TCP");
  }

  static Refusal foreignSlice(TargetName target, EndpointSlice slice, String manager) {
    return new Refusal(
        "ForeignSlice",
        "EndpointSlice %s/%s is managed by %s, expected %s"
            .formatted(
                target.namespace(), slice.name(), slice.managedBy().orElse("nobody"), manager),
        "stop that controller and delete the slice, or choose another Service with --service");
  }

  static Refusal sliceOfOtherService(TargetName target, EndpointSlice slice) {
    return new Refusal(
        "SliceOfOtherService",
        "EndpointSlice %s/%s belongs to the Service %s, expected %s"
            .formatted(
                target.namespace(), slice.name(), slice.serviceName().orElse(""), target.service()),
        "rename or delete that slice, or choose another Service with --service");
  }

  static Refusal sliceOfOtherAddressType(
      TargetName target, EndpointSlice slice, AddressFamily family) {
    return new Refusal(
        "SliceOfOtherAddressType",
        "EndpointSlice %s/%s has the address type %s, expected %s, and no managed-by label"
            .formatted(target.namespace(), slice.name(), slice.addressType(), family.addressType()),
        "rename or delete that slice, or choose another Service with --service");
  }

  static Refusal unreadableDrain(String entry, int count) {
    return new Refusal(
        "UnreadableDrain",
        "the annotation %s of the target Service has %s that cannot be read, the first is \"%s\""
            .formatted(
                Drains.ANNOTATION,
                count == 1 ? "an entry" : count + " entries",
                entry.length() > 80 ? entry.substring(0, 80) + "…" : entry),
        "these are ignored; write ADDRESS=TIME, such as 192.0.2.1=2026-01-02T03:04:05Z, each"
            + " address once, separated by commas, or use kubectl apiserver-updater drain");
  }

  static Refusal drainOfLastReady(Member member) {
    return new Refusal(
        "DrainOfLastReady",
        "member %s is to be drained, and no other member is ready".formatted(member),
        "it stays ready until another one is, and is drained then; kubectl apiserver-updater undrain"
            + " %s withdraws that".formatted(member.address()));
  }
}
