package io.apiserverupdater.bootstrap.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Ready;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.bootstrap.boot.BootSequence.Pinned;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRule;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.RuleOutcome;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import io.apiserverupdater.bootstrap.state.BootMemory;
import io.apiserverupdater.bootstrap.state.BootPhase;
import io.apiserverupdater.bootstrap.state.BootState;
import io.apiserverupdater.bootstrap.state.Evidence;
import io.apiserverupdater.bootstrap.state.OwnEntry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** The sequences in stepped time: each probe is answered by what the world is at that moment. */
class BootSequenceTest {
  private static final ApiserverAddress CP1 = address("10.0.0.1");
  private static final ApiserverAddress CP2 = address("10.0.0.2");
  private static final ApiserverAddress SERVICE = address("10.96.0.64");
  private static final ProbeResult REFUSED = new Unreachable(Reason.REFUSED, "");
  private static final ProbeResult BLACK_HOLE = new Unreachable(Reason.CONNECT_TIMEOUT, "");

  private static final Optional<OwnEntry> OURS = Optional.of(new OwnEntry("name", 0));

  private List<ApiserverAddress> candidates = List.of(CP1, CP2);
  private Optional<ApiserverAddress> local = Optional.empty();
  private Optional<ApiserverAddress> service = Optional.of(SERVICE);
  private Optional<Duration> waitLimit = Optional.empty();
  private final World world = new World();
  private final Entry entry = new Entry();
  private final Table table = new Table();
  private final List<BootState> states = new ArrayList<>();
  private final BootMemory memory =
      new BootMemory() {
        @Override
        public Optional<BootState> read() {
          return states.isEmpty() ? Optional.empty() : Optional.of(states.get(states.size() - 1));
        }

        @Override
        public void keep(BootState state) {
          states.add(state);
        }
      };
  private final ByteArrayOutputStream log = new ByteArrayOutputStream();

  static ApiserverAddress address(String ip) {
    return ApiserverAddress.parse(ip, 6443).orElseThrow();
  }

  /** A server: an answer, and how long it takes; one that is never given takes all the time. */
  private record Server(ProbeResult answer, long millis) {}

  /** What happens at a moment. */
  private record Event(long atNanos, Runnable happens) {}

  /** The servers, the clock, and what is still to happen. */
  private static final class World implements Probing {
    private final Map<ApiserverAddress, Server> servers = new HashMap<>();
    private final Map<ApiserverAddress, Integer> asked = new HashMap<>();
    private final PriorityQueue<Event> events =
        new PriorityQueue<>(Comparator.comparingLong(Event::atNanos));
    private final List<Answer> answers = new ArrayList<>();
    private long now = 1_000_000_000_000L;
    private Runnable onAsk = () -> {};
    private ProbeResult late = BLACK_HOLE;

    /** By way of the rule. */
    private ProbeResult way = new Ready();

    private Duration wayDeadline = Duration.ZERO;

    void is(ApiserverAddress address, ProbeResult answer, long millis) {
      servers.put(address, new Server(answer, millis));
    }

    void after(Duration time, Runnable happens) {
      events.add(new Event(now + time.toNanos(), happens));
    }

    long millis() {
      return (now - 1_000_000_000_000L) / 1_000_000;
    }

    @Override
    public long now() {
      return now;
    }

    @Override
    public void ask(ApiserverAddress address, Duration deadline) {
      asked.merge(address, 1, Integer::sum);
      onAsk.run();
      Server server = servers.getOrDefault(address, new Server(REFUSED, 0));
      boolean inTime = server.millis() <= deadline.toMillis();
      ProbeResult result = inTime ? server.answer() : late;
      long takes = Math.min(server.millis(), deadline.toMillis());
      after(Duration.ofMillis(takes), () -> answers.add(new Answer(address, result)));
    }

    @Override
    public ProbeResult askNow(ApiserverAddress address, Duration deadline) {
      assertEquals(SERVICE, address);
      wayDeadline = deadline;
      return way;
    }

    @Override
    public Optional<Answer> await(long untilNanos) {
      while (answers.isEmpty()) {
        Event next = events.peek();
        if (next == null || next.atNanos() - untilNanos > 0) {
          now = Math.max(now, untilNanos);
          return Optional.empty();
        }
        now = Math.max(now, next.atNanos());
        events.remove(next);
        next.happens().run();
      }
      return Optional.of(answers.remove(0));
    }
  }

