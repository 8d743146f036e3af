package io.apiserverupdater.apiserver.printing;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A stream in UTF-8 that shows control characters instead of passing them on. What follows a line
 * feed within a message is indented, so that it is not taken for a message of its own.
 */
public class PrintableStream extends PrintStream {
  public PrintableStream(PrintStream target) {
    super(target, true, StandardCharsets.UTF_8);
  }

  @Override
  public void print(@Nullable String text) {
    super.print(Printable.text(String.valueOf(text)));
  }

  @Override
  public void println(@Nullable String message) {
    super.println(indented(String.valueOf(message)));
  }

  /** Stack traces come this way. */
  @Override
  public void println(@Nullable Object message) {
    super.println((Object) indented(String.valueOf(message)));
  }

  private static String indented(String message) {
    return message.replace("\n", "\n  ");
  }
}
