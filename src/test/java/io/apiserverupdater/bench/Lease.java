package io.apiserverupdater.bench;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import io.apiserverupdater.sandbox.Json;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Who leads. */
record Lease(Lab lab) {
  private static final String NAME = "apiserver-updater";
  private static final String LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
  private static final Duration SOON = Duration.ofSeconds(30);

  ObjectWatch watch() {
    return lab.admin().watch(LEASES + "?fieldSelector=metadata.name%3D" + NAME, "");
  }

  /** The replica that holds it. */
  Replica leader(List<Replica> replicas) {
    String holder = holder();
    return replicas.stream().filter(replica -> replica.isHolder(holder)).findFirst().orElseThrow();
  }

  /** The identity in it. */
  String holder() {
    return holder(lab.admin().get(LEASES + "/" + NAME));
  }

  private static String holder(JsonObject lease) {
    return Json.text(lease, "spec/holderIdentity");
  }

  /** When a watch first saw another holder than the old one. */
  static long awaitOtherHolder(ObjectWatch watch, Replica old) {
    long end = System.nanoTime() + SOON.toNanos();
    while (System.nanoTime() < end) {
      Optional<ObjectWatch.Event> event = watch.next(Duration.ofNanos(end - System.nanoTime()));
      if (event.isPresent()) {
        String holder = holder(event.get().object());
        if (!holder.isEmpty() && !old.isHolder(holder)) {
          return event.get().seenNanos();
        }
      }
    }
    throw new IllegalStateException("nobody took over within " + SOON);
  }
}
