package io.apiserverupdater.updater.kube;

import io.apiserverupdater.updater.kube.api.ApiAnswer;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.api.KubeJson;
import io.apiserverupdater.updater.kube.watch.ObjectList;
import io.apiserverupdater.updater.kube.watch.Resource;
import io.apiserverupdater.updater.kube.watch.ResourceCache;
import io.apiserverupdater.updater.kube.watch.ResourceWatch;
import io.apiserverupdater.updater.kube.watch.Selection;
import io.apiserverupdater.updater.leaderelection.LeaseLock;
import io.apiserverupdater.updater.leaderelection.LeaseName;
import io.apiserverupdater.updater.leaderelection.LeaseRecord;
import io.apiserverupdater.updater.leaderelection.ObservedLease;
import io.kubernetes.client.openapi.models.V1Lease;
import io.kubernetes.client.openapi.models.V1LeaseSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongSupplier;

/** The Lease, watched, and written with the version that was seen. */
final class KubeLeaseLock implements LeaseLock {
  private final LeaseName name;
  private final LongSupplier monotonic;
  private final ObjectList<V1Lease, V1Lease> list;
  private final ResourceWatch<V1Lease> watch;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  // Guarded by this.
  private Optional<ObservedLease> observed = Optional.empty();

  KubeLeaseLock(ApiClient api, LeaseName name, Duration longestWatch, LongSupplier monotonic) {
    this.name = name;
    this.monotonic = monotonic;
    this.list =
        new ObjectList<>(
            api, Resource.LEASES, Selection.named(name.namespace(), name.name()), lease -> lease);
    this.watch = new ResourceWatch<>(list, longestWatch, this::changed);
  }

  /** For its owner to start and to close. */
  ResourceWatch<V1Lease> watch() {
    return watch;
  }

  @Override
  public void onChange(Runnable listener) {
    listeners.add(listener);
  }

  private void changed() {
    sight();
    listeners.forEach(Runnable::run);
  }

  @Override
  public synchronized Sight sight() {
    if (!list.cache().isKnown()) {
      return new Sight.Unknown();
    }
    ResourceCache.Versioned<V1Lease> current = list.cache().get(name.name()).orElse(null);
    if (current == null) {
      observed = Optional.empty();
      return new Sight.Absent();
    }
    LeaseRecord leaseRecord = leaseRecord(current.object().getSpec());
    // Only a change of what the holder says counts as a sign of life.
    long since =
        observed
            .filter(before -> before.leaseRecord().equals(leaseRecord))
            .map(ObservedLease::since)
            .orElseGet(monotonic::getAsLong);
    ObservedLease now = new ObservedLease(leaseRecord, current.version(), since);
    observed = Optional.of(now);
    return new Sight.Present(now);
  }

  @Override
  public Outcome read(Duration timeout) {
    return list.read(timeout) instanceof ObjectList.Result.Failed failed
        ? failure(failed.answer())
        : new Outcome.Done();
  }

  @Override
  public Outcome create(LeaseRecord leaseRecord, Duration timeout) {
    V1Lease lease =
        new V1Lease()
            .apiVersion(Resource.LEASES.apiVersion())
            .kind(Resource.LEASES.kind())
            .metadata(Models.metadata(name.namespace(), name.name()))
            .spec(updated(Optional.empty(), leaseRecord));
    return outcome(list.create(lease, timeout));
  }

  @Override
  public Outcome update(LeaseRecord leaseRecord, String resourceVersion, Duration timeout) {
    return outcome(
        list.update(
            name.name(),
            resourceVersion,
            lease ->
                new V1Lease()
                    .apiVersion(Resource.LEASES.apiVersion())
                    .kind(Resource.LEASES.kind())
                    .metadata(lease.getMetadata())
                    .spec(updated(Optional.ofNullable(lease.getSpec()), leaseRecord)),
            timeout));
  }

  private static Outcome outcome(Optional<ApiAnswer> failure) {
    return failure.map(KubeLeaseLock::failure).orElseGet(Outcome.Done::new);
  }

  private static Outcome failure(ApiAnswer answer) {
    if (!(answer instanceof ApiAnswer.Status status)) {
      return new Outcome.Failed(answer.failure());
    }
    if (status.isRejection()) {
      return new Outcome.Rejected(status.describe());
    }
    return status.code() == 409 ? new Outcome.Conflict() : new Outcome.Failed(status.describe());
  }

  private static LeaseRecord leaseRecord(V1LeaseSpec spec) {
    if (spec == null) {
      return LeaseRecord.UNHELD;
    }
    Integer seconds = spec.getLeaseDurationSeconds();
    Integer transitions = spec.getLeaseTransitions();
    return new LeaseRecord(
        KubeJson.orEmpty(spec.getHolderIdentity()),
        Duration.ofSeconds(seconds == null ? 0 : seconds),
        Optional.ofNullable(spec.getAcquireTime()).map(OffsetDateTime::toInstant),
        Optional.ofNullable(spec.getRenewTime()).map(OffsetDateTime::toInstant),
        transitions == null ? 0 : transitions);
  }

  /** Another one: what we do not know stays as in the one before. */
  private static V1LeaseSpec updated(Optional<V1LeaseSpec> before, LeaseRecord leaseRecord) {
    return new V1LeaseSpec()
        .preferredHolder(before.map(V1LeaseSpec::getPreferredHolder).orElse(null))
        .strategy(before.map(V1LeaseSpec::getStrategy).orElse(null))
        .holderIdentity(leaseRecord.holder())
        .leaseDurationSeconds((int) leaseRecord.duration().toSeconds())
        .acquireTime(leaseRecord.acquireTime().map(KubeLeaseLock::utc).orElse(null))
        .renewTime(leaseRecord.renewTime().map(KubeLeaseLock::utc).orElse(null))
        .leaseTransitions(leaseRecord.transitions());
  }

  private static OffsetDateTime utc(Instant time) {
    return time.atOffset(ZoneOffset.UTC);
  }
}
