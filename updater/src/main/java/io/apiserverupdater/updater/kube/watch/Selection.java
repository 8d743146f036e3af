package io.apiserverupdater.updater.kube.watch;

import io.apiserverupdater.updater.kube.api.ApiCall;
import java.util.Optional;

/**
 * Which objects of a kind are listed and watched.
 *
 * @param parameter {@code fieldSelector} or {@code labelSelector}
 * @param otherwise what is looked at where this one finds nothing, if that is permitted
 */
public record Selection(
    String namespace, String parameter, String selector, Optional<Selection> otherwise) {
  private static final String FIELD_SELECTOR = "fieldSelector";

  /** One object. RBAC can grant list and watch of it by its name. */
  public static Selection named(String namespace, String name) {
    return new Selection(namespace, FIELD_SELECTOR, "metadata.name=" + name, Optional.empty());
  }

  public static Selection labelled(String namespace, String label, String value) {
    return new Selection(namespace, "labelSelector", label + "=" + value, Optional.empty());
  }

  /** This one, and another one of the same namespace where this one finds nothing. */
  public Selection orElse(Selection other) {
    return new Selection(namespace, parameter, selector, Optional.of(other));
  }

  /** Whether it finds one object at most. */
  boolean isNamed() {
    return parameter.equals(FIELD_SELECTOR);
  }

  ApiCall list(Resource<?> resource) {
    return ApiCall.get(resource.collection(namespace)).with(parameter, selector);
  }
}
