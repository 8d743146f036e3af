package io.apiserverupdater.tour;

import io.apiserverupdater.lab.AdminClient;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where the tour takes place: a control plane, and what can happen to it. What there is to see of
 * it, the tour reads from its API. Used by one thread, except {@link #close}.
 */
interface Stage extends AutoCloseable {

  /** A control plane, and its IP as it publishes it. */
  record Member(String name, String address) {}

  /** Who speaks when something happens to the control plane, such as {@code sandbox}. */
  String name();

  /** What it is, in half a sentence. */
  String description();

  /** Brings the control planes up; they serve when this returns. */
  List<Member> start();

  /** The admin's access to the first control plane, which never leaves. */
  AdminClient api();

  /** A kubeconfig file of the admin. */
  Path kubeconfig();

  /** Creates the Service, and whatever else the updater is installed with. */
  void install();

  /** Starts an updater; {@code number} counts from 1. */
  Replica startReplica(String name, int number, Release release);

  /** A control plane is told to stop, as for maintenance; it leaves soon, or has left. */
  void stop(Member member);

  /** Starts it again on the same address, once it has ended; it serves when this returns. */
  void bringBack(Member member);

  /** A node that boots at this control plane, where one can be shown. */
  default Optional<Runnable> node(Backstage backstage, Timeline timeline) {
    return Optional.empty();
  }

  /** How people in another terminal get to see this cluster; each line a command. */
  List<String> wayIn();

  /** Ends it, at any time and from any thread. */
  @Override
  void close();
}
