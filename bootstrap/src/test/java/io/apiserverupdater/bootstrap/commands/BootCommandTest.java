package io.apiserverupdater.bootstrap.commands;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Parsed;
import io.apiserverupdater.bootstrap.configuration.BootstrapFlags;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BootCommandTest {
  @ParameterizedTest
  @CsvSource({
    "--role=worker, 10.0.0.1, '', ''",
    "--wait=1h, 10.0.0.1, '', PT1H",
    "--role=worker, cp1.example, '', PT5M",
    "--wait=1h, cp1.example, '', PT5M",
    "--wait=3m, cp1.example, '', PT3M",
    "--role=control-plane, 10.0.0.1, 10.0.0.1, ''",
    "--role=control-plane, 10.0.0.1, 127.0.0.1, PT5M"
  })
  void handOverThatMayKnowWrongAddressesStartsAnew(
      String flag, String controlPlane, String local, String expected) {
    Parsed.Run run =
        assertInstanceOf(
            Parsed.Run.class,
            BootstrapFlags.parse(
                List.of(
                    "handover",
                    "--insecure-skip-tls-verify",
                    "--cluster-ip=10.96.0.64",
                    "--control-plane=" + controlPlane,
                    flag)));
    Optional<ApiserverAddress> own = ApiserverAddress.parse(local, 6443);
    assertEquals(
        expected, BootCommand.waitLimit(run.config(), own).map(Object::toString).orElse(""));
  }
}
