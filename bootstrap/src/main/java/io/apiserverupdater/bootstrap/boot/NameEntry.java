package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.bootstrap.state.OwnEntry;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Optional;

/** Where the name points according to the node's hosts file. */
public interface NameEntry {

  /**
   * Where the name points now: by our entry, or where there is none by that of somebody else.
   *
   * @throws IOException with a message for a person when the file cannot be read
   */
  Optional<InetAddress> address() throws IOException;

  /** Our entry; empty where the name has none, or only one of somebody else. */
  Optional<OwnEntry> own() throws IOException;

  /** The file's content while it has no block of ours, to be compared; empty when it has one. */
  Optional<String> contentWithout() throws IOException;

  /**
   * Points the name at an address; when it fails, the old entry stands. After {@code restore} it
   * does nothing.
   *
   * @return whether anything had to be changed
   * @throws IOException with a message for a person
   */
  boolean pointAt(InetAddress address) throws IOException;

  /**
   * Whether the name could be pointed at an address, by what the file holds now. A write of an
   * earlier run that was cut is mended before.
   *
   * @return what a person should know, although it could
   * @throws IOException with a message for a person when not
   */
  Optional<String> check(InetAddress address) throws IOException;
}
