package io.apiserverupdater.updater.leaderelection;

/** The Lease that replicas elect their leader with. */
public record LeaseName(String namespace, String name) {
  /** Its name, unless a flag says otherwise. */
  public static final String DEFAULT = "apiserver-updater";
}
