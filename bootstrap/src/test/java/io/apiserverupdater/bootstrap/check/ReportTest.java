package io.apiserverupdater.bootstrap.check;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.bootstrap.check.Finding.Level;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final Finding OK =
      new Finding(Level.OK, "name", "leads to 10.0.0.1", Optional.empty());
  private static final Finding WARN =
      new Finding(Level.WARN, "pods", "one is \"old\"", Optional.of("restart\tit"));
  private static final Finding FAIL =
      new Finding(Level.FAIL, "cluster IP", "silent", Optional.of("look"));

  @Test
  void exitCodeIsThatOfTheWorst() {
    assertEquals(0, new Report(List.of(OK)).exitCode());
    assertEquals(1, new Report(List.of(OK, WARN, OK)).exitCode());
    assertEquals(2, new Report(List.of(FAIL, WARN, OK)).exitCode());
  }

  @Test
  void textHasALineForEachAndOneForWhatToDo() {
    assertEquals(
        """
        ok    name                              leads to 10.0.0.1
        fail  cluster IP                        silent
              -> look
        1 ok, 0 warn, 1 fail
        """,
        new Report(List.of(OK, FAIL)).text());
  }

  @Test
  void foreignTextIsNoFindingOfItsOwn() {
    Finding foreign =
        new Finding(Level.FAIL, "kube-proxy", "dials x\u001b[2K\rok\nok    a", Optional.of("b\nc"));
    assertEquals(
        """
        fail  kube-proxy                        dials x\\u001b[2K\\u000dok\\u000aok    a
              -> b\\u000ac
        0 ok, 0 warn, 1 fail
        """,
        new Report(List.of(foreign)).text());
  }

  @Test
  void jsonIsEscaped() {
    assertEquals(
        """
        {
          "findings": [
            {"level": "ok", "subject": "name", "message": "leads to 10.0.0.1"},
            {"level": "warn", "subject": "pods", "message": "one is \\"old\\"", "advice": "restart\\u0009it"}
          ],
          "ok": 1,
          "warn": 1,
          "fail": 0
        }
        """,
        new Report(List.of(OK, WARN)).json());
  }
}
