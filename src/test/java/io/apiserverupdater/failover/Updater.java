package io.apiserverupdater.failover;

import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.HttpCheck;
import io.apiserverupdater.lab.PodProcess;
import io.apiserverupdater.lab.Worker;
import java.time.Duration;

/** One replica of the updater. Used by one thread at a time. */
public final class Updater implements AutoCloseable {
  /** Under which its requests are in the audit logs. */
  static final String USER = "system:serviceaccount:kube-system:apiserver-updater";

  private static final int PORT = 8080;

  private final Worker worker;
  private final PodProcess pod;

  Updater(Worker worker, PodProcess pod) {
    this.worker = worker;
    this.pod = pod;
  }

  public String name() {
    return pod.name();
  }

  /** Where it runs. */
  public Worker worker() {
    return worker;
  }

  public PodProcess pod() {
    return pod;
  }

  /** The address and port of its status server. */
  public String statusAddress() {
    return worker.host().address() + ":" + PORT;
  }

  /** Whether an identity in the Lease is this replica's. */
  boolean isNamed(String identity) {
    return identity.startsWith(pod.name() + "_");
  }

  /** Whether it sent a request; replicas are told apart by their workers. */
  boolean sent(AuditEntry entry) {
    return entry.user().equals(USER) && entry.sourceAddress().equals(worker.host().address());
  }

  /** Whether it says that it is ready. */
  public boolean ready() {
    return HttpCheck.ok("http://" + statusAddress() + "/readyz");
  }

  void awaitReady(Duration limit) {
    Deadline.in(limit).await(name() + " is ready", this::ready, () -> pod.process().logTail());
  }

  /** SIGKILL. */
  public void kill() {
    pod.process().kill();
  }

  /** Starts it again after its end. */
  void restart(Duration limit) {
    pod.restart();
    awaitReady(limit);
  }

  @Override
  public void close() {
    pod.close();
  }
}
