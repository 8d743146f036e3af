package io.apiserverupdater.bootstrap.nft;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.apiserver.time.Deadline;
import io.apiserverupdater.bootstrap.ipvs.IpvsServices;
import io.apiserverupdater.bootstrap.ipvs.VirtualService;
import io.apiserverupdater.bootstrap.program.Program;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The rule in this network namespace's nftables, by the program {@code nft}. */
public record NftBootRuleTable(
    ApiserverAddress service, Optional<Program> nft, String kernelRelease)
    implements BootRuleTable {
  private static final String INSTALL_IT = "install the package nftables, or use --strategy hosts";
  private static final int MAX_WORDS = 200;
  private static final Pattern VERSION = Pattern.compile("(\\d{1,9})\\.(\\d{1,9})");

  /**
   * The table of the node that this runs on; needs root, or CAP_NET_ADMIN.
   *
   * @param service the cluster IP and its port. Without one there is no rule of ours but perhaps a
   *     left one, of whatever service.
   */
  public static NftBootRuleTable ofThisNode(Optional<ApiserverAddress> service, int port) {
    return new NftBootRuleTable(
        service.orElseGet(() -> new ApiserverAddress(InetAddress.getLoopbackAddress(), port)),
        Program.find("nft", Program.folders(System.getenv().getOrDefault("PATH", ""))),
        System.getProperty("os.version", ""));
  }

  @Override
  public RuleOutcome install(BootRule rule, Duration deadline) {
    if (!rule.service().equals(service)) {
      throw new IllegalArgumentException("a rule for " + rule.service() + ", not for " + service);
    }
    if (!natCanBeShared(kernelRelease)) {
      return new RuleOutcome.Unsupported(
          ("kernel %s cannot use NAT of nftables and of kube-proxy's iptables together, 4.18 or"
                  + " newer can; use --strategy hosts")
              .formatted(kernelRelease));
    }
    return call(List.of("-f", "-"), rule.ruleset(), deadline).outcome();
  }

  @Override
  public RuleOutcome remove(Duration deadline) {
    Deadline end = Deadline.after(deadline);
    Called listed = call(List.of("list", "tables"), "", deadline);
    if (!(listed.outcome() instanceof RuleOutcome.Done)) {
      return listed.outcome();
    }
    StringBuilder script = new StringBuilder();
    for (String line : listed.output().split("\n", -1)) {
      String table = line.strip();
      // Of the other family as well: the clusterIP may have been of that one once.
      if (table.equals("table ip " + BootRule.TABLE)
          || table.equals("table ip6 " + BootRule.TABLE)) {
        // "delete" would fail if another process was faster.
        script.append("add ").append(table).append("\ndelete ").append(table).append('\n');
      }
    }
    if (script.isEmpty()) {
      return new RuleOutcome.Done();
    }
    return call(List.of("-f", "-"), script.toString(), end.left()).outcome();
  }

  @Override
  public RuleReading read(Duration deadline) {
    Called called =
        call(
            // Numbers, not names: old versions know three degrees of that.
            List.of("-nnn", "list", "table", BootRule.family(service), BootRule.TABLE),
            "",
            deadline);
    if (called.outcome() instanceof RuleOutcome.Done) {
      return RuleListing.parse(called.output());
    }
    // Said of the table; what the kernel lacks is told in other words when tables are listed.
    return called.output().contains("No such file or directory")
        ? new RuleReading.Absent()
        : new RuleReading.Unreadable(called.outcome().reason());
  }

  @Override
  public boolean ipvsCarries() {
    return IpvsServices.ofKubeProxy(service).filter(VirtualService::hasDestination).isPresent();
  }

  /** What a run of nft came to; the output is empty when it did not end. */
  private record Called(RuleOutcome outcome, String output) {}

  private Called call(List<String> arguments, String input, Duration deadline) {
    if (nft.isEmpty()) {
      return new Called(new RuleOutcome.Unsupported("there is no program nft; " + INSTALL_IT), "");
    }
    Optional<Program.Run> run;
    try {
      run = nft.get().run(arguments, input, deadline);
    } catch (IOException e) {
      String reason = brief(String.valueOf(e.getMessage()));
      return new Called(
          new RuleOutcome.Unsupported("nft cannot be started (" + reason + "); " + INSTALL_IT), "");
    }
    if (run.isEmpty()) {
      return new Called(
          new RuleOutcome.Failed(
              "nft did not finish within " + deadline.toMillis() + " ms and was killed"),
          "");
    }
    String output = run.get().output();
    return new Called(run.get().ok() ? new RuleOutcome.Done() : refusal(output), output);
  }

  /** Reads the reason out of nft's words; they are those of the C locale. */
  private static RuleOutcome refusal(String output) {
    String said = "nft said: " + brief(output);
    if (output.contains("Operation not permitted") || output.contains("Permission denied")) {
      return new RuleOutcome.Failed("nft needs root or CAP_NET_ADMIN here; " + said);
    }
    for (String missing :
        List.of(
            "not supported",
            "No such file or directory",
            "syntax error",
            "Resource busy",
            "resource busy")) {
      if (output.contains(missing)) {
        return new RuleOutcome.Unsupported(
            "this nft or this kernel does not support the rule; use --strategy hosts; " + said);
      }
    }
    return new RuleOutcome.Failed(said);
  }

  /** The first line that says something, fit for a terminal and a log. */
  private static String brief(String text) {
    String line = text.strip().split("\n", 2)[0].strip();
    return line.isEmpty() ? "nothing" : Printable.line(line, MAX_WORDS);
  }

  /**
   * Before 4.18 the first NAT on a hook, of nftables or of iptables, kept the other one out (kernel
   * commit 9971a514ed26): our rule would take the node from kube-proxy. A release that cannot be
   * read counts as new.
   */
  static boolean natCanBeShared(String release) {
    Matcher version = VERSION.matcher(release);
    if (!version.lookingAt()) {
      return true;
    }
    int major = Integer.parseInt(version.group(1));
    return major > 4 || (major == 4 && Integer.parseInt(version.group(2)) >= 18);
  }
}