  private static final class Entry implements NameEntry {
    private Optional<InetAddress> address = Optional.empty();
    private final List<String> history = new ArrayList<>();
    private boolean broken;

    /** Whose the entry is, when there is one. */
    private boolean foreign;

    private String content = "127.0.0.1 localhost\n";
    private BooleanSupplier restored = () -> false;
    private Runnable onPoint = () -> {};
    private Optional<InetAddress> checked = Optional.empty();

    @Override
    public Optional<InetAddress> address() {
      return address;
    }

    @Override
    public Optional<OwnEntry> own() {
      return address.isEmpty() || foreign ? Optional.empty() : OURS;
    }

    @Override
    public Optional<String> contentWithout() {
      return own().isPresent() ? Optional.empty() : Optional.of(content);
    }

    @Override
    public boolean pointAt(InetAddress to) {
      onPoint.run();
      if (restored.getAsBoolean()) {
        return false;
      }
      boolean changed = !address.equals(Optional.of(to));
      address = Optional.of(to);
      history.add(to.getHostAddress());
      return changed;
    }

    @Override
    public Optional<String> check(InetAddress to) throws IOException {
      checked = Optional.of(to);
      if (broken) {
        throw new IOException("the file is damaged");
      }
      return Optional.empty();
    }
  }

  /** As the kernel's; whatever is asked of the cluster IP may move the counter. */
  private static final class Table implements BootRuleTable {
    private RuleReading reading = new RuleReading.Absent();
    private Optional<RuleOutcome> outcome = Optional.empty();
    private boolean ipvs;
    private int removals;

    /** How many of the next changes are told to have failed. */
    private int failingInstalls;

    private int failingRemovals;
    private Runnable onInstall = () -> {};

    boolean isThere() {
      return reading instanceof RuleReading.Present;
    }

    void carryOne() {
      if (reading instanceof RuleReading.Present present) {
        reading = new RuleReading.Present(present.rule(), present.connections() + 1);
      }
    }

    @Override
    public RuleOutcome install(BootRule rule, Duration deadline) {
      if (outcome.isPresent()) {
        return outcome.get();
      }
      if (failingInstalls > 0) {
        failingInstalls--;
        return new RuleOutcome.Failed("busy");
      }
      onInstall.run();
      reading = new RuleReading.Present(rule, 0);
      return new RuleOutcome.Done();
    }

    @Override
    public RuleReading read(Duration deadline) {
      return reading;
    }

    @Override
    public RuleOutcome remove(Duration deadline) {
      removals++;
      reading = new RuleReading.Absent();
      if (failingRemovals > 0) {
        // The kernel has done it, and nft was killed before it could say so.
        failingRemovals--;
        return new RuleOutcome.Failed("killed");
      }
      return new RuleOutcome.Done();
    }

    @Override
    public boolean ipvsCarries() {
      return ipvs;
    }
  }

  private BootSequence sequence(Strategy strategy, boolean remove) {
    entry.restored = memory::isUnpinned;
    Duration limit = Duration.ofSeconds(30);
    return new BootSequence(
        new BootSequence.Plan(
            "name", candidates, 6443, local, service, strategy, remove, limit, waitLimit, 3),
        entry,
        table,
        world,
        memory,
        () -> 42,
        () -> 0,
        new Log(new PrintStream(log, true, StandardCharsets.UTF_8), false));
  }

  private BootSequence hosts() {
    return sequence(Strategy.HOSTS, false);
  }

  private BootSequence nft(boolean remove) {
    return sequence(Strategy.NFT, remove);
  }

  private String target() {
    return entry.address.map(InetAddress::getHostAddress).orElse("");
  }

  private String logged() {
    return log.toString(StandardCharsets.UTF_8);
  }

  @Test
  void healthyFirstOneIsPinnedAndTheSecondNotAsked() throws Exception {
    world.is(CP1, new Ready(), 20);
    world.is(CP2, new Ready(), 20);
    assertEquals(Pinned.READY, hosts().pin());
    assertEquals("10.0.0.1", target());
    assertEquals(Map.of(CP1, 1), world.asked);
    assertEquals(20, world.millis());
    assertEquals(
        List.of(new BootState(BootPhase.PINNED, "10.0.0.1", Evidence.READY, 42, OURS)), states);
  }

