package io.apiserverupdater.updater.kube;

import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.TargetSettings;

/**
 * Which objects of a kind are listed and watched.
 *
 * @param parameter {@code fieldSelector} or {@code labelSelector}
 */
record Selection(String namespace, String parameter, String selector) {

  /** One object. RBAC can grant list and watch of it by its name. */
  static Selection named(String namespace, String name) {
    return new Selection(namespace, "fieldSelector", "metadata.name=" + name);
  }

  static Selection labelled(String namespace, String label, String value) {
    return new Selection(namespace, "labelSelector", label + "=" + value);
  }

  /**
   * The slices of the source. The apiservers write one slice under their Service's own name, so
   * that RBAC can grant it by name; the slices of any other Service have generated names.
   */
  static Selection source(TargetSettings settings) {
    String namespace = settings.sourceNamespace();
    return settings.isApiservers()
        ? named(namespace, settings.sourceName())
        : labelled(namespace, EndpointSlice.SERVICE_NAME_LABEL, settings.sourceName());
  }

  ApiCall list(Resource<?> resource) {
    return ApiCall.get(resource.collection(namespace)).with(parameter, selector);
  }
}
