package io.apiserverupdater.apiserver.printing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {
  @ParameterizedTest
  @ValueSource(strings = {"", "leading=true holder=ä", "日本 😀", "a\tb", "\\u001b \"quoted\" 'too'"})
  void plainTextStaysAsItIs(String text) {
    assertEquals(text, Printable.line(text));
    assertEquals(text, Printable.text(text));
  }

  @ParameterizedTest
  @CsvSource({"0a", "0d", "00", "07", "08", "1b", "7f", "85", "9b", "2028", "2029", "202e", "2066"})
  void controlCharactersAreShown(String hex) {
    int c = Integer.parseInt(hex, 16);
    assertEquals("a\\u%04xb".formatted(c), Printable.line("a" + (char) c + "b"));
  }

  @Test
  void invisibleTagCharactersBeyondTheFirstPlaneAreShown() {
    assertEquals("a\\udb40\\udc41b", Printable.line("a" + Character.toString(0xe0041) + "b"));
  }

  @Test
  void longLineIsCut() {
    assertEquals("ab", Printable.line("ab", 2));
    assertEquals("a\\u001b…", Printable.line("a\u001bc", 2));
  }

  @Test
  void lineFeedsOfTheCallerStay() {
    assertEquals("a\nb\\u000d\n", Printable.text("a\nb\r\n"));
  }

  @Test
  void foreignLineIsNoMessageOfItsOwn() {
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    try (PrintableStream stream =
        new PrintableStream(new PrintStream(written, true, StandardCharsets.UTF_8))) {
      stream.println("error: \u001b[2Jone\nerror: two");
      stream.println(new IllegalStateException("three\nfour"));
      stream.print("five\nsix\u001b[m\n");
      stream.printf("%s%n", "seven\b");
    }
    assertEquals(
        """
        error: \\u001b[2Jone
          error: two
        java.lang.IllegalStateException: three
          four
        five
        six\\u001b[m
        seven\\u0008
        """,
        written.toString(StandardCharsets.UTF_8));
  }
}