  @Test
  void secondOneIsPinnedInTimeWhateverTheFirstDoes() throws Exception {
    Map<Server, Long> limits =
        Map.of(
            new Server(REFUSED, 0), 25L,
            new Server(new NotReady(500, List.of("etcd")), 10), 35L,
            new Server(new Unreachable(Reason.CERTIFICATE, ""), 10), 35L,
            new Server(BLACK_HOLE, 100_000), 275L,
            new Server(new Ready(), 100_000), 275L);
    for (Map.Entry<Server, Long> row : limits.entrySet()) {
      BootSequenceTest one = new BootSequenceTest();
      one.world.servers.put(CP1, row.getKey());
      one.world.is(CP2, new Ready(), 20);
      assertEquals(Pinned.READY, one.hosts().pin(), row::toString);
      assertEquals("10.0.0.2", one.target(), row::toString);
      assertTrue(one.world.millis() <= row.getValue(), () -> one.world.millis() + " " + row);
    }
  }

  @Test
  void oneThatComesUpLaterIsStillPinned() throws Exception {
    world.after(Duration.ofSeconds(20), () -> world.is(CP2, new Ready(), 20));
    assertEquals(Pinned.READY, hosts().pin());
    assertEquals("10.0.0.2", target());
    assertTrue(world.millis() < 21_500, () -> "after " + world.millis());
  }

  @Test
  void refusedCertificateIsNotToldAsAnAddressThatMoved() throws Exception {
    boolean unusedChange = entry.pointAt(CP2.ip());
    world.is(CP1, new Unreachable(Reason.CERTIFICATE, "certificate is not yet valid"), 20);
    assertEquals(Pinned.NOBODY, hosts().pin());
    String said = log.toString(StandardCharsets.UTF_8);
    assertTrue(said.contains("10.0.0.1:6443: certificate is not yet valid. Check the clock"), said);
    assertFalse(said.contains("new addresses"), said);
  }

  @Test
  void nobodyThereKeepsTheEntryAndEndsInTime() throws Exception {
    boolean unusedChange = entry.pointAt(CP2.ip());
    assertEquals(Pinned.NOBODY, hosts().pin());
    assertEquals(List.of("10.0.0.2"), entry.history);
    assertEquals(30_000, world.millis());
    assertTrue(world.asked.getOrDefault(CP1, 0) <= 70, world.asked::toString);
  }

  @Test
  void damagedFileIsToldBeforeAnybodyIsAsked() {
    entry.broken = true;
    assertThrows(IOException.class, () -> hosts().pin());
    assertEquals(Map.of(), world.asked);
  }

  @Test
  void clusterIpThatWorksIsTakenAfterThreeAnswers() throws Exception {
    boolean unusedChange = entry.pointAt(CP1.ip());
    world.is(SERVICE, new Ready(), 10);
    assertTrue(hosts().handover(false));
    assertEquals("10.96.0.64", target());
    assertEquals(Map.of(SERVICE, 3), world.asked);
    assertEquals(30, world.millis());
  }

  @Test
  void flipsWithinAQuarterOfASecondAfterTheClusterIpWorks() throws Exception {
    for (Server before : List.of(new Server(REFUSED, 0), new Server(BLACK_HOLE, 100_000))) {
      BootSequenceTest one = new BootSequenceTest();
      one.world.is(CP1, new Ready(), 20);
      one.world.servers.put(SERVICE, before);
      one.world.after(Duration.ofMillis(20_005), () -> one.world.is(SERVICE, new Ready(), 15));
      assertTrue(one.hosts().handover(true));
      assertTrue(one.world.millis() <= 20_255, () -> before + " " + one.world.millis());
    }
  }

  @Test
  void pinnedOneThatDiesIsReplacedWhileTheClusterIpDoesNotWork() throws Exception {
    world.is(CP1, new Ready(), 20);
    world.is(CP2, new Ready(), 20);
    boolean unusedChange = entry.pointAt(CP1.ip());
    world.after(Duration.ofSeconds(5), () -> world.is(CP1, REFUSED, 0));
    world.after(Duration.ofMinutes(2), () -> world.is(SERVICE, new Ready(), 15));
    assertTrue(hosts().handover(false));
    assertEquals(List.of("10.0.0.1", "10.0.0.2", "10.96.0.64"), entry.history);
  }

