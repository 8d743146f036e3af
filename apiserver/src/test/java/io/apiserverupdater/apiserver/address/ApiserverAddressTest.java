package io.apiserverupdater.apiserver.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiserverAddressTest {

  private static ApiserverAddress address(String text) {
    return ApiserverAddress.parse(text, 6443).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.1, 10.0.0.1:6443",
    "10.0.0.1:1, 10.0.0.1:1",
    "255.255.255.255:65535, 255.255.255.255:65535",
    "fd00::1, [fd00:0:0:0:0:0:0:1]:6443",
    "FD00::1, [fd00:0:0:0:0:0:0:1]:6443",
    "[fd00::1], [fd00:0:0:0:0:0:0:1]:6443",
    "[fd00::1]:7443, [fd00:0:0:0:0:0:0:1]:7443",
    "::1, [0:0:0:0:0:0:0:1]:6443",
    "fd00::10.0.0.1, [fd00:0:0:0:0:0:a00:1]:6443",
  })
  void readsAnAddressWithAndWithoutPort(String text, String expected) {
    assertEquals(expected, address(text).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "localhost",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.01",
        "10.0.0.1.",
        ".10.0.0.1",
        "10.0.0.1:",
        "10.0.0.1:0",
        "10.0.0.1:65536",
        "10.0.0.1:99999999999",
        "10.0.0.1:x",
        "10.0.0.1:-1",
        "167772161",
        "0x0a.0.0.1",
        "[10.0.0.1]",
        "[10.0.0.1]:6443",
        "[fd00::1",
        "fd00::1]",
        "[fd00::1]6443",
        "[fd00::1]:",
        "[fd00::1%eth0]",
        "fd00::1%eth0",
        "[]",
        "[]:1",
        "fd00:::1",
        "gd00::1",
        ":6443",
        "10.0.0.1 ",
        "１０.0.0.1",
        "a:6443"
      })
  void refusesWhatIsNoAddress(String text) {
    assertEquals(Optional.empty(), ApiserverAddress.parse(text, 6443));
  }

  @Test
  void refusesADefaultPortOutOfRange() {
    assertEquals(Optional.empty(), ApiserverAddress.parse("10.0.0.1", 0));
  }

  @Test
  void equalsByAddressAndPort() {
    assertEquals(address("fd00::1"), address("[fd00:0::1]:6443"));
    assertEquals(address("10.0.0.1").hashCode(), address("10.0.0.1:6443").hashCode());
    assertNotEquals(address("10.0.0.1"), address("10.0.0.1:6444"));
    assertNotEquals(address("10.0.0.1"), address("10.0.0.2"));
  }

  @Test
  void ordersByFamilyThenAddressThenPort() {
    List<String> sorted =
        Stream.of("fd00::1", "10.0.0.10", "10.0.0.9:7443", "10.0.0.9", "200.0.0.1")
            .map(ApiserverAddressTest::address)
            .sorted()
            .map(ApiserverAddress::toString)
            .toList();
    assertEquals(
        List.of(
            "10.0.0.9:6443",
            "10.0.0.9:7443",
            "10.0.0.10:6443",
            "200.0.0.1:6443",
            "[fd00:0:0:0:0:0:0:1]:6443"),
        sorted);
  }
}
