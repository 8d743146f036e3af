package io.apiserverupdater.sandbox;

import java.util.Comparator;

/**
 * Where an object lies in the store; sorted as a list answers. Namespace is "" when it has none.
 */
record ObjectKey(String qualifiedResource, String namespace, String name)
    implements Comparable<ObjectKey> {
  private static final Comparator<ObjectKey> ORDER =
      Comparator.comparing(ObjectKey::qualifiedResource)
          .thenComparing(ObjectKey::namespace)
          .thenComparing(ObjectKey::name);

  @Override
  public int compareTo(ObjectKey other) {
    return ORDER.compare(this, other);
  }
}