  @Test
  void longWaitAsksTheControlPlanesSeldom() throws Exception {
    world.is(CP1, new Ready(), 20);
    world.after(Duration.ofHours(1), () -> world.is(SERVICE, new Ready(), 15));
    assertTrue(hosts().handover(true));
    assertTrue(world.asked.getOrDefault(CP1, 0) <= 65, world.asked::toString);
    assertFalse(world.asked.containsKey(CP2));
    assertTrue(logged().lines().count() < 25, this::logged);
  }

  @Test
  void waitEndsWhenItIsTold() throws Exception {
    world.is(CP1, new Ready(), 20);
    boolean unusedChange = entry.pointAt(CP1.ip());
    waitLimit = Optional.of(Duration.ofSeconds(5));
    assertFalse(hosts().handover(true));
    assertEquals("10.0.0.1", target());
    assertEquals(5_000, world.millis());
  }

  @Test
  void controlPlaneWithoutPeersWaitsForItsOwnWithoutSpinning() throws Exception {
    candidates = List.of(CP1);
    local = Optional.of(CP1);
    service = Optional.empty();
    BootSequence sequence = hosts();
    assertEquals(Pinned.READY, sequence.pin());
    assertEquals("10.0.0.1", target());
    assertEquals(0, world.millis());
    world.after(Duration.ofSeconds(10), () -> world.is(CP1, new Ready(), 10));
    assertTrue(sequence.handover(false));
    assertTrue(world.asked.getOrDefault(CP1, 0) < 130, world.asked::toString);
  }

