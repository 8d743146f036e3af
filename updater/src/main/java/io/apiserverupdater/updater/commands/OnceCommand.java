package io.apiserverupdater.updater.commands;

import io.apiserverupdater.updater.controller.EndpointsClient;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.Decision;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.kube.ClusterReading;
import io.apiserverupdater.updater.kube.KubeCluster;
import io.apiserverupdater.updater.readiness.MemberProbing;
import java.time.Clock;
import java.util.Optional;

/**
 * {@code --once}: brings the target in step and ends. It takes part in no election, because every
 * write names the version that was compared: beside a running updater it finds nothing to do.
 */
public final class OnceCommand {
  private static final int ATTEMPTS = 5;
  private static final int DONE = 0;
  private static final int REFUSED = 1;
  private static final int ERROR = 2;

  private OnceCommand() {}

  public static int run(MirrorRule rule, KubeCluster cluster, Optional<MemberProbing> probing) {
    try (cluster) {
      ClusterReading reading = cluster.readOnce(Optional.empty());
      if (reading instanceof ClusterReading.Unreadable unreadable) {
        System.err.println("error: " + unreadable.why());
        return ERROR;
      }
      ObservedState state = ((ClusterReading.Read) reading).state();
      OneShotProbes probed = OneShotProbes.of(rule, state, probing, Clock.systemUTC());
      if (probed.reading() instanceof EndpointsSnapshot.Usable usable) {
        usable
            .leftOut()
            .forEach(it -> System.err.println("warning: " + it.message() + "; " + it.remedy()));
      }
      return bringInStep(rule, cluster.endpoints(), probed.reading());
    }
  }

  private static int bringInStep(
      MirrorRule rule, EndpointsClient client, EndpointsSnapshot.Reading reading) {
    String lastFailure = "";
    int written = 0;
    // More than one reconcile only when somebody else writes at the same time.
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      ObservedState state = client.observed().orElseThrow();
      Decision decision = rule.decide(state, reading);
      if (decision instanceof Decision.Refuse refuse) {
        refuse
            .refusals()
            .forEach(
                refusal ->
                    System.err.println("refused: " + refusal.message() + "; " + refusal.remedy()));
        return REFUSED;
      }
      if (!(decision instanceof Decision.Apply apply)) {
        System.err.println(
            written == 0
                ? "nothing to change; target " + rule.target()
                : written + " objects written; target " + rule.target());
        return DONE;
      }
      for (Change change : apply.changes()) {
        EndpointsClient.WriteResult result = client.apply(change, EndpointsClient.LONGEST_WRITE);
        if (result instanceof EndpointsClient.WriteResult.Written) {
          written++;
          continue;
        }
        if (result instanceof EndpointsClient.WriteResult.Rejected rejected) {
          System.err.println("error: " + rejected.describe(change));
          return ERROR;
        }
        String reason =
            result instanceof EndpointsClient.WriteResult.Failed failed
                ? failed.reason()
                : "another client has changed it";
        lastFailure = "could not " + change.describe() + ": " + reason;
        client.reread();
        break;
      }
    }
    System.err.println("error: " + lastFailure);
    return ERROR;
  }
}
