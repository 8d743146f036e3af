package io.apiserverupdater.apiserver.kubeconfig;

import java.io.IOException;
import java.util.List;

/** A kubeconfig that cannot be used. No message holds a secret. */
public final class InvalidKubeconfigException extends IOException {
  private final List<String> faults;

  /**
   * @param faults all that is wrong: file, place, expected, found
   */
  public InvalidKubeconfigException(List<String> faults) {
    super(String.join("\n", faults));
    this.faults = List.copyOf(faults);
  }

  public InvalidKubeconfigException(String fault) {
    this(List.of(fault));
  }

  public List<String> faults() {
    return faults;
  }
}
