package io.apiserverupdater.bootstrap;

import io.apiserverupdater.bootstrap.log.Log;
import java.io.IOException;

/** {@code refresh}: what the cluster says of its control planes goes into the cached list. */
final class RefreshCommand {
  private RefreshCommand() {}

  static int run(BootstrapConfig config, Log log) throws IOException {
    return 0;
  }
}
