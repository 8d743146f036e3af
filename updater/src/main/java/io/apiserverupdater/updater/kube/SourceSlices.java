package io.apiserverupdater.updater.kube;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.SourceName;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.watch.ObjectList;
import io.apiserverupdater.updater.kube.watch.Resource;
import io.apiserverupdater.updater.kube.watch.ResourceCache;
import io.apiserverupdater.updater.kube.watch.Selection;
import io.kubernetes.client.openapi.models.V1EndpointSlice;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** How the slices of a source are read, and where the apiservers are that they list. */
final class SourceSlices {
  private SourceSlices() {}

  static ObjectList<V1EndpointSlice, EndpointSlice> list(ApiClient api, SourceName source) {
    return new ObjectList<>(
        api,
        Resource.ENDPOINT_SLICES,
        selection(source),
        slice -> !source.slicesAmong(List.of(Models.slice(slice))).isEmpty(),
        new ResourceCache<>(Models::slice));
  }

  /**
   * The apiservers write one slice under their Service's own name, so that RBAC can grant it by
   * name; those of any other Service, and of another writer, have generated names.
   */
  private static Selection selection(SourceName source) {
    Selection byLabel =
        Selection.labelled(source.namespace(), EndpointSlice.SERVICE_NAME_LABEL, source.service());
    return source.isApiservers()
        ? Selection.named(source.namespace(), source.service()).orElse(byLabel)
        : byLabel;
  }

  /**
   * Has the control planes asked by their own addresses. An empty source says nothing of where they
   * are: the last ones known stay.
   */
  static void use(ApiClient api, List<EndpointSlice> slices) {
    List<ServerAddress> members = members(slices, System.identityHashCode(api));
    if (!members.isEmpty()) {
      api.setMembers(members);
    }
  }

  /**
   * The control planes in an order of this process' own, so that replicas spread their load. One
   * whose address cannot be connected to is none.
   */
  private static List<ServerAddress> members(List<EndpointSlice> slices, long order) {
    List<ServerAddress> members = new ArrayList<>();
    for (EndpointSlice slice : slices) {
      if (!slice.servingPorts().isEmpty()) {
        int port = slice.servingPorts().get(0).port();
        slice.endpoints().stream()
            .filter(it -> ApiserverAddress.of(it.address(), port).isPresent())
            .forEach(it -> members.add(ServerAddress.member(it.address(), port)));
      }
    }
    Collections.shuffle(members, new Random(order));
    return members;
  }
}
