package io.apiserverupdater.bootstrap.candidates;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The list as text that a person can read: a word and a value on each line, and at the end a
 * checksum of all lines before it, by which a file that was cut or changed is found out.
 */
final class CandidateListFormat {
  private static final String HEADING =
      """
      # Control planes that apiserver-bootstrap has seen; it writes this file itself. Configure
      # addresses in /etc/apiserver-bootstrap/bootstrap.conf: they count beside these.
      """;
  private static final String CHECKSUM = "checksum ";

  private CandidateListFormat() {}

  static byte[] write(CandidateList list) {
    StringBuilder text = new StringBuilder(HEADING).append("format 1\n");
    if (list.refreshedAt().isPresent()) {
      text.append("refreshed ").append(list.refreshedAt().get()).append('\n');
    }
    append(text, "current ", list.refreshed());
    append(text, "previous ", list.previous());
    append(text, "seed ", list.seedsThen());
    String checksum = checksum(text.toString());
    text.append(CHECKSUM).append(checksum).append('\n');
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private static void append(StringBuilder text, String word, List<ApiserverAddress> addresses) {
    for (ApiserverAddress address : addresses) {
      text.append(word).append(address).append('\n');
    }
  }

  static String checksum(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }

  static CandidateList read(byte[] content, List<ApiserverAddress> seeds)
      throws CandidateListFormatException {
    String text = new String(content, StandardCharsets.ISO_8859_1);
    int end = text.length() - CHECKSUM.length() - 9;
    if (end < 0 || !text.startsWith(CHECKSUM, end) || !text.endsWith("\n")) {
      throw new CandidateListFormatException("it is truncated: no checksum in its last line");
    }
    String body = text.substring(0, end);
    String found = text.substring(end + CHECKSUM.length(), text.length() - 1);
    String expected = checksum(body);
    if (!found.equals(expected)) {
      throw new CandidateListFormatException(
          "it was truncated or edited: its checksum is " + expected + ", the file says " + found);
    }
    List<ApiserverAddress> current = new ArrayList<>();
    List<ApiserverAddress> previous = new ArrayList<>();
    List<ApiserverAddress> seedsThen = new ArrayList<>();
    Optional<Instant> refreshedAt = Optional.empty();
    boolean known = false;
    for (String line : body.split("\n", -1)) {
      int space = line.indexOf(' ');
      String value = line.substring(space + 1);
      switch (line.isEmpty() ? "#" : line.substring(0, Math.max(space, 0))) {
        case "#" -> {}
        case "format" -> known = value.equals("1");
        case "refreshed" -> refreshedAt = Optional.of(instant(value));
        case "current" -> current.add(address(value));
        case "previous" -> previous.add(address(value));
        case "seed" -> seedsThen.add(address(value));
        default -> throw new CandidateListFormatException("unknown line \"" + line + "\"");
      }
    }
    if (!known) {
      throw new CandidateListFormatException("another version of this program wrote it");
    }
    return new CandidateList(seeds, current, previous, refreshedAt, seedsThen);
  }

  private static Instant instant(String text) throws CandidateListFormatException {
    try {
      return Instant.parse(text);
    } catch (DateTimeException e) {
      throw new CandidateListFormatException("not a time: \"" + text + "\"");
    }
  }

  private static ApiserverAddress address(String text) throws CandidateListFormatException {
    return ApiserverAddress.parse(text, ApiserverAddress.DEFAULT_PORT)
        .orElseThrow(() -> new CandidateListFormatException("not an address: \"" + text + "\""));
  }
}
