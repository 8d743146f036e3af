package io.apiserverupdater.bootstrap.candidates;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.address.IpAddress;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class NamedControlPlanesTest {
  private static final Duration LONG = Duration.ofSeconds(10);
  private static final List<String> NAMES = List.of("cp1.example:6443", "cp2.example:7443");

  @TempDir Path folder;
  private final Map<String, List<String>> dns = new HashMap<>();
  private final List<String> warnings = Collections.synchronizedList(new ArrayList<>());

  private InetAddress[] lookUp(String host) throws UnknownHostException {
    if (!dns.containsKey(host)) {
      throw new UnknownHostException(host);
    }
    return dns.get(host).stream()
        .map(ip -> IpAddress.parse(ip).orElseThrow())
        .toArray(InetAddress[]::new);
  }

  private List<String> addresses(NamedControlPlanes.Resolver resolver, Duration deadline)
      throws InterruptedException {
    return new NamedControlPlanes(folder.resolve("state"), resolver, warnings::add)
        .addresses(NAMES, deadline, Duration.ZERO, true).stream()
            .map(ApiserverAddress::toString)
            .toList();
  }

  @Test
  void addressesAreKeptForABootWithoutDns() throws Exception {
    dns.put("cp1.example", List.of("10.0.0.1", "127.0.1.1", "fd00::1"));
    dns.put("cp2.example", List.of("10.0.0.2"));
    List<String> found = List.of("10.0.0.1:6443", "[fd00:0:0:0:0:0:0:1]:6443", "10.0.0.2:7443");
    assertEquals(found, addresses(this::lookUp, LONG));
    assertEquals(List.of(), warnings);
    dns.clear();
    assertEquals(found, addresses(this::lookUp, LONG));
    assertEquals(2, warnings.size(), warnings.toString());
  }

  @Test
  void nameOfWhichNothingIsKnownIsLookedUpAgain() throws Exception {
    dns.put("cp1.example", List.of("10.0.0.1"));
    dns.put("cp2.example", List.of("10.0.0.2"));
    Set<String> asked = ConcurrentHashMap.newKeySet();
    NamedControlPlanes.Resolver late =
        host -> {
          if (asked.add(host)) {
            throw new UnknownHostException(host);
          }
          return lookUp(host);
        };
    List<ApiserverAddress> found =
        new NamedControlPlanes(folder.resolve("state"), late, warnings::add)
            .addresses(NAMES, Duration.ZERO, LONG, true);
    assertEquals("[10.0.0.1:6443, 10.0.0.2:7443]", found.toString());
    assertEquals(2, warnings.size(), warnings.toString());
    assertTrue(warnings.get(0).contains(" found=no-address looking-again="), warnings.toString());
  }

  @Test
  void addressesOfOtherNamesAreNoneOfThese() throws Exception {
    Path file = Files.createDirectory(folder.resolve("state")).resolve("control-plane-names");
    Files.writeString(file, "old.example:6443 10.0.0.7:6443\n");
    nameOfWhichNothingIsKnownIsLookedUpAgain();
  }

  @Test
  void newAddressTakesThePlaceOfTheOldOneAndOnlyOfThatName() throws Exception {
    dns.put("cp1.example", List.of("10.0.0.1"));
    dns.put("cp2.example", List.of("10.0.0.2"));
    List<String> unusedFirst = addresses(this::lookUp, LONG);
    dns.remove("cp1.example");
    dns.put("cp2.example", List.of("10.0.0.9"));
    assertEquals(List.of("10.0.0.1:6443", "10.0.0.9:7443"), addresses(this::lookUp, LONG));
  }

  @Test
  void resolverThatHangsCostsTheDeadlineOnce() throws Exception {
    dns.put("cp1.example", List.of("10.0.0.1"));
    dns.put("cp2.example", List.of("10.0.0.2"));
    List<String> found = addresses(this::lookUp, LONG);
    CountDownLatch end = new CountDownLatch(1);
    try {
      NamedControlPlanes.Resolver hanging =
          host -> {
            try {
              end.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            throw new UnknownHostException(host);
          };
      assertEquals(found, addresses(hanging, Duration.ofMillis(50)));
    } finally {
      end.countDown();
    }
  }

  @Test
  void nothingIsKnownAndNothingIsKept() throws Exception {
    assertEquals(List.of(), addresses(this::lookUp, LONG));
    assertTrue(warnings.get(0).contains("control-plane=cp1.example:6443 found=no-address"));
    assertFalse(Files.exists(folder.resolve("state")));
  }

  @Test
  void damagedFileIsPassedOver() throws Exception {
    Path file = Files.createDirectory(folder.resolve("state")).resolve("control-plane-names");
    Files.write(file, new byte[] {(byte) 0xFF, '\n', 'x', ' ', 'y', '\n'});
    assertEquals(List.of(), addresses(this::lookUp, LONG));
  }
}
