package io.apiserverupdater.updater.configuration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.configuration.UpdaterConfig.Parsed;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.SourceName;
import io.apiserverupdater.updater.export.ExportRule;
import io.apiserverupdater.updater.export.Format;
import io.apiserverupdater.updater.export.HostCommand;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExportFlagsTest {
  private static Parsed parse(String... flags) {
    List<String> line = new ArrayList<>(List.of("export", "--format=haproxy", "--output=/f"));
    line.addAll(List.of(flags));
    return UpdaterFlags.parse(line, Map.of(), () -> "host", () -> "r4nd0m");
  }

  private static ExportConfig config(String... flags) {
    return assertInstanceOf(Parsed.Export.class, parse(flags)).config();
  }

  private static List<String> errors(String... flags) {
    return assertInstanceOf(Parsed.Invalid.class, parse(flags)).errors();
  }

  @Test
  void defaultsAreForTheControlPlanes() {
    assertEquals(
        new ExportConfig(
            UpdaterConfig.Mode.RUN,
            Optional.empty(),
            Optional.empty(),
            true,
            new ExportConfig.Source.Service(new SourceName("default", "kubernetes")),
            new ExportRule(
                "default/kubernetes",
                Optional.empty(),
                Optional.empty(),
                Format.HAPROXY,
                "apiserver",
                Format.HealthCheck.READYZ),
            Path.of("/f"),
            Optional.of(
                new HostCommand(
                    List.of(
                        "haproxy",
                        "-c",
                        "-f",
                        "/etc/haproxy/haproxy.cfg",
                        "-f",
                        "{}",
                        "{others}"))),
            Optional.empty(),
            false,
            UpdaterConfig.LogFormat.TEXT),
        config());
  }

  @Test
  void otherServiceIsNoApiserver() {
    ExportConfig config = config("--source=ingress/web", "--port=http", "--ip-family=ipv6");
    assertEquals(
        new ExportRule(
            "ingress/web",
            Optional.of("http"),
            Optional.of(AddressFamily.IPV6),
            Format.HAPROXY,
            "apiserver",
            Format.HealthCheck.TCP),
        config.rule());
    assertFalse(config.failover());
  }

  @Test
  void nodesHaveOnePort() {
    ExportConfig config = config("--nodes=role=edge", "--port=30443");
    assertEquals(new ExportConfig.Source.Nodes("role=edge", 30443), config.source());
    assertEquals("nodes role=edge", config.rule().source());
    assertEquals(Optional.empty(), config.rule().port());
    assertEquals(Format.HealthCheck.TCP, config.rule().check());
  }

  @Test
  void commandsAreWordsBetweenSpaces() {
    ExportConfig config = config("--on-change= systemctl  reload haproxy ", "--check-command=true");
    assertEquals(
        Optional.of(new HostCommand(List.of("systemctl", "reload", "haproxy"))), config.onChange());
    assertEquals(Optional.of(new HostCommand(List.of("true"))), config.check());
  }

  @ParameterizedTest
  @CsvSource({"envoy", "list"})
  void someFormatsAreCheckedByNobody(String format) {
    List<String> line = List.of("export", "--format=" + format, "--output=/f");
    Parsed parsed = UpdaterFlags.parse(line, Map.of(), () -> "", () -> "");
    assertEquals(Optional.empty(), assertInstanceOf(Parsed.Export.class, parsed).config().check());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--nodes=a | --nodes needs --port, a number from 1 to 65535",
        "--nodes=a --port=http | --nodes needs --port, a number from 1 to 65535",
        "--nodes=a --port=1 --source=a/b | --source and --nodes exclude each other",
        "--source=a/b --apiserver-failover | --apiserver-failover needs --source=default/kubernetes",
        "--on-change= | --on-change is \"\", expected a program and its arguments",
        "--ip-family=6 | --ip-family is \"6\", expected ipv4 or ipv6",
        "--once --dry-run | --dry-run and --once exclude each other",
        "--listen=:80 | unknown flag --listen",
        "word | unexpected argument \"word\"",
      })
  void refusals(String flags, String expected) {
    List<String> errors = errors(flags.split(" ", -1));
    assertEquals(1, errors.size(), errors::toString);
    assertTrue(errors.get(0).startsWith(expected), errors::toString);
  }

  @Test
  void formatAndOutputAreNeeded() {
    Parsed parsed = UpdaterFlags.parse(List.of("export"), Map.of(), () -> "", () -> "");
    assertEquals(
        new Parsed.Invalid(
            List.of(
                "--format is missing, expected haproxy, nginx, keepalived, envoy or list",
                "--output is missing, expected a path"),
            "updater export"),
        parsed);
  }

  @Test
  void helpIsItsOwn() {
    Parsed.Help help = assertInstanceOf(Parsed.Help.class, parse("--help"));
    assertTrue(help.text().contains("\n  updater export [flags]\n"), help.text());
    assertFalse(help.text().contains("--lease-name"), help.text());
  }
}
