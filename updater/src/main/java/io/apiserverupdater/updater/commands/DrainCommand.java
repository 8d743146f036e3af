package io.apiserverupdater.updater.commands;

import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.updater.configuration.DrainConfig;
import io.apiserverupdater.updater.controller.EndpointsClient;
import io.apiserverupdater.updater.endpoints.Drains;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.kube.ClusterReading;
import io.apiserverupdater.updater.kube.KubeCluster;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * {@code drain} and {@code undrain}: writes what is asked for into the annotation of the Service,
 * and waits until the updater has taken the member out.
 */
public final class DrainCommand {
  private static final int ATTEMPTS = 5;
  private static final int DONE = 0;
  private static final int REFUSED = 1;
  private static final int ERROR = 2;

  /** The updater needs a fraction of a second, and the time to take over if its leader has died. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final Duration BETWEEN_READS = Duration.ofMillis(100);

  private final DrainConfig config;
  private final KubeCluster cluster;
  private final Clock clock;

  private DrainCommand(DrainConfig config, KubeCluster cluster, Clock clock) {
    this.config = config;
    this.cluster = cluster;
    this.clock = clock;
  }

  /**
   * Carries it out.
   *
   * @param cluster ends with this
   * @param clock the wall clock
   * @return the exit code
   */
  public static int run(DrainConfig config, KubeCluster cluster, Clock clock)
      throws InterruptedException {
    try (cluster) {
      return new DrainCommand(config, cluster, clock).run();
    }
  }

  private int run() throws InterruptedException {
    String failure = "";
    // More than one attempt only when somebody else changes the Service at the same time.
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      ClusterReading reading = cluster.readOnce(Optional.of(List.of()));
      if (reading instanceof ClusterReading.Unreadable unreadable) {
        return error(unreadable.why());
      }
      ObservedState state = ((ClusterReading.Read) reading).state();
      Optional<Service> service = state.service();
      if (service.isEmpty()) {
        return refused("Service " + config.target().target() + " does not exist");
      }
      Drains before = service.get().drains();
      Instant now = clock.instant();
      Drains after = wanted(before, now);
      if (config.time().isPresent()) {
        Optional<String> objection = objection(state, before, now);
        if (objection.isPresent()) {
          return refused(objection.get());
        }
      } else if (!before.hasEntryOf(config.address())) {
        System.out.println(config.address() + " is not drained");
        return DONE;
      }
      EndpointsClient.WriteResult result =
          cluster.annotateService(
              Drains.ANNOTATION, Optional.of(after.text()).filter(text -> !text.isEmpty()));
      if (result instanceof EndpointsClient.WriteResult.Written) {
        after.refusals().forEach(refusal -> System.err.println("note: " + refusal.message()));
        return written(after);
      }
      failure =
          result instanceof EndpointsClient.WriteResult.NotWritten not
              ? not.reason()
              : "another client has changed it";
      if (result instanceof EndpointsClient.WriteResult.Rejected) {
        break;
      }
    }
    return error("could not annotate Service " + config.target().target() + ": " + failure);
  }

  private Drains wanted(Drains before, Instant now) {
    return config
        .time()
        .map(
            time ->
                before.with(
                    new Drains.Drain(
                        config.address(), now.plus(time).truncatedTo(ChronoUnit.SECONDS)),
                    now))
        .orElseGet(() -> before.without(config.address(), now));
  }

  /** Why the updater would not take the member out. */
  private Optional<String> objection(ObservedState state, Drains before, Instant now) {
    Optional<EndpointSlice> slice = sliceWith(state);
    if (slice.isEmpty()) {
      if (before.isAsked(config.address(), now)) {
        // It is down meanwhile, and is to stay out when it comes back.
        return Optional.empty();
      }
      return Optional.of(
          "%s is not a member of Service %s; its members are %s"
              .formatted(
                  config.address(),
                  config.target().target(),
                  state.slices().values().stream()
                      .flatMap(it -> it.endpoints().stream())
                      .map(Endpoint::address)
                      .collect(Collectors.joining(", "))));
    }
    boolean last = slice.get().endpoints().stream().filter(Endpoint::ready).allMatch(this::isMeant);
    return last
        ? Optional.of(
            config.address() + " is the last ready member: without it no request is answered")
        : Optional.empty();
  }

  private Optional<EndpointSlice> sliceWith(ObservedState state) {
    return state.slices().values().stream()
        .filter(slice -> slice.endpoints().stream().anyMatch(this::isMeant))
        .findFirst();
  }

  private boolean isMeant(Endpoint endpoint) {
    return IpAddress.isSame(config.address(), endpoint.address());
  }

  private int written(Drains after) throws InterruptedException {
    if (config.time().isEmpty()) {
      System.out.println(config.address() + " is no longer drained");
      return DONE;
    }
    Instant end =
        after.asked().stream()
            .filter(drain -> drain.isOf(config.address()))
            .map(Drains.Drain::until)
            .findFirst()
            .orElseThrow();
    if (!awaitOut()) {
      return error(
          ("the drain of %s until %s is requested, but it is still ready after %s s: check that the"
                  + " updater runs and that the clocks agree; its Events: kubectl -n %s describe"
                  + " service %s")
              .formatted(
                  config.address(),
                  end,
                  PATIENCE.toSeconds(),
                  config.target().target().namespace(),
                  config.target().target().service()));
    }
    System.out.println(config.address() + " is drained until " + end);
    System.err.println(
        "note: open connections stay, and pods still use it through the Service kubernetes");
    return DONE;
  }

  /** Waits until no slice lists it as ready. */
  private boolean awaitOut() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    Predicate<Endpoint> in = endpoint -> isMeant(endpoint) && endpoint.ready();
    CountDownLatch never = new CountDownLatch(1);
    while (true) {
      boolean out =
          cluster.readOnce(Optional.of(List.of())) instanceof ClusterReading.Read read
              && read.state().slices().values().stream()
                  .flatMap(slice -> slice.endpoints().stream())
                  .noneMatch(in);
      if (out || System.nanoTime() - end >= 0) {
        return out;
      }
      boolean unusedEnd = never.await(BETWEEN_READS.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  private static int refused(String why) {
    System.err.println("refused: " + why);
    return REFUSED;
  }

  private static int error(String why) {
    System.err.println("error: " + why);
    return ERROR;
  }
}
