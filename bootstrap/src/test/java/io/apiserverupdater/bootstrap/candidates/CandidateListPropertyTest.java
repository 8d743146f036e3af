package io.apiserverupdater.bootstrap.candidates;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/** What holds for every list and every file; {@code ./bench fuzz} tries a million each. */
class CandidateListPropertyTest {
  private static final List<ApiserverAddress> SEED =
      List.of(ApiserverAddress.parse("10.0.0.1", 6443).orElseThrow());

  @Provide
  Arbitrary<ApiserverAddress> addresses() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 12),
            Arbitraries.of(true, false),
            Arbitraries.of(1, 6443, 65_535))
        .as(CandidateListPropertyTest::address);
  }

  private static ApiserverAddress address(int number, boolean v6, int port) {
    byte[] bytes = new byte[v6 ? 16 : 4];
    bytes[0] = (byte) (v6 ? 0xfd : 10);
    bytes[bytes.length - 1] = (byte) number;
    try {
      return new ApiserverAddress(InetAddress.getByAddress(bytes), port);
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  @Provide
  Arbitrary<List<ApiserverAddress>> many() {
    return addresses().list().ofMaxSize(20);
  }

  @Provide
  Arbitrary<List<ApiserverAddress>> some() {
    return addresses().list().ofMinSize(1).ofMaxSize(5);
  }

  @Provide
  Arbitrary<Instant> times() {
    return Arbitraries.longs().between(0, 4_102_444_800L).map(Instant::ofEpochSecond);
  }

  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void isReadAsItWasWrittenAndKeepsItsPromises(
      @ForAll("some") List<ApiserverAddress> seeds,
      @ForAll("many") List<ApiserverAddress> first,
      @ForAll("many") List<ApiserverAddress> second,
      @ForAll("times") Instant now)
      throws CandidateListFormatException {
    CandidateList list = CandidateList.ofSeeds(seeds).refresh(first, now).refresh(second, now);
    assertEquals(list, CandidateListFormat.read(CandidateListFormat.write(list), seeds));

    List<ApiserverAddress> order = list.inOrder();
    assertFalse(order.isEmpty());
    assertEquals(order.size(), new HashSet<>(order).size());
    assertTrue(order.containsAll(seeds));
    assertTrue(list.refreshed().size() <= CandidateList.MAX);
    assertTrue(list.previous().size() <= CandidateList.MAX);
    if (!first.isEmpty() || !second.isEmpty()) {
      assertFalse(list.refreshed().isEmpty());
    }
  }

  @Provide
  Arbitrary<byte[]> files() {
    Arbitrary<String> piece =
        Arbitraries.of(
            "# note\n",
            "format 1\n",
            "format 2\n",
            "refreshed 2026-11-21T12:00:00Z\n",
            "refreshed ",
            "+1000000000-12-31T23:59:59Z\n",
            "current 10.0.0.1:6443\n",
            "current [fd00::1]:6443\n",
            "previous 10.0.0.300\n",
            "previous ",
            "seed 1.2.3.4:0\n",
            "seed a.b\n",
            "\n",
            " \n",
            "current\n",
            "\u00ff",
            "checksum 00000000\n");
    Arbitrary<String> text = piece.list().ofMaxSize(10).map(all -> String.join("", all));
    // With a checksum that fits, the reader has to look at the lines.
    Arbitrary<String> sealed =
        text.map(body -> body + "checksum " + CandidateListFormat.checksum(body) + "\n");
    Arbitrary<byte[]> bytes = Arbitraries.bytes().array(byte[].class).ofMaxSize(100);
    return Arbitraries.oneOf(
        text.map(value -> value.getBytes(ISO_8859_1)),
        sealed.map(value -> value.getBytes(ISO_8859_1)),
        bytes);
  }

  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void anyFileIsReadOrRefusedInWords(@ForAll("files") byte[] content) {
    try {
      CandidateList list = CandidateListFormat.read(content, SEED);
      assertTrue(list.inOrder().containsAll(SEED));
    } catch (CandidateListFormatException e) {
      assertFalse(String.valueOf(e.getMessage()).isEmpty());
    }
  }
}
