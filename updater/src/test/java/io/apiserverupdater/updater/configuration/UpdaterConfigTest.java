package io.apiserverupdater.updater.configuration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.updater.dryrun.Output;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import io.apiserverupdater.updater.leaderelection.ElectionSettings;
import io.apiserverupdater.updater.leaderelection.LeaseName;
import io.apiserverupdater.updater.readiness.ProbePolicy;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UpdaterConfigTest {
  private static UpdaterConfig.Parsed parse(Map<String, String> environment, String... line) {
    return UpdaterFlags.parse(List.of(line), environment, () -> "host", () -> "r4nd0m");
  }

  private static UpdaterConfig run(String... line) {
    return assertInstanceOf(UpdaterConfig.Parsed.Run.class, parse(Map.of(), line)).config();
  }

  private static List<String> errors(String... line) {
    return assertInstanceOf(UpdaterConfig.Parsed.Invalid.class, parse(Map.of(), line)).errors();
  }

  private static String error(String... line) {
    List<String> errors = errors(line);
    assertEquals(1, errors.size(), errors.toString());
    return errors.get(0);
  }

  private static ElectionSettings settings(String... line) {
    return run(line).election().orElseThrow().settings();
  }

  @Test
  void defaultsAreWhatTheHelpSays() {
    assertEquals(
        new UpdaterConfig(
            UpdaterConfig.Mode.RUN,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            new TargetSettings(
                "default", "kubernetes", new TargetName("kube-system", "apiserver"), true),
            Optional.of(
                new UpdaterConfig.Election(
                    new LeaseName("kube-system", "apiserver-updater"),
                    new ElectionSettings(
                        "host_r4nd0m",
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(1)))),
            true,
            Optional.of(
                new UpdaterConfig.Probing(
                    UpdaterConfig.Probing.Question.READYZ,
                    new ProbePolicy(Duration.ofMillis(300), Duration.ofMillis(350), 2, 2))),
            Optional.of(new InetSocketAddress(8080)),
            true,
            Output.DIFF,
            List.of(),
            false,
            UpdaterConfig.LogFormat.TEXT),
        run());
  }

  @Nested
  class EachFlag {
    @Test
    void statusPage() {
      assertTrue(run().statusPage());
      assertFalse(run("--status-page=false").statusPage());
    }

    @Test
    void modes() {
      assertEquals(UpdaterConfig.Mode.DRY_RUN, run("--dry-run").mode());
      assertEquals(UpdaterConfig.Mode.ONCE, run("--once").mode());
      assertEquals(UpdaterConfig.Mode.RUN, run("--once=false").mode());
    }

    @Test
    void whatLooksOnlyOnceWaitsLongerForAMember() {
      for (String mode : List.of("--dry-run", "--once")) {
        assertEquals(
            Duration.ofSeconds(1), run(mode).probing().orElseThrow().policy().timeout(), mode);
        assertEquals(
            Duration.ofMillis(400),
            run(mode, "--probe-timeout=400ms").probing().orElseThrow().policy().timeout(),
            mode);
      }
    }

    @Test
    void output() {
      assertEquals(Output.YAML, run("--dry-run", "-o", "yaml").output());
      assertEquals(Output.JSON, run("--dry-run", "-ojson").output());
      assertEquals(Output.DIFF, run("--dry-run", "--output=diff").output());
    }

    @Test
    void filename() {
      assertEquals(List.of(), run("--dry-run").sourceFiles());
      assertEquals(List.of("-"), run("--dry-run", "-f", "-").sourceFiles());
      assertEquals(
          List.of("a.yaml", "b"), run("--dry-run", "--filename=a.yaml", "-fb").sourceFiles());
    }

    @Test
    void kubeconfigAndContext() {
      UpdaterConfig config = run("--kubeconfig=/a", "--context", "main");
      assertEquals(Optional.of(Path.of("/a")), config.kubeconfig());
      assertEquals(Optional.of("main"), config.context());
    }

    @Test
    void failover() {
      assertEquals(Optional.of(true), run("--apiserver-failover").failover());
      assertEquals(Optional.of(false), run("--apiserver-failover=false").failover());
    }

    @Test
    void sourceAndTarget() {
      assertEquals(
          new TargetSettings("ns", "src", new TargetName("other", "svc"), false),
          run("--source=ns/src", "--namespace=other", "--service=svc", "--write-endpoints=false")
              .target());
    }

    @Test
    void leaseGoesWithTheNamespaceUnlessItIsGiven() {
      assertEquals(
          new LeaseName("other", "apiserver-updater"),
          run("--namespace=other").election().orElseThrow().lease());
      assertEquals(
          new LeaseName("third", "mine"),
          run("--namespace=other", "--lease-namespace=third", "--lease-name=mine")
              .election()
              .orElseThrow()
              .lease());
    }

    @Test
    void electionCanBeTurnedOff() {
      assertEquals(Optional.empty(), run("--leader-elect=false").election());
    }

    @Test
    void timesOfTheElection() {
      assertEquals(
          new ElectionSettings(
              "host_r4nd0m",
              Duration.ofSeconds(15),
              Duration.ofSeconds(10),
              Duration.ofMillis(2500)),
          settings("--lease-duration=15s", "--renew-deadline=10s", "--retry-period=2.5s"));
    }

    @Test
    void verbose() {
      assertTrue(run("-v").verbose());
    }

    @Test
    void logFormat() {
      assertEquals(UpdaterConfig.LogFormat.JSON, run("--log-format=json").logFormat());
      assertEquals("--log-format is \"xml\", expected text or json", error("--log-format=xml"));
    }

    @Test
    void helpAndVersionWinOverEverything() {
      assertInstanceOf(UpdaterConfig.Parsed.Help.class, parse(Map.of(), "--help", "--nope"));
      assertInstanceOf(UpdaterConfig.Parsed.Help.class, parse(Map.of(), "-h"));
      assertInstanceOf(UpdaterConfig.Parsed.Version.class, parse(Map.of(), "--version"));
    }

    @Test
    void commandsComeFirst() {
      assertInstanceOf(
          UpdaterConfig.Parsed.Help.class, parse(Map.of(), "completion", "--help", "--nope"));
      assertEquals(
          "the command completion comes first: updater completion",
          error("--verbose", "completion"));
      assertEquals(
          "unknown command \"completions\"; did you mean completion?", error("completions"));
    }

    @Test
    void drainTakesAnAddressAndATime() {
      TargetSettings target =
          new TargetSettings("default", "kubernetes", new TargetName("a", "apiserver"), false);
      assertEquals(
          new UpdaterConfig.Parsed.Drain(
              new DrainConfig(
                  Optional.empty(),
                  Optional.of("b"),
                  target,
                  "192.0.2.1",
                  Optional.of(Duration.ofMinutes(30)),
                  false)),
          parse(Map.of(), "drain", "--namespace=a", "192.0.2.1", "--context=b"));
      assertEquals(
          Optional.of(Duration.ofHours(1)),
          drain("drain", "2001:db8::1", "--for=1h").config().time());
      assertEquals(Optional.empty(), drain("undrain", "192.0.2.1").config().time());
      assertEquals("expected the IP address of an apiserver", error("drain"));
      assertEquals("\"cp-1\" is not an IP address", error("undrain", "cp-1"));
      assertTrue(error("drain", "192.0.2.1", "--for=25h").startsWith("--for is"));
      assertTrue(error("drain", "192.0.2.1", "--for=0s").startsWith("--for is"));
      assertTrue(error("undrain", "192.0.2.1", "--for=1h").startsWith("unknown flag"));
    }

    private UpdaterConfig.Parsed.Drain drain(String... line) {
      return assertInstanceOf(UpdaterConfig.Parsed.Drain.class, parse(Map.of(), line));
    }

    @Test
    void completionNeedsAShell() {
      assertInstanceOf(UpdaterConfig.Parsed.Completion.class, parse(Map.of(), "completion", "zsh"));
      for (String[] line : new String[][] {{"completion"}, {"completion", "tcsh"}}) {
        assertEquals("completion needs a shell: bash, zsh or fish", error(line));
      }
    }
  }

  @Nested
  class Identity {
    private String identity(Map<String, String> environment, String... line) {
      UpdaterConfig.Parsed parsed = parse(environment, line);
      return assertInstanceOf(UpdaterConfig.Parsed.Run.class, parsed)
          .config()
          .election()
          .orElseThrow()
          .settings()
          .identity();
    }

    @Test
    void flagThenPodThenHost() {
      Map<String, String> pod = Map.of("POD_NAME", "pod-1");
      assertEquals("me_r4nd0m", identity(pod, "--identity=me"));
      assertEquals("pod-1_r4nd0m", identity(pod));
      assertEquals("host_r4nd0m", identity(Map.of("POD_NAME", "")));
    }

    @Test
    void hostIsNotAskedForWhenThePodIsNamed() {
      UpdaterConfig.Parsed parsed =
          UpdaterFlags.parse(
              List.of(),
              Map.of("POD_NAME", "pod-1"),
              () -> {
                throw new AssertionError("asked");
              },
              () -> "x");
      assertInstanceOf(UpdaterConfig.Parsed.Run.class, parsed);
    }

    @Test
    void emptyOneIsRefused() {
      assertTrue(error("--identity=").startsWith("--identity is \"\""));
    }
  }

  @ParameterizedTest
  @CsvSource({"5s, 5000", "1m, 60000", "1m30s, 90000", "1h, 3600000", "4000ms, 4000", "0.1m, 6000"})
  void durationsAreWrittenAsInGo(String text, long millis) {
    assertEquals(
        Duration.ofMillis(millis),
        run("--probe-interval=" + text).probing().orElseThrow().policy().interval());
  }

  /** A standby waits for a silent holder no longer, whatever its Lease says. */
  @Test
  void leaseLastsNoLongerThanAStandbyWaits() {
    assertEquals(Duration.ofMinutes(1), settings("--lease-duration=60s").leaseDuration());
    String error = error("--lease-duration=61s");
    assertTrue(error.contains("expected a duration from 1s to 1m"), error);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "5", "s", "-5s", "5 s", "5s ", "5x", "0s", "25h", "1s2", "1.s", "0.1ms0"})
  void refusesWhatIsNoDuration(String text) {
    String error = error("--lease-duration=" + text);
    assertTrue(
        error.startsWith("--lease-duration is \"" + text + "\", expected a duration"), error);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--lease-duration=4500ms | --lease-duration is 4500ms, expected whole seconds",
        "--renew-deadline=4s | --renew-deadline is 4s, expected less than --lease-duration",
        "--retry-period=3s | --retry-period is 3s, expected less than --renew-deadline",
        "--write-endpoints=yes | --write-endpoints is \"yes\", expected true or false",
        "--dry-run=1 | --dry-run is \"1\", expected true or false",
        "--help=perhaps | --help is \"perhaps\", expected true or false",
        "--apiserver-failover=maybe | --apiserver-failover is \"maybe\", expected true or false",
        "--leader-elect=no | --leader-elect is \"no\", expected true or false",
        "--namespace=A | --namespace is \"A\", expected a Kubernetes name",
        "--service=-a | --service is \"-a\", expected a Kubernetes name",
        "--lease-name=a_b | --lease-name is \"a_b\", expected a Kubernetes name",
        "--lease-namespace= | --lease-namespace is \"\", expected a Kubernetes name",
        "--source=kubernetes | --source is \"kubernetes\", expected NAMESPACE/NAME",
        "--source=a/b/c | --source is \"a/b/c\", expected NAMESPACE/NAME",
        "--source=/b | --source is \"/b\", expected NAMESPACE/NAME",
        "--source=kube-system/apiserver | --source is the target Service itself",
        "--kubeconfig= | --kubeconfig is \"\", expected a path",
        "--context= | --context is \"\", expected a value",
        "--listen=8080 | --listen is \"8080\", expected [ADDRESS]:PORT",
        "--listen=:65536 | --listen is \":65536\", expected [ADDRESS]:PORT",
        "--listen=::1:80 | --listen is \"::1:80\", expected [ADDRESS]:PORT",
        "--output=yaml | --output belongs to --dry-run",
        "--filename=a | --filename belongs to --dry-run",
      })
  void refusals(String argument, String expected) {
    String error = error(argument);
    assertTrue(error.startsWith(expected), error);
  }

  @Test
  void unknownOutputIsRefused() {
    assertTrue(error("--dry-run", "-o", "xml").contains("expected diff, yaml or json"));
    assertTrue(error("--dry-run", "-o", "YAML").contains("expected diff, yaml or json"));
  }

  @Test
  void modesExcludeEachOther() {
    assertTrue(error("--dry-run", "--once").contains("exclude each other"));
  }

  @Test
  void targetThatIsTheSourceIsRefused() {
    assertTrue(
        error("--namespace=default", "--service=kubernetes").contains("the target Service itself"));
  }

  @ParameterizedTest
  @CsvSource({
    ":8080, 0.0.0.0, 8080",
    "127.0.0.1:80, 127.0.0.1, 80",
    "[::1]:8080, ::1, 8080",
    ":0, 0.0.0.0, 0",
  })
  void listenAddresses(String text, String host, int port) {
    InetSocketAddress expected = new InetSocketAddress(host, port);
    InetSocketAddress actual = run("--listen=" + text).listen().orElseThrow();
    assertEquals(port, actual.getPort());
    if (text.startsWith(":")) {
      assertTrue(actual.getAddress().isAnyLocalAddress());
    } else {
      assertEquals(expected, actual);
    }
  }

  @Test
  void listeningCanBeTurnedOff() {
    assertEquals(Optional.empty(), run("--listen=0").listen());
  }

  @Test
  void allErrorsAreToldAtOnce() {
    List<String> errors =
        errors(
            "word", "--nope", "--namespace=A", "--renew-deadline=9s", "--listen=x", "-o", "yaml");
    assertEquals(6, errors.size(), errors.toString());
  }

  @Test
  void everyFlagIsRead() {
    for (Flag<?> flag : UpdaterFlags.FLAGS.all()) {
      String argument = flag.isSwitch() ? "=perhaps" : "=";
      assertInstanceOf(
          UpdaterConfig.Parsed.Invalid.class,
          parse(Map.of(), "--" + flag.name() + argument),
          flag.name() + " takes anything");
    }
  }
}
