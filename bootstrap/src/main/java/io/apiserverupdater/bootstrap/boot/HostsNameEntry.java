package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.bootstrap.hosts.HostsEntry;
import io.apiserverupdater.bootstrap.hosts.HostsFile;
import io.apiserverupdater.bootstrap.hosts.HostsFileException;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;

/**
 * The name's entry in the hosts file on the disk.
 *
 * @param adopt whether entries of the name that are not ours are taken over
 */
public record HostsNameEntry(HostsFileStore store, String hostname, boolean adopt)
    implements NameEntry {
  /** A change takes milliseconds; another program that takes longer is stuck. */
  public static final Duration LOCK_DEADLINE = Duration.ofSeconds(10);

  @Override
  public Optional<InetAddress> address() throws IOException {
    return addressIn(store.read(), hostname);
  }

  public static Optional<InetAddress> addressIn(HostsFile file, String hostname) {
    Optional<HostsEntry> entry = file.entry();
    return entry.isPresent() && entry.get().name().equalsIgnoreCase(hostname)
        ? Optional.of(entry.get().addresses().get(0))
        : Optional.empty();
  }

  @Override
  public void check() throws IOException {
    store.mend(LOCK_DEADLINE);
    HostsFileStore.Change unusedChange =
        store.dryRun(file -> pointed(file, InetAddress.getLoopbackAddress()));
  }

  @Override
  public boolean pointAt(InetAddress address) throws IOException {
    return store.change(file -> pointed(file, address), LOCK_DEADLINE).differs();
  }

  /** The content with the name pointing at an address. */
  public HostsFile pointed(HostsFile file, InetAddress address) throws HostsFileException {
    return (adopt ? file.adopt(hostname) : file).point(HostsEntry.of(hostname, address));
  }
}
