package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.bootstrap.check.Finding.Level;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What the rules have found so far, in their order, and what they look at now. For one thread. */
record Findings(String subject, List<Finding> all) {
  Findings() {
    this("", new ArrayList<>());
  }

  /** The same findings, to which those about another subject are added. */
  Findings about(String other) {
    return new Findings(other, all);
  }

  void ok(String message) {
    all.add(new Finding(Level.OK, subject, message, Optional.empty()));
  }

  void warn(String message, String advice) {
    all.add(new Finding(Level.WARN, subject, message, Optional.of(advice)));
  }

  void fail(String message, String advice) {
    all.add(new Finding(Level.FAIL, subject, message, Optional.of(advice)));
  }

  /** What is known; what is not is a warning that says so. */
  <T> Optional<T> known(Reading<T> reading, String advice) {
    if (reading instanceof Reading.Known<T> known) {
      return Optional.of(known.value());
    }
    if (reading instanceof Reading.Unknown<T> unknown) {
      warn("not known: " + unknown.reason(), advice);
    }
    return Optional.empty();
  }

  static String text(List<InetAddress> addresses) {
    return addresses.stream().map(InetAddress::getHostAddress).collect(Collectors.joining(", "));
  }
}
