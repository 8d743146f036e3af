package io.apiserverupdater.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the page says of clients outside is what was measured. */
@Tag("component")
@Tag("quick")
class OutsidePageTest {
  private static final Path DOCS = Path.of(System.getProperty("project.root"), "docs");

  @Test
  void hasTheTableOfTheRunThatIsKept() throws IOException {
    String page = Files.readString(DOCS.resolve("load-balancer.md"));
    assertEquals(
        OutsideBench.page(
            page, Json.parse(Files.readString(DOCS.resolve("measurements/outside.json")))),
        page);
  }
}