  @Test
  void nftPointsAtTheClusterIpFromTheStart() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    assertEquals("10.96.0.64", target());
    assertTrue(
        table.reading instanceof RuleReading.Present present
            && present.rule().candidates().equals(List.of(CP1)),
        table.reading::toString);
  }

  @Test
  void nftHandsOverOnlyWhenTheRuleCarriesNothingAnyMore() throws Exception {
    world.is(CP1, new Ready(), 20);
    world.is(SERVICE, new Ready(), 10);
    assertEquals(Pinned.READY, nft(false).pin());
    world.onAsk = table::carryOne;
    world.after(Duration.ofSeconds(20), () -> world.onAsk = () -> {});
    assertTrue(nft(false).handover(true));
    assertTrue(world.millis() >= 20_000, () -> "after " + world.millis());
    assertTrue(world.asked.getOrDefault(SERVICE, 0) < 20, world.asked::toString);
    assertTrue(table.reading instanceof RuleReading.Present, table.reading::toString);
  }

  @Test
  void nftTakesTheRuleOutWhenAsked() throws Exception {
    world.is(CP1, new Ready(), 20);
    world.is(SERVICE, new Ready(), 10);
    BootSequence sequence = nft(true);
    assertEquals(Pinned.READY, sequence.pin());
    assertTrue(sequence.handover(true));
    assertEquals(new RuleReading.Absent(), table.reading);
  }

  /**
   * Answers at the cluster IP come by the rule while it is there, and else by IPVS.
   *
   * @param byIpvs what a connection meets there
   */
  private void ipvsHasTheService(Server byIpvs) {
    table.ipvs = true;
    world.onAsk =
        () -> {
          table.carryOne();
          world.servers.put(SERVICE, table.isThere() ? new Server(new Ready(), 10) : byIpvs);
        };
  }

  @Test
  void ipvsIsBelievedByItsAnswersWithoutTheRule() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    ipvsHasTheService(new Server(new Ready(), 10));
    assertTrue(nft(false).handover(true));
    assertEquals(new RuleReading.Absent(), table.reading);
    // One by the rule, and then as many as it takes.
    assertEquals(4, world.asked.getOrDefault(SERVICE, 0));
    assertTrue(logged().contains("rule=removed"), this::logged);
  }

  /** kube-proxy fills IPVS first and makes the rules that masquerade last. */
  @Test
  void ruleIsBackWhereIpvsDoesNotLeadToAnApiserverYet() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    ipvsHasTheService(new Server(BLACK_HOLE, 100_000));
    long begun = world.millis();
    long[] without = {0};
    for (int i = 0; i < 9_000; i++) {
      world.after(Duration.ofMillis(10L * i + 5), () -> without[0] += table.isThere() ? 0 : 10);
    }
    world.after(Duration.ofSeconds(90), () -> ipvsHasTheService(new Server(new Ready(), 10)));
    assertTrue(nft(false).handover(true));
    long took = world.millis() - begun;
    assertTrue(took >= 90_000 && took < 151_000, () -> "after " + took);
    assertEquals(new RuleReading.Absent(), table.reading);
    // Each trial takes the way from the whole node: they are short and become rare.
    assertTrue(table.removals > 3 && table.removals < 13, () -> table.removals + " trials");
    assertTrue(without[0] < 2_500, () -> without[0] + " ms without the rule");
    assertEquals(2, logged().split("rule=kept", -1).length, this::logged);
  }

  /** Its first answer takes longer than a lost packet is waited for. */
  @Test
  void slowAnswerByIpvsIsNoFailedTrial() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    ipvsHasTheService(new Server(new Ready(), 600));
    world.late = new Unreachable(Reason.HANDSHAKE_TIMEOUT, "");
    assertTrue(nft(false).handover(true));
    assertEquals(2, table.removals);
  }

  /** The next trial is up to a minute away by then, and so long the name would lead nowhere. */
  @Test
  void ruleThatCouldNotBePutBackIsTriedAgainAtOnce() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    ipvsHasTheService(new Server(BLACK_HOLE, 100_000));
    long[] without = {0};
    for (int i = 0; i < 9_000; i++) {
      world.after(Duration.ofMillis(10L * i + 5), () -> without[0] += table.isThere() ? 0 : 10);
    }
    world.after(Duration.ofSeconds(20), () -> table.failingInstalls = 2);
    waitLimit = Optional.of(Duration.ofSeconds(89));
    assertFalse(nft(false).handover(true));
    assertTrue(table.isThere());
    assertEquals(0, table.failingInstalls);
    assertTrue(without[0] < 2_500, () -> without[0] + " ms without the rule");
    // In one line, and not as the work of another program.
    assertEquals(2, logged().split("rule=missing", -1).length, this::logged);
    assertFalse(logged().contains("another program"), this::logged);
  }

  @Test
  void ruleThatIsGoneAlthoughItsRemovalFailedIsPutBack() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    ipvsHasTheService(new Server(BLACK_HOLE, 100_000));
    table.failingRemovals = 1;
    boolean[] backAtOnce = {false};
    table.onInstall = () -> backAtOnce[0] |= table.removals == 1;
    world.after(
        Duration.ofMillis(15), () -> assertTrue(table.removals == 1 && table.isThere(), "gone"));
    waitLimit = Optional.of(Duration.ofMillis(100));
    assertFalse(nft(false).handover(true));
    assertTrue(backAtOnce[0] && table.isThere());
  }

  /** As refresh may do it. Answers by that rule are no answers by IPVS. */
  @Test
  void ruleThatAnotherProcessInstalledDuringATrialEndsIt() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    RuleReading rule = table.reading;
    table.ipvs = true;
    world.is(SERVICE, new Ready(), 10);
    world.onAsk =
        () -> {
          if (!table.isThere()) {
            table.reading = rule;
            table.ipvs = false;
          }
          table.carryOne();
        };
    waitLimit = Optional.of(Duration.ofSeconds(20));
    assertFalse(nft(false).handover(true));
    assertTrue(table.removals == 1 && table.isThere());
    // With the pauses of a wait: a question costs an apiserver a handshake.
    assertTrue(world.asked.getOrDefault(SERVICE, 0) < 20, world.asked::toString);
  }

  @Test
  void ruleIsBackWhenTheHandOverIsInterruptedInATrial() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    ipvsHasTheService(new Server(BLACK_HOLE, 100_000));
    world.after(
        Duration.ofMillis(15),
        () -> {
          assertFalse(table.isThere());
          throw new IllegalStateException("interrupted");
        });
    assertThrows(IllegalStateException.class, () -> nft(false).handover(true));
    assertTrue(table.isThere());
  }

  @Test
  void ruleIsNotBackWhenRestoreEndsATrial() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    ipvsHasTheService(new Server(BLACK_HOLE, 100_000));
    // An adopted line may have led there before.
    world.after(Duration.ofMillis(15), this::restoreToTheClusterIp);
    assertTrue(nft(false).handover(true));
    assertFalse(table.isThere());
  }

  private void restoreToTheClusterIp() {
    assertFalse(table.isThere());
    memory.keep(BootState.unpinned(SERVICE.ip().getHostAddress(), 43));
  }

  @Test
  void ruleIsBackWhenTheWaitEndsInATrial() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    ipvsHasTheService(new Server(BLACK_HOLE, 100_000));
    waitLimit = Optional.of(Duration.ofMillis(60));
    assertFalse(nft(false).handover(true));
    assertEquals(1, table.removals);
    assertTrue(table.isThere());
  }

  /**
   * kube-proxy works in another mode now, whose rules come before ours: the counter stands still.
   */
  @Test
  void ruleStaysWhereIpvsCarriesNothing() throws Exception {
    world.is(CP1, new Ready(), 20);
    world.is(SERVICE, new Ready(), 10);
    table.ipvs = true;
    BootSequence sequence = nft(false);
    assertEquals(Pinned.READY, sequence.pin());
    assertTrue(sequence.handover(true));
    assertTrue(table.isThere());
  }

  @Test
  void nodeThatCannotHaveTheRuleFallsBackWithOneWarning() throws Exception {
    table.outcome = Optional.of(new RuleOutcome.Unsupported("no nft"));
    world.is(CP1, new Ready(), 20);
    BootSequence sequence = nft(false);
    assertEquals(Pinned.READY, sequence.pin());
    assertEquals("10.0.0.1", target());
    world.after(Duration.ofSeconds(30), () -> world.is(SERVICE, new Ready(), 10));
    assertTrue(sequence.handover(true));
    assertEquals("10.96.0.64", target());
    assertEquals(2, logged().split("fallback=hosts", -1).length, this::logged);
  }

  /** The units are two programs: the second does not know what the first found out. */
  @Test
  void nodeThatCannotHaveTheRuleIsHandedOverByAnotherProcess() throws Exception {
    table.outcome = Optional.of(new RuleOutcome.Unsupported("no nft"));
    table.reading = new RuleReading.Unreadable("no nft");
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    world.is(SERVICE, new Ready(), 10);
    waitLimit = Optional.of(Duration.ofMinutes(1));
    assertTrue(nft(false).handover(true));
    assertEquals("10.96.0.64", target());
  }

  /** With the name at the cluster IP, a rule that cannot be read may well be what carries. */
  @Test
  void ruleThatCannotBeReadProvesNothing() throws Exception {
    entry.pointAt(SERVICE.ip());
    table.reading = new RuleReading.Unreadable("busy");
    world.is(SERVICE, new Ready(), 10);
    waitLimit = Optional.of(Duration.ofSeconds(5));
    assertFalse(nft(false).handover(true));
  }

  @Test
  void waitingHandOverLeavesAnEntryThatAnotherProcessMade() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, hosts().pin());
    InetAddress another = address("10.96.0.99").ip();
    world.after(Duration.ofSeconds(30), () -> entry.pointAt(another));
    waitLimit = Optional.of(Duration.ofMinutes(10));
    assertFalse(hosts().handover(true));
    assertEquals("10.96.0.99", target());
  }

  @Test
  void waitingHandOverEndsWhenTheEntryWasTakenOut() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, hosts().pin());
    world.after(
        Duration.ofSeconds(30),
        () -> {
          entry.address = Optional.empty();
          memory.keep(BootState.unpinned("10.0.0.1", 43));
        });
    world.after(Duration.ofMinutes(5), () -> world.is(SERVICE, new Ready(), 10));
    assertTrue(hosts().handover(true));
    assertEquals(Optional.empty(), entry.address());
  }

  /** As cloud-init and configuration management do it; nobody ran restore. */
  @Test
  void entryThatAnotherProgramRemovedIsPutBackAndHandedOver() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, hosts().pin());
    world.after(Duration.ofSeconds(30), () -> entry.address = Optional.empty());
    world.after(Duration.ofSeconds(32), () -> assertEquals("10.0.0.1", target()));
    world.after(Duration.ofMinutes(5), () -> world.is(SERVICE, new Ready(), 10));
    assertTrue(hosts().handover(true));
    assertEquals("10.96.0.64", target());
    assertTrue(logged().contains("another program removed the entry"), this::logged);
    assertFalse(logged().contains("phase=removed"), this::logged);
  }

  @Test
  void entryThatWasRemovedBeforeTheHandOverBeganIsFoundAnew() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, hosts().pin());
    entry.address = Optional.empty();
    world.after(Duration.ofSeconds(2), () -> assertEquals("10.0.0.1", target()));
    world.after(Duration.ofMinutes(5), () -> world.is(SERVICE, new Ready(), 10));
    assertTrue(hosts().handover(false));
    assertEquals("10.96.0.64", target());
  }

  /** As "nft flush ruleset", a reload of firewalld and nftables.service do it. */
  @Test
  void nftRuleThatWasFlushedDuringTheWaitIsPutBack() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    RuleReading rule = table.reading;
    world.after(Duration.ofSeconds(30), () -> table.reading = new RuleReading.Absent());
    world.after(Duration.ofSeconds(31), () -> assertEquals(rule, table.reading));
    waitLimit = Optional.of(Duration.ofMinutes(1));
    assertFalse(nft(false).handover(true));
    assertEquals(rule, table.reading);
    assertTrue(logged().contains("rule=installed"), this::logged);
  }

  @Test
  void nftRuleThatWasFlushedBeforeTheHandOverBeganIsMadeAnew() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    RuleReading rule = table.reading;
    table.reading = new RuleReading.Absent();
    waitLimit = Optional.of(Duration.ofSeconds(3));
    assertFalse(nft(false).handover(false));
    assertEquals(rule, table.reading);
  }

  @Test
  void nftWithoutARouteToTheClusterIpFallsBackWithTheReason() throws Exception {
    world.way = new Unreachable(Reason.NO_ROUTE, "Network is unreachable");
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    assertEquals(List.of("10.0.0.1"), entry.history);
    assertEquals(new RuleReading.Absent(), table.reading);
    assertTrue(logged().contains("fallback=hosts"), this::logged);
    assertTrue(logged().contains("Network is unreachable"), this::logged);
  }

  @Test
  void nftAsksWhetherTheNameCouldHaveTheClusterIp() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    assertEquals(Optional.of(SERVICE.ip()), entry.checked);
  }

  /** As after a change of the hosts file, of which the path unit tells. */
  @Test
  void handOverAfterRestoreDoesNothingUntilThePin() throws Exception {
    world.is(SERVICE, new Ready(), 10);
    memory.keep(BootState.unpinned("10.0.0.1", 41));
    assertTrue(hosts().handover(false));
    assertEquals(Optional.empty(), entry.address());
    assertEquals(Map.of(), world.asked);
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, hosts().pin());
    assertTrue(hosts().handover(false));
    assertEquals("10.96.0.64", target());
  }

  @Test
  void handOverThatFindsAllAsItIsToBeKeepsSinceWhen() throws Exception {
    world.is(SERVICE, new Ready(), 10);
    boolean unusedChange = entry.pointAt(SERVICE.ip());
    BootState earlier = new BootState(BootPhase.HANDED_OVER, "10.96.0.64", Evidence.READY, 7, OURS);
    memory.keep(earlier);
    assertTrue(hosts().handover(false));
    assertEquals(List.of(earlier), states);
  }

  private void restore() {
    memory.keep(BootState.unpinned(target(), 43));
    entry.address = Optional.empty();
  }

  /**
   * The hosts file is then found without the entry, or not yet: restore comes first in each case.
   */
  @Test
  void restoreIsNotUndoneByAHandOverThatWasWaitingOrWriting() throws Exception {
    boolean unusedChange = entry.pointAt(CP1.ip());
    world.is(CP2, new Ready(), 20);
    world.is(SERVICE, new Ready(), 10);
    entry.onPoint = this::restore;
    assertTrue(hosts().handover(true));
    assertEquals("", target());
    assertTrue(memory.isUnpinned());
  }

  @Test
  void restoreIsNotUndoneThoughAForeignEntryIsThereAfterwards() throws Exception {
    boolean unusedChange = entry.pointAt(CP1.ip());
    world.after(
        Duration.ofSeconds(30),
        () -> {
          memory.keep(BootState.unpinned("10.0.0.1", 43));
          entry.address = Optional.of(CP2.ip());
        });
    world.after(Duration.ofSeconds(31), () -> world.is(SERVICE, new Ready(), 10));
    world.is(CP1, new Ready(), 20);
    assertTrue(hosts().handover(true));
    assertEquals("10.0.0.2", target());
    assertTrue(memory.isUnpinned());
  }

  /** A search that lasts, and a person who ends it meanwhile. */
  @Test
  void restoreIsNotUndoneByAPinThatWasSearching() throws Exception {
    world.after(Duration.ofSeconds(3), this::restore);
    world.after(Duration.ofSeconds(5), () -> world.is(CP1, new Ready(), 20));
    Pinned unusedPinned = hosts().pin();
    assertEquals("", target());
    assertTrue(memory.isUnpinned());
  }

  @Test
  void foreignEntryIsNeverKeptAsOursNorPutBack() throws Exception {
    entry.foreign = true;
    entry.address = Optional.of(SERVICE.ip());
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, nft(false).pin());
    assertEquals(Optional.empty(), memory.read().orElseThrow().own());
    world.after(Duration.ofSeconds(30), () -> entry.address = Optional.empty());
    waitLimit = Optional.of(Duration.ofSeconds(34));
    int written = entry.history.size();
    world.is(CP1, REFUSED, 0);
    assertFalse(nft(false).handover(true));
    assertEquals(written, entry.history.size());
  }

  /** Cut first and then written in pieces, as by a shell's redirection. */
  @Test
  void fileThatIsBeingWrittenIsLeftUntilItIsSteady() throws Exception {
    world.is(CP1, new Ready(), 20);
    assertEquals(Pinned.READY, hosts().pin());
    world.after(
        Duration.ofSeconds(20),
        () -> {
          entry.content = "";
          entry.address = Optional.empty();
        });
    for (int tenths = 1; tenths <= 50; tenths++) {
      String written = "127.0.0.1 a\n".repeat(tenths / 5);
      world.after(
          Duration.ofMillis(20_000 + 100 * tenths),
          () -> {
            assertEquals("", target());
            entry.content = written;
          });
    }
    world.after(Duration.ofSeconds(21), () -> world.is(SERVICE, new Ready(), 10));
    assertTrue(hosts().handover(true));
    assertEquals("10.96.0.64", target());
    assertTrue(world.millis() >= 26_000 && world.millis() < 28_000, () -> "" + world.millis());
  }

  @Test
  void fileThatStaysEmptyIsWrittenAtLast() throws Exception {
    entry.content = "";
    world.is(SERVICE, new Ready(), 10);
    assertTrue(hosts().handover(true));
    assertTrue(world.millis() >= 60_000 && world.millis() < 62_000, () -> "" + world.millis());
  }

  /** A hosts file has no ports: the name cannot reach the port on which the apiserver listens. */
  @Test
  void nftThatFallsBackToAnotherPortReachesNoApiserverAndSaysSo() throws Exception {
    ApiserverAddress other = ApiserverAddress.parse("10.0.0.1:16443", 6443).orElseThrow();
    candidates = List.of(other);
    world.is(other, new Ready(), 20);
    table.outcome = Optional.of(new RuleOutcome.Failed("no nft"));
    assertEquals(Pinned.NOBODY, nft(false).pin());
    assertEquals("10.96.0.64", target());
    assertEquals(Evidence.NONE, memory.read().orElseThrow().evidence());
    assertTrue(logged().contains("name-unreachable"), this::logged);
    waitLimit = Optional.of(Duration.ofMinutes(30));
    log.reset();
    assertFalse(nft(false).handover(true));
    assertEquals(1, logged().split("name-unreachable", -1).length - 1, this::logged);
  }

  @Test
  void nftTriesTheWayByWhatTheControlPlaneAnswered() throws Exception {
    for (ProbeResult answer : List.of(new Ready(), new NotReady(401, List.of()))) {
      BootSequenceTest one = new BootSequenceTest();
      one.world.way = BLACK_HOLE;
      one.world.is(CP1, answer, 20);
      assertEquals(Pinned.READY, one.nft(false).pin());
      assertEquals("10.0.0.1", one.target(), answer::toString);
      assertEquals(Duration.ofSeconds(5), one.world.wayDeadline);
    }
    world.way = BLACK_HOLE;
    world.is(CP1, new NotReady(500, List.of("etcd")), 20);
    assertEquals(Pinned.VERIFIED, nft(false).pin());
    assertEquals("10.96.0.64", target());
    assertEquals(Duration.ofSeconds(1), world.wayDeadline);
  }
}
