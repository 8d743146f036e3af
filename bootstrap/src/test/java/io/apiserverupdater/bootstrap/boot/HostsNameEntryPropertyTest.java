package io.apiserverupdater.bootstrap.boot;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.bootstrap.hosts.HostsFile;
import io.apiserverupdater.bootstrap.hosts.HostsFileException;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.state.BootMemory;
import io.apiserverupdater.bootstrap.state.BootPhase;
import io.apiserverupdater.bootstrap.state.BootState;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/** Whatever the order in which we, other tools and a person change a hosts file. */
class HostsNameEntryPropertyTest {
  private static final String NAME = "a.local";
  private static final List<String> LINES =
      List.of(
          "127.0.0.1 localhost",
          "10.0.0.1 a.local",
          "10.0.0.2 a.local",
          "10.0.0.1 a.local # mine",
          "10.0.0.1 a.local other",
          "10.0.0.3\tA.local",
          "# a note",
          "");

  /** What happens to the file. */
  private enum Step {
    PIN_ONE,
    PIN_TWO,
    RESTORE,
    STRIP_COMMENTS,
    DOUBLE,
    FORGET_STATE
  }

  @Provide
  Arbitrary<List<String>> lines() {
    return Arbitraries.of(LINES).list().ofMaxSize(5);
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    return Arbitraries.of(Step.values()).list().ofMaxSize(6);
  }

  /** The node's state file, in memory. */
  private static final class Memory implements BootMemory {
    private Optional<BootState> state = Optional.empty();

    @Override
    public Optional<BootState> read() {
      return state;
    }

    @Override
    public void keep(BootState now) {
      state = Optional.of(now);
    }
  }

  private static InetAddress address(int last) throws IOException {
    return InetAddress.getByAddress(new byte[] {10, 0, 0, (byte) last});
  }

  private static String text(HostsFile file) {
    return new String(file.bytes(), ISO_8859_1);
  }

  private static String stripped(String text) {
    StringBuilder kept = new StringBuilder();
    text.lines().filter(line -> !line.startsWith("#")).forEach(line -> kept.append(line + "\n"));
    return kept.toString();
  }

  private static HostsFile parse(String text) throws HostsFileException {
    return HostsFile.parse(text.getBytes(ISO_8859_1));
  }

  /**
   * What other tools do to the file they do to the lines of a person too, and nothing else does.
   */
  @Property(shrinking = ShrinkingMode.BOUNDED, edgeCases = EdgeCasesMode.NONE)
  void nobodysLineIsLost(
      @ForAll("lines") List<String> lines, @ForAll("steps") List<Step> steps, @ForAll boolean adopt)
      throws IOException {
    Memory memory = new Memory();
    HostsFileStore unused = new HostsFileStore(Path.of("none"), Path.of("none"), warning -> {});
    HostsNameEntry entry = new HostsNameEntry(unused, NAME, adopt, memory);
    String others = String.join("\n", lines) + "\n";
    HostsFile file = parse(others);
    boolean adoptedAndStripped = false;
    List<Step> all = new ArrayList<>(steps);
    all.addAll(List.of(Step.RESTORE, Step.RESTORE));
    for (Step step : all) {
      try {
        switch (step) {
          case PIN_ONE, PIN_TWO -> {
            HostsFile pointed = entry.pointed(file, address(step == Step.PIN_ONE ? 1 : 2));
            Optional<InetAddress> target = entry.addressIn(pointed);
            file = pointed;
            memory.keep(
                new BootState(
                    BootPhase.PINNED,
                    target.orElseThrow().getHostAddress(),
                    Evidence.READY,
                    7,
                    entry.ownEntryIn(file)));
          }
          case RESTORE -> {
            file = entry.restored(file, memory.read());
            memory.keep(BootState.unpinned("10.0.0.1", 8));
          }
          case STRIP_COMMENTS -> {
            adoptedAndStripped |= file.adoptedLines() > 0;
            file = parse(stripped(text(file)));
            others = stripped(others);
          }
          case DOUBLE -> {
            file = parse(text(file).repeat(2));
            others = others.repeat(2);
          }
          case FORGET_STATE -> memory.state = Optional.empty();
        }
      } catch (HostsFileException e) {
        // Refused: all is as it was.
      }
    }
    // Of two lines of ours without their markers one is taken for somebody else's.
    boolean doubledAndStripped = steps.containsAll(List.of(Step.DOUBLE, Step.STRIP_COMMENTS));
    if (!adoptedAndStripped && !doubledAndStripped && !steps.contains(Step.FORGET_STATE)) {
      assertEquals(others, text(file), () -> lines + " " + all);
    }
    assertArrayEquals(notNaming(others), notNaming(text(file)), () -> lines + " " + all);
  }

  /** The lines that have nothing to do with the name or with us. */
  private static String[] notNaming(String text) {
    return Arrays.stream(text.split("\n", -1))
        .filter(line -> line.equals("127.0.0.1 localhost") || line.equals("# a note"))
        .toArray(String[]::new);
  }
}
