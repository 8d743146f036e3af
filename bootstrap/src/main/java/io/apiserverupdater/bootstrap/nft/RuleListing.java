package io.apiserverupdater.bootstrap.nft;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads what {@code nft list table} says about our table. Only the few words that carry a value are
 * looked at, because versions of nft differ in the others.
 */
final class RuleListing {
  private static final RuleReading STRANGE =
      new RuleReading.Unreadable(
          "the table %s is not the rule of apiserver-bootstrap; show it with \"nft list ruleset\""
              .formatted(BootRule.TABLE));

  private RuleListing() {}

  static RuleReading parse(String listing) {
    String block = "";
    Optional<ApiserverAddress> service = Optional.empty();
    long connections = -1;
    List<ApiserverAddress> candidates = new ArrayList<>();
    for (String line : listing.split("\n", -1)) {
      String[] words = line.strip().split("\\s+", -1);
      if (words.length >= 2 && (words[0].equals("chain") || words[0].equals("counter"))) {
        block = words[1];
      } else if (block.equals(BootRule.COUNTER) && words[0].equals("packets")) {
        connections = number(after(words, "packets"));
      } else if (block.equals("output") && !after(words, "daddr").isEmpty()) {
        service = ApiserverAddress.of(after(words, "daddr"), (int) number(after(words, "dport")));
      } else if (block.startsWith(BootRule.CANDIDATE) && !after(words, "dnat").isEmpty()) {
        Optional<ApiserverAddress> candidate = ApiserverAddress.parse(after(words, "to"), 0);
        if (candidate.isEmpty() || !block.equals(BootRule.CANDIDATE + candidates.size())) {
          return STRANGE;
        }
        candidates.add(candidate.get());
      }
    }
    if (service.isEmpty() || connections < 0 || candidates.isEmpty()) {
      return STRANGE;
    }
    Optional<BootRule> rule = BootRule.of(service.get(), candidates);
    return rule.isPresent() && rule.get().candidates().equals(candidates)
        ? new RuleReading.Present(rule.get(), connections)
        : STRANGE;
  }

  private static String after(String[] words, String word) {
    for (int i = 0; i + 1 < words.length; i++) {
      if (words[i].equals(word)) {
        return words[i + 1];
      }
    }
    return "";
  }

  private static long number(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
