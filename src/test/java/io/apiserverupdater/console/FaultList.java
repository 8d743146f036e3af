package io.apiserverupdater.console;

import io.apiserverupdater.failover.Fault;
import java.util.Locale;

/** Prints the faults by name. */
public final class FaultList {
  private FaultList() {}

  public static void main(String[] arguments) {
    for (Fault fault : Fault.values()) {
      System.out.printf(Locale.ROOT, "%-26s %s%n", fault.label(), fault.description());
    }
  }
}
