package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.bootstrap.boot.HostsNameEntry;
import io.apiserverupdater.bootstrap.boot.NameEntry;
import io.apiserverupdater.bootstrap.hosts.HostsFile;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.state.OwnEntry;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The name's entry in a hosts file that stays as it is: each change is shown as a diff. */
final class DryRunEntry implements NameEntry {
  private final Path path;
  private final HostsNameEntry real;
  private final PrintStream out;
  private HostsFile file;
  private boolean changed;

  DryRunEntry(Path path, HostsNameEntry real, PrintStream out) throws IOException {
    this.path = path;
    this.real = real;
    this.out = out;
    this.file = real.store().dryRun(unchanged -> unchanged).before();
  }

  @Override
  public Optional<InetAddress> address() throws IOException {
    return real.addressIn(file);
  }

  @Override
  public Optional<OwnEntry> own() {
    return Optional.empty();
  }

  @Override
  public Optional<String> contentWithout() {
    return Optional.empty();
  }

  @Override
  public boolean pointAt(InetAddress address) throws IOException {
    return edit(before -> real.pointed(before, address));
  }

  boolean edit(HostsFileStore.Edit edit) throws IOException {
    HostsFile after = edit.apply(file);
    if (!new HostsFileStore.Change(file, after).differs()) {
      return false;
    }
    // One that is missing would be made, with lines that the store begins it with.
    byte[] before = !changed && Files.notExists(path) ? new byte[0] : file.bytes();
    String diff = HostsDiff.of(path.toString(), before, after.bytes());
    out.print(diff);
    file = after;
    changed = true;
    return true;
  }

  @Override
  public Optional<String> check(InetAddress address) throws IOException {
    return real.checkDry(address);
  }

  /** Whether there was anything to show. */
  boolean changed() {
    return changed;
  }
}
