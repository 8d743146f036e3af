package io.apiserverupdater.lab;

import com.google.gson.JsonObject;

/**
 * The Pod of a replica in the API alone, as a scheduler and a kubelet would leave it: by it {@code
 * updater status} finds the process that takes its place.
 */
public final class PodObject {
  private static final String PODS = "/api/v1/namespaces/kube-system/pods";

  private PodObject() {}

  /** Says that the replica runs on this worker, in the worker's network. */
  public static void create(AdminClient admin, String replica, Worker worker) {
    JsonObject unusedPod =
        admin.create(
            PODS,
            """
            {"apiVersion": "v1", "kind": "Pod",
             "metadata": {"name": "%s",
               "labels": {"app.kubernetes.io/name": "apiserver-updater"}},
             "spec": {"nodeName": "%s", "terminationGracePeriodSeconds": 0,
               "containers": [{"name": "updater", "image": "none",
                 "ports": [{"name": "http", "containerPort": 8080}]}]}}
            """
                .formatted(replica, worker.name()));
    JsonObject unusedStatus =
        admin.patch(
            PODS + "/" + replica + "/status",
            """
            {"status": {"phase": "Running", "podIP": "%1$s", "podIPs": [{"ip": "%1$s"}]}}
            """
                .formatted(worker.host().address()));
  }

  public static void delete(AdminClient admin, String replica) {
    admin.delete(PODS + "/" + replica);
  }
}
