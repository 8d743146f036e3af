package io.apiserverupdater.bootstrap.files;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A disk on which one step fails, half done; the writer may die with it or live on. */
public final class FaultyDisk extends Disk {
  private final int failing;
  private final boolean dies;
  private final boolean mountPoint;
  private int steps;

  /**
   * @param failing the step that fails, counted from 1; 0 for none
   * @param dies whether no step is done after it, as when the power is gone
   * @param mountPoint whether files cannot be renamed over, as if each were mounted
   */
  public FaultyDisk(int failing, boolean dies, boolean mountPoint) {
    this.failing = failing;
    this.dies = dies;
    this.mountPoint = mountPoint;
  }

  /** Whether the failing step was reached. */
  public boolean failed() {
    return failing > 0 && steps >= failing;
  }

  private boolean fails() {
    steps++;
    return failing > 0 && (steps == failing || (dies && steps > failing));
  }

  private boolean isFirstFailure() {
    return steps == failing;
  }

  private static IOException full(Path file) {
    return new FileSystemException(file.toString(), null, "No space left on device");
  }

  private void orFail(Path file) throws IOException {
    if (fails()) {
      throw full(file);
    }
  }

  private interface Write {
    void write(byte[] content) throws IOException;
  }

  /** The write that fails leaves half of its content. */
  private void orHalf(Path file, byte[] content, Write write) throws IOException {
    boolean fails = fails();
    if (!fails) {
      write.write(content);
    } else if (isFirstFailure()) {
      write.write(Arrays.copyOf(content, content.length / 2));
    }
    if (fails) {
      throw full(file);
    }
  }

  @Override
  public void copy(Path from, Path to) throws IOException {
    if (!fails()) {
      super.copy(from, to);
      return;
    }
    if (isFirstFailure()) {
      byte[] content = super.read(from, Integer.MAX_VALUE - 8);
      super.create(to, Arrays.copyOf(content, content.length / 2));
    }
    throw full(to);
  }

  @Override
  public void create(Path file, byte[] content) throws IOException {
    orHalf(file, content, written -> super.create(file, written));
  }

  @Override
  public void overwrite(Path file, byte[] content) throws IOException {
    orHalf(file, content, written -> super.overwrite(file, written));
  }

  @Override
  public void writeAt(Path file, byte[] bytes, long position) throws IOException {
    orHalf(file, bytes, written -> super.writeAt(file, written, position));
  }

  @Override
  public void truncate(Path file, long length) throws IOException {
    orFail(file);
    super.truncate(file, length);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    orFail(to);
    if (mountPoint && Files.exists(to) && to.getFileName().toString().equals("hosts")) {
      throw new FileSystemException(from.toString(), to.toString(), "Device or resource busy");
    }
    super.rename(from, to);
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    orFail(directory);
    super.syncDirectory(directory);
  }

  @Override
  public boolean isMountPoint(Path file) throws IOException {
    return mountPoint || super.isMountPoint(file);
  }

  @Override
  public void delete(Path file) throws IOException {
    orFail(file);
    super.delete(file);
  }
}
