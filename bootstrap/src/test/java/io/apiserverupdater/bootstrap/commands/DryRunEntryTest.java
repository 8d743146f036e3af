package io.apiserverupdater.bootstrap.commands;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.bootstrap.boot.HostsNameEntry;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.state.BootMemory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DryRunEntryTest {
  @TempDir Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private DryRunEntry entry(Path hosts) throws IOException {
    HostsFileStore store = new HostsFileStore(hosts, folder.resolve("state"), warning -> {});
    return new DryRunEntry(
        hosts,
        new HostsNameEntry(store, "apiserver.cluster.local", false, BootMemory.NONE),
        new PrintStream(out, true, StandardCharsets.UTF_8));
  }

  @Test
  void showsTheLinesThatAMissingFileWouldBeginWith() throws IOException {
    Path hosts = folder.resolve("hosts");
    DryRunEntry entry = entry(hosts);
    assertFalse(entry.edit(unchanged -> unchanged));
    assertEquals("", out.toString(StandardCharsets.UTF_8));
    assertTrue(entry.pointAt(IpAddress.parse("10.0.0.1").orElseThrow()));
    String diff = out.toString(StandardCharsets.UTF_8);
    assertTrue(diff.contains("@@ -0,0 "), diff);
    assertTrue(diff.contains("\n+127.0.0.1\tlocalhost\n"), diff);
    out.reset();
    assertTrue(entry.pointAt(IpAddress.parse("10.0.0.2").orElseThrow()));
    assertFalse(out.toString(StandardCharsets.UTF_8).contains("+127.0.0.1"));
    assertTrue(Files.notExists(hosts));
  }
}
