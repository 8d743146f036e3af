package io.apiserverupdater.bootstrap.check;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What the rules have found so far, in their order. For one thread. */
final class Findings {
  private final List<Finding> all = new ArrayList<>();

  void ok(String subject, String message) {
    all.add(Finding.ok(subject, message));
  }

  void warn(String subject, String message, String advice) {
    all.add(Finding.warn(subject, message, advice));
  }

  void fail(String subject, String message, String advice) {
    all.add(Finding.fail(subject, message, advice));
  }

  /** What is known; what is not is a warning that says so. */
  <T> Optional<T> known(String subject, Reading<T> reading, String advice) {
    if (reading instanceof Reading.Known<T> known) {
      return Optional.of(known.value());
    }
    if (reading instanceof Reading.Unknown<T> unknown) {
      warn(subject, "not known: " + unknown.reason(), advice);
    }
    return Optional.empty();
  }

  static String text(List<InetAddress> addresses) {
    return addresses.stream().map(InetAddress::getHostAddress).collect(Collectors.joining(", "));
  }

  List<Finding> all() {
    return List.copyOf(all);
  }
}
