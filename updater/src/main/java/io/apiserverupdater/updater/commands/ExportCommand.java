package io.apiserverupdater.updater.commands;

import io.apiserverupdater.updater.configuration.ExportConfig;
import io.apiserverupdater.updater.dryrun.DiffRenderer;
import io.apiserverupdater.updater.dryrun.Output;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Refusal;
import io.apiserverupdater.updater.export.Export;
import io.apiserverupdater.updater.export.ExportRule;
import io.apiserverupdater.updater.kube.KubeServerSource;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** {@code updater export} with {@code --dry-run} or {@code --once}. */
public final class ExportCommand {
  private static final int OK = 0;
  private static final int CHANGES = 1;
  private static final int REFUSED_ONCE = 1;
  private static final int ERROR = 2;
  private static final int REFUSED_DRY_RUN = 3;

  private ExportCommand() {}

  /**
   * Prints how the file would change.
   *
   * @return the exit code
   */
  public static int dryRun(ExportConfig config, Export export, KubeServerSource source) {
    Optional<List<EndpointSlice>> slices = readOnce(source);
    if (slices.isEmpty()) {
      return ERROR;
    }
    Export.Comparison comparison;
    try {
      comparison = export.compare(slices.get());
    } catch (IOException e) {
      return error(config.output() + ": " + e);
    }
    if (comparison.decision() instanceof ExportRule.Decision.Refuse refuse) {
      return refused(refuse.refusals(), REFUSED_DRY_RUN);
    }
    if (comparison.decision() instanceof ExportRule.Decision.Write write) {
      String name = config.output().toString();
      System.out.print(
          DiffRenderer.render(
              name,
              name,
              comparison.current(),
              Optional.of(write.text()),
              Output.colours(DryRunCommand.standardOutputIsTerminal(), System.getenv())));
      return CHANGES;
    }
    return OK;
  }

  /**
   * Brings the file in step.
   *
   * @return the exit code
   */
  public static int once(Export export, KubeServerSource source) throws InterruptedException {
    Optional<List<EndpointSlice>> slices = readOnce(source);
    if (slices.isEmpty()) {
      return ERROR;
    }
    Export.Result result = export.bringInStep(slices.get());
    if (result instanceof Export.Result.Refused refused) {
      return refused(refused.refusals(), REFUSED_ONCE);
    }
    if (result instanceof Export.Result.Failed failed) {
      return error(failed.step() + ": " + failed.reason());
    }
    return OK;
  }

  private static Optional<List<EndpointSlice>> readOnce(KubeServerSource source) {
    try (source) {
      Optional<String> failure = source.readOnce();
      failure.ifPresent(ExportCommand::error);
      return failure.isPresent() ? Optional.empty() : source.slices();
    }
  }

  private static int error(String message) {
    System.err.println("error: " + message);
    return ERROR;
  }

  private static int refused(List<Refusal> refusals, int code) {
    refusals.forEach(
        refusal -> System.err.println("refused: " + refusal.message() + "; " + refusal.remedy()));
    return code;
  }
}
