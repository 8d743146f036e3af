package io.apiserverupdater.bootstrap.ipvs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpvsServicesTest {
  private static final String LIST =
      """
      IP Virtual Server version 1.2.1 (size=4096)
      Prot LocalAddress:Port Scheduler Flags
        -> RemoteAddress:Port Forward Weight ActiveConn InActConn
      TCP  0A600001:01BB rr\s\s
        -> AC1E0101:192B      Masq    1      3          0        \s
      TCP  0A600040:192B rr\s\s
        -> AC1E0101:192B      Masq    0      0          0        \s
        -> AC1E0102:192B      Masq    1      0          0        \s
      UDP  0A60000A:0035 rr\s\s
        -> 0AF40005:0035      Masq    1      0          0        \s
      TCP  0A60000B:192B rr\s\s
        -> 0AF40005:192B      Masq    0      0          0        \s
      TCP  0A60000C:192B rr persistent 10800 FFFFFFFF
      TCP  [fd00:0000:0000:0000:0000:0000:0000:0064]:192B rr\s
        -> [fd00:0000:0000:0000:0000:0000:0000:0001]:192B      Masq    1      0          0       \s
      FWM  00000001 rr\s
        -> AC1E0101:0000      Route   1      0          0        \s
      """;

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "10.96.0.1:443, true",
    "10.96.0.64:6443, true",
    "[fd00::64]:6443, true",
    // Another port, UDP, no destination that gets connections, none at all.
    "10.96.0.64:443, false",
    "10.96.0.10:53, false",
    "10.96.0.11:6443, false",
    "10.96.0.12:6443, false",
    "[fd00::65]:6443, false",
    // Of the other family, with the same last bytes.
    "[::a60:40]:6443, false",
  })
  void carriesWhatHasADestination(String service, boolean expected) {
    assertEquals(expected, hasDestination(LIST, service));
  }

  private static ApiserverAddress address(String text) {
    return ApiserverAddress.parse(text, 0).orElseThrow();
  }

  private static boolean hasDestination(String list, String service) {
    return new IpvsServices(list)
        .ofKubeProxy(address(service), Optional::empty)
        .filter(VirtualService::hasDestination)
        .isPresent();
  }

  /** After a change of the mode the services stay in the kernel. */
  @ParameterizedTest
  @CsvSource({"ipvs, true", "iptables, false", "nftables, false", "another, true"})
  void believesTheListUnlessKubeProxyNamesAnotherMode(String mode, boolean expected) {
    assertEquals(
        expected ? Optional.of(new VirtualService("rr", true)) : Optional.empty(),
        new IpvsServices(LIST).ofKubeProxy(address("10.96.0.64:6443"), () -> Optional.of(mode)));
  }

  @Test
  void asksForTheModeOnlyWhereTheListHasTheService() {
    assertEquals(
        Optional.empty(),
        new IpvsServices(LIST)
            .ofKubeProxy(address("10.96.0.65:6443"), () -> fail("there is nothing to believe")));
  }

  @Test
  void tellsTheSchedulerOfAServiceWithoutDestinations() {
    assertEquals(
        Optional.of(new VirtualService("sh", false)),
        new IpvsServices(
                "TCP  0A600040:192B sh\nTCP  0A600041:192B rr\n -> AC1E0101:192B Masq 1 0 0")
            .ofKubeProxy(address("10.96.0.64:6443"), Optional::empty));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "TCP\n-> AC1E0101:192B Masq 1 0 0",
        "TCP 0A600040 rr\n-> AC1E0101:192B Masq 1 0 0",
        "TCP 0A60004:192B rr\n-> AC1E0101:192B Masq 1 0 0",
        "TCP 0A600040:x rr\n-> AC1E0101:192B Masq 1 0 0",
        "TCP [::g]:192B rr\n-> AC1E0101:192B Masq 1 0 0",
        "TCP 0A600040:192B rr\n-> AC1E0101:192B Masq",
      })
  void carriesNothingWhereTheListIsStrange(String list) {
    assertEquals(false, hasDestination(list, "10.96.0.64:6443"));
  }
}
