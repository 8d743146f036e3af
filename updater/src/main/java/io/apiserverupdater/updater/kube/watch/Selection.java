package io.apiserverupdater.updater.kube.watch;

import io.apiserverupdater.updater.kube.api.ApiCall;

/**
 * Which objects of a kind are listed and watched.
 *
 * @param parameter {@code fieldSelector} or {@code labelSelector}
 */
public record Selection(String namespace, String parameter, String selector) {

  /** One object. RBAC can grant list and watch of it by its name. */
  public static Selection named(String namespace, String name) {
    return new Selection(namespace, "fieldSelector", "metadata.name=" + name);
  }

  public static Selection labelled(String namespace, String label, String value) {
    return new Selection(namespace, "labelSelector", label + "=" + value);
  }

  ApiCall list(Resource<?> resource) {
    return ApiCall.get(resource.collection(namespace)).with(parameter, selector);
  }
}
