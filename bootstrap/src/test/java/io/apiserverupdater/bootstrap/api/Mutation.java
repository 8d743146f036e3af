package io.apiserverupdater.bootstrap.api;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/** Texts that are nearly right: seeds with pieces cut, doubled, moved and put in. */
final class Mutation {
  private Mutation() {}

  static String of(List<String> seeds, List<String> pieces, Random random) {
    StringBuilder text = new StringBuilder(pick(seeds, random));
    if (random.nextInt(4) == 0) {
      int start = random.nextInt(text.length() + 1);
      int end = start + random.nextInt(text.length() - start + 1);
      text = new StringBuilder(text.substring(start, end));
    }
    int changes = random.nextInt(6);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(text.length() + 1);
      int end = Math.min(text.length(), at + random.nextInt(random.nextInt(3) == 0 ? 40 : 4));
      switch (random.nextInt(5)) {
        case 0 -> text.delete(at, end);
        case 1 -> text.insert(at, text.substring(at, end));
        case 2 -> text.insert(random.nextInt(text.length() + 1), text.substring(at, end));
        case 3 -> text.insert(at, pick(pieces, random));
        default -> text.replace(at, end, pick(pieces, random));
      }
    }
    // As decoded from bytes: without halves of surrogate pairs.
    return new String(text.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }

  static String pick(List<String> from, Random random) {
    return from.get(random.nextInt(from.size()));
  }
}
