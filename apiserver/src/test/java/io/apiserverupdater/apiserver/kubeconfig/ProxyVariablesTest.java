package io.apiserverupdater.apiserver.kubeconfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProxyVariablesTest {
  private static final ServerUrl SERVER = new ServerUrl("api.example.com", 6443, "");

  private final List<String> faults = new ArrayList<>();

  private String proxy(Map<String, String> environment) {
    return ProxyVariables.proxy(environment, SERVER, faults).toString();
  }

  private static boolean isDirect(String host, String exemptions) {
    return ProxyVariables.proxy(
            Map.of("HTTPS_PROXY", "http://p", "NO_PROXY", exemptions),
            new ServerUrl(host, 6443, ""),
            new ArrayList<>())
        .equals(ProxyServer.NONE);
  }

  @Test
  void variableNamesTheProxy() {
    String expected = ProxyServer.parse("http://p:3128").orElseThrow().toString();
    assertEquals(
        expected, proxy(Map.of("HTTPS_PROXY", "http://p:3128", "https_proxy", "http://q")));
    assertEquals(expected, proxy(Map.of("HTTPS_PROXY", "", "https_proxy", "p:3128")));
    assertEquals("DIRECT", proxy(Map.of("HTTP_PROXY", "http://p", "ALL_PROXY", "http://p")));
    assertEquals(List.of(), faults);
  }

  /** Go has two names for one thing: the proxy looks the server's name up. */
  @Test
  void socksProxyIsTakenUnderBothNames() {
    String expected = ProxyServer.parse("socks5://p:1080").orElseThrow().toString();
    assertEquals(expected, proxy(Map.of("HTTPS_PROXY", "socks5h://p")));
    assertEquals(List.of(), faults);
  }

  @Test
  void proxyThatIsSpokenToOverTlsIsRefusedWithAnotherWay() {
    assertEquals("DIRECT", proxy(Map.of("HTTPS_PROXY", "https://p:3129")));
    assertEquals(1, faults.size());
    assertTrue(faults.get(0).endsWith("use the http:// port of one that has https:// too"));
  }

  @Test
  void proxyThatCannotBeUsedIsAFault() {
    assertEquals("DIRECT", proxy(Map.of("https_proxy", "ftp://me:s3cret@p")));
    assertEquals(List.of("https_proxy is \"ftp://…@p\", " + ProxyServer.EXPECTED), faults);
  }

  @ParameterizedTest(name = "{0} with NO_PROXY={1}: direct {2}")
  @CsvSource({
    "api.example.com, '', false",
    "api.example.com, *, true",
    "api.example.com, api.example.com, true",
    "API.example.com., ' Api.Example.com ', true",
    "api.example.com, example.com, true",
    "api.example.com, .example.com, true",
    "api.example.com, *.example.com, true",
    "example.com, .example.com, false",
    "api.example.com, ample.com, false",
    "api.example.com, 'x,api.example.com:6443', true",
    "api.example.com, api.example.com:443, false",
    "api.example.com, ., false",
    "10.1.2.3, 10.0.0.0/8, true",
    "10.1.2.3, 10.1.2.0/25, true",
    "10.1.2.200, 10.1.2.0/25, false",
    "10.1.2.3, 10.1.2.3, true",
    "10.1.2.3, 10.1.2.3:6443, true",
    "10.1.2.3, 10.0.0.0/99, false",
    "10.1.2.3, fd00::/8, false",
    "fd00::1, fd00::/8, true",
    "fd00::1, fd00:0::1, true",
    "fd00::1, [fd00::1]:6443, true",
    "fd00::1, [fd00::1]:443, false",
    "localhost, '', true",
    "127.0.0.9, '', true",
    "::1, '', true"
  })
  void exemptServersAreAskedDirectly(String host, String exemptions, boolean expected) {
    assertEquals(expected, isDirect(host, exemptions));
  }
}
