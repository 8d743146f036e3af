package io.apiserverupdater.updater.log;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class JsonStreamTest {
  private static final String START = "{\"ts\":\"2026-01-02T03:04:05.006Z\",\"level\":";

  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final JsonStream stream =
      new JsonStream(
          new PrintStream(written, true, StandardCharsets.UTF_8),
          Clock.fixed(Instant.parse("2026-01-02T03:04:05.006Z"), ZoneOffset.UTC));

  private String written() {
    return written.toString(StandardCharsets.UTF_8);
  }

  private String one(String line) {
    written.reset();
    stream.println(line);
    stream.flush();
    return written();
  }

  @Test
  void makesAnObjectOfEachEntry() {
    assertEquals(
        START
            + "\"info\",\"logger\":\"Main\",\"msg\":\"started=true access=\\\"the pod's account\\\""
            + " server=a:1\",\"started\":\"true\",\"access\":\"the pod's account\","
            + "\"server\":\"a:1\"}\n",
        one("INFO Main - started=true access=\"the pod's account\" server=a:1"));
    assertEquals(
        START + "\"debug\",\"logger\":\"ResourceWatch\",\"msg\":\"watch interrupted\"}\n",
        one("DEBUG ResourceWatch - watch interrupted"));
  }

  @Test
  void quotedValueMayHoldQuotesAndWhatLooksLikeAKey() {
    assertEquals(
        START
            + "\"warn\",\"logger\":\"A\",\"msg\":\"watch=down reason=\\\"\\\"x\\\": y=1\\\" more=2\","
            + "\"watch\":\"down\",\"reason\":\"\\\"x\\\": y=1\",\"more\":\"2\"}\n",
        one("WARN A - watch=down reason=\"\"x\": y=1\" more=2"));
  }

  @Test
  void whatAServerSaysChangesNoFieldOfOurs() {
    assertEquals(
        START
            + "\"warn\",\"logger\":\"A\",\"msg\":\"leading=false reason=\\\"x\\\" leading=true"
            + " level=\\\"info\\\"\",\"leading\":\"false\",\"reason\":\"x\"}\n",
        one("WARN A - leading=false reason=\"x\" leading=true level=\"info\""));
  }

  @Test
  void controlCharactersAreShownAndMakeNoLine() {
    assertEquals(
        START
            + "\"info\",\"logger\":\"A\",\"msg\":\"holder=a\\\\u000a{}\\\\u001b\","
            + "\"holder\":\"a\\\\u000a{}\\\\u001b\"}\n",
        one("INFO A - holder=a\n{}\u001b"));
  }

  @Test
  void stackTraceIsAFieldOfItsEntry() {
    stream.println("ERROR A - ended=\"thread x\"");
    stream.println((Object) "java.lang.Error: y");
    stream.println((Object) "\tat z");
    stream.flush();
    assertEquals(
        START
            + "\"error\",\"logger\":\"A\",\"msg\":\"ended=\\\"thread x\\\"\",\"ended\":\"thread x\","
            + "\"stacktrace\":\"java.lang.Error: y\\n\\tat z\"}\n",
        written());
  }

  @Test
  void otherLinesAreObjectsAtOnce() {
    stream.println("error: --listen: in use");
    stream.println((Object) "\tat z");
    assertEquals(
        START
            + "\"error\",\"msg\":\"error: --listen: in use\"}\n"
            + START
            + "\"info\",\"msg\":\"\\tat z\"}\n",
        written());
  }
}
