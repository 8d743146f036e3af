package io.apiserverupdater.updater.export;

import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Refusal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a load balancer's file in step with a source: decides, lets the balancer check the new
 * file, puts it in the old one's place, and tells the balancer. For one thread at a time.
 */
public final class Export implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Export.class);

  private final ExportRule rule;
  private final Path path;
  private final BalancerFile file;
  private final Optional<HostCommand> check;
  private final Optional<HostCommand> onChange;

  /**
   * @param check ends with exit code 0 when the new file is good, which stands for each {@code {}}
   * @param onChange tells the balancer
   */
  public Export(
      ExportRule rule, Path path, Optional<HostCommand> check, Optional<HostCommand> onChange) {
    this.rule = rule;
    this.path = path;
    this.file = new BalancerFile(path);
    this.check = check;
    this.onChange = onChange;
  }

  /** What came of it. */
  public sealed interface Result {
    /** The file was as it should be, and the balancer knew. */
    record Unchanged() implements Result {}

    /** It is now. */
    record Written() implements Result {}

    /** The file stays as it is. */
    record Refused(List<Refusal> refusals) implements Result {}

    /**
     * To be tried again.
     *
     * @param step {@code write}, {@code check} or {@code on-change}
     */
    record Failed(String step, String reason) implements Result {}
  }

  /** What the file should say, beside what it says. */
  public record Comparison(Optional<String> current, ExportRule.Decision decision) {}

  /** Decides, and does nothing. */
  public Comparison compare(List<EndpointSlice> slices) throws IOException {
    Optional<String> current = file.read();
    return new Comparison(current, rule.decide(slices, current));
  }

  /** Does it. */
  public Result bringInStep(List<EndpointSlice> slices) throws InterruptedException {
    try {
      return tell(carryOut(compare(slices).decision()));
    } catch (IOException e) {
      return new Result.Failed("write", path + ": " + e);
    }
  }

  /** Lets other processes write the file; the end of this one does so, too. */
  @Override
  public void close() throws IOException {
    file.close();
  }

  private Result carryOut(ExportRule.Decision decision) throws IOException, InterruptedException {
    if (decision instanceof ExportRule.Decision.Refuse refuse) {
      return new Result.Refused(refuse.refusals());
    }
    if (!(decision instanceof ExportRule.Decision.Write write)) {
      return new Result.Unchanged();
    }
    file.lock();
    Optional<String> fault = check(write);
    if (fault.isPresent()) {
      file.clear();
      return new Result.Failed("check", fault.get());
    }
    file.commit(onChange.isPresent());
    log.info(
        "written={} servers=\"{}\"",
        path,
        write.servers().stream().map(Server::toString).collect(Collectors.joining(" ")));
    return new Result.Written();
  }

  private Optional<String> check(ExportRule.Decision.Write write)
      throws IOException, InterruptedException {
    Path prepared = file.prepare(write.text());
    if (check.isEmpty()) {
      return Optional.empty();
    }
    Optional<String> frame = rule.format().frame(prepared, write.servers());
    return check
        .get()
        .with(frame.isPresent() ? file.prepareFrame(frame.get()) : prepared, file.others())
        .run();
  }

  /** What is in place is news to the balancer also when nothing newer takes its place. */
  private Result tell(Result result) throws IOException, InterruptedException {
    if (onChange.isEmpty() || !file.isToBeTold()) {
      return result;
    }
    Optional<String> fault = onChange.get().run();
    if (fault.isPresent()) {
      return result instanceof Result.Failed ? result : new Result.Failed("on-change", fault.get());
    }
    file.told();
    return result instanceof Result.Unchanged ? new Result.Written() : result;
  }
}
