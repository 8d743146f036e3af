package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.bootstrap.files.LockFile;
import io.apiserverupdater.bootstrap.hosts.HostsEntry;
import io.apiserverupdater.bootstrap.hosts.HostsFile;
import io.apiserverupdater.bootstrap.hosts.HostsFileException;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.state.BootMemory;
import io.apiserverupdater.bootstrap.state.BootState;
import io.apiserverupdater.bootstrap.state.OwnEntry;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * The name's entry in the hosts file on the disk.
 *
 * @param adopt whether entries of the name that are not ours are taken over
 * @param memory what was written last: where no block is left, a line that says just that is ours
 */
public record HostsNameEntry(
    HostsFileStore store, String hostname, boolean adopt, BootMemory memory) implements NameEntry {
  @Override
  public Optional<InetAddress> address() throws IOException {
    return addressIn(store.read());
  }

  @Override
  public Optional<OwnEntry> own() throws IOException {
    return ownEntryIn(store.read());
  }

  /** Our entry in a content. */
  Optional<OwnEntry> ownEntryIn(HostsFile file) throws HostsFileException {
    HostsFile claimed = claimed(file);
    // Once adopted is adopted until restore: the comments that say so may be stripped as well.
    int adopted = Math.max(claimed.adoptedLines(), adopted(memory.read()));
    return ownIn(claimed).map(address -> new OwnEntry(hostname, adopted));
  }

  @Override
  public Optional<String> contentWithout() throws IOException {
    byte[] content = store.bytes();
    try {
      if (ownIn(HostsFile.parse(content)).isPresent()) {
        return Optional.empty();
      }
    } catch (HostsFileException e) {
      // Half of our block may be written; if it stays like that, the next change says so.
    }
    return Optional.of(new String(content, StandardCharsets.ISO_8859_1));
  }

  /** Where our entry points; empty where the name has none of ours. */
  public Optional<InetAddress> ownAddress() throws IOException {
    return ownIn(claimed(store.read()));
  }

  private Optional<InetAddress> ownIn(HostsFile file) {
    return file.entry()
        .filter(entry -> entry.name().equalsIgnoreCase(hostname))
        .map(entry -> entry.addresses().get(0));
  }

  /** Where the name points according to a content. */
  public Optional<InetAddress> addressIn(HostsFile file) throws HostsFileException {
    HostsFile claimed = claimed(file);
    return ownIn(claimed).or(() -> claimed.addressesOutside(hostname).stream().findFirst());
  }

  @Override
  public Optional<String> check(InetAddress address) throws IOException {
    store.mend(LockFile.DEADLINE);
    return checkDry(address);
  }

  /** The same for a file that stays as it is. */
  public Optional<String> checkDry(InetAddress address) throws IOException {
    HostsFile after = store.dryRun(file -> pointed(file, address)).after();
    return after.linesNaming(hostname).stream()
        .findFirst()
        .map(
            line ->
                "line %d of the hosts file has %s, which already has the correct address: it stays"
                        .formatted(line, hostname)
                    + " as it is. Remove it, or use --adopt, for restore and the strategy hosts");
  }

  @Override
  public boolean pointAt(InetAddress address) throws IOException {
    return store
        .change(file -> memory.isUnpinned() ? file : pointed(file, address), LockFile.DEADLINE)
        .differs();
  }

  /** The content with the name pointing at an address. */
  public HostsFile pointed(HostsFile file, InetAddress address) throws HostsFileException {
    HostsFile claimed = claimed(file);
    if (adopt) {
      return claimed.adopt(hostname).point(HostsEntry.of(hostname, address));
    }
    boolean pointsThere = addressIn(file).equals(Optional.of(address));
    List<Integer> others = claimed.linesNaming(hostname);
    if (pointsThere
        && !others.isEmpty()
        && claimed.addressesOutside(hostname).equals(others.stream().map(o -> address).toList())) {
      // Somebody else's entry says the same: nothing need be written.
      return file;
    }
    return claimed.point(HostsEntry.of(hostname, address));
  }

  /** The content without anything of ours, by what the state said before. */
  public HostsFile restored(HostsFile file, Optional<BootState> state) throws HostsFileException {
    HostsFile claimed = claimed(file, state);
    return ownIn(claimed).isPresent() ? claimed.restoreAdopted(adopted(state)) : claimed.restore();
  }

  /** The content with the markers around our entry again, should a tool have stripped them. */
  public HostsFile claimed(HostsFile file) throws HostsFileException {
    return claimed(file, memory.read());
  }

  private HostsFile claimed(HostsFile file, Optional<BootState> state) throws HostsFileException {
    Optional<InetAddress> last =
        state.filter(this::isOfOurs).flatMap(it -> IpAddress.parse(it.target()));
    return last.isPresent() ? file.claim(HostsEntry.of(hostname, last.get())) : file;
  }

  private int adopted(Optional<BootState> state) {
    return state.filter(this::isOfOurs).flatMap(BootState::own).map(OwnEntry::adopted).orElse(0);
  }

  /** Whether it is of an entry of ours, of this name. */
  private boolean isOfOurs(BootState state) {
    return state.own().filter(own -> own.name().equalsIgnoreCase(hostname)).isPresent();
  }
}
