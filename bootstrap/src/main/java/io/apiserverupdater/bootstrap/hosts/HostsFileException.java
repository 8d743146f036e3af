package io.apiserverupdater.bootstrap.hosts;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The hosts file is in a state in which changing it could lose something; nothing was changed. */
public final class HostsFileException extends IOException {

  /** Why it was refused. */
  public enum Reason {
    /** Our markers do not enclose exactly one block with nothing but our entry in it. */
    DAMAGED_BLOCK,
    /** A line outside our block names the host as well. */
    NAME_TAKEN,
    /** A line that we commented out was edited since, so it cannot be brought back. */
    EDITED_ADOPTION
  }

  private final String message;
  private final Reason reason;
  private final List<Integer> lines;

  HostsFileException(Reason reason, List<Integer> lines, String message) {
    super(message);
    this.message = message;
    this.reason = reason;
    this.lines = List.copyOf(lines);
  }

  /** The same, naming the file. */
  HostsFileException in(Path file) {
    return new HostsFileException(reason, lines, file + ": " + message);
  }

  @Override
  public String getMessage() {
    return message;
  }

  public Reason reason() {
    return reason;
  }

  /** The numbers of the lines that are concerned, counted from 1. */
  public List<Integer> lines() {
    return lines;
  }
}
