package io.apiserverupdater.bootstrap.state;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class BootStateTest {

  private static Optional<BootState> read(String text) {
    return BootState.of(text.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @EnumSource
  void whatIsWrittenIsReadAgain(BootPhase phase) {
    for (Evidence evidence : Evidence.values()) {
      Optional<OwnEntry> own = Optional.of(new OwnEntry("a.local", evidence.name().length()));
      BootState state = new BootState(phase, "fd00:0:0:0:0:0:0:1", evidence, 1_732_197_600, own);
      assertEquals(Optional.of(state), BootState.of(state.toBytes()));
    }
  }

  @Test
  void linesOfAnotherVersionArePassedOverAndItsEntryIsNotKnownAsOurs() {
    assertEquals(
        Optional.of(
            new BootState(BootPhase.PINNED, "10.0.0.1", Evidence.READY, 7, Optional.empty())),
        read("color=blue\nphase=pinned\ntarget=10.0.0.1\nevidence=ready\nsince=7\n\n"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "phase=pinned\ntarget=10.0.0.1\nevidence=ready\n",
        "phase=pinned\ntarget=10.0.0.1\nevidence=ready\nsince=soon\n",
        "phase=flying\ntarget=10.0.0.1\nevidence=ready\nsince=7\n",
        "phase=pinned\ntarget=10.0.0.1\nevidence=hearsay\nsince=7\n",
        "phase=pinned\nevidence=ready\nsince=7\n",
        "phase=pinned\ntarget=10.0.0.1\nevidence=ready\nsince=7\nown=a.local\nadopted=some\n",
        "\u0000\u0000\u0000"
      })
  void damagedFileIsNoState(String text) {
    assertEquals(Optional.empty(), read(text));
  }
}
