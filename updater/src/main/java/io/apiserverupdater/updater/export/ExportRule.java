package io.apiserverupdater.updater.export;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.Refusal;
import java.util.List;
import java.util.Optional;

/**
 * What the file should say: all members of the source, ready or not, because whether one is ready
 * is for the balancer's own checks to find. Pure.
 *
 * @param source what lists the servers, for messages
 * @param port the name or the number of the port among those of the slices; empty for the only one,
 *     or the one named https
 * @param family the only one that is wanted; all when empty
 * @param name what the balancer calls the servers
 */
public record ExportRule(
    String source,
    Optional<String> port,
    Optional<AddressFamily> family,
    Format format,
    String name,
    Format.HealthCheck check) {

  /** What to do. */
  public sealed interface Decision {
    /** The file is as it should be. */
    record UpToDate() implements Decision {}

    /** The file should be this. */
    record Write(String text, List<Server> servers) implements Decision {}

    /** Nothing is written. */
    record Refuse(List<Refusal> refusals) implements Decision {}
  }

  /**
   * Decides.
   *
   * @param slices those of the source
   * @param current what the file says; empty when it does not exist
   */
  public Decision decide(List<EndpointSlice> slices, Optional<String> current) {
    EndpointsSnapshot.Reading reading =
        EndpointsSnapshot.of(source, slices.stream().map(this::withPort).toList());
    if (reading instanceof EndpointsSnapshot.Unusable unusable) {
      return new Decision.Refuse(unusable.refusals());
    }
    EndpointsSnapshot.Usable usable = (EndpointsSnapshot.Usable) reading;
    if (!usable.leftOut().isEmpty()) {
      return new Decision.Refuse(
          usable.leftOut().stream()
              .map(it -> new Refusal(it.reason(), it.message(), "the file stays; correct them"))
              .toList());
    }
    List<Server> servers = Server.of(usable.snapshot(), family);
    if (servers.isEmpty()) {
      return new Decision.Refuse(
          List.of(
              new Refusal(
                  "EmptySource",
                  "%s has no%s address"
                      .formatted(source, family.map(it -> " " + it.addressType()).orElse("")),
                  "the file stays as it is; check --source, --nodes and --ip-family")));
    }
    if (!current.map(format::isOurs).orElse(true)) {
      return new Decision.Refuse(
          List.of(
              new Refusal(
                  "ForeignFile",
                  "the file was not written by updater export, expected one of its own, or none",
                  "choose another --output, or remove the file")));
    }
    String text = format.render(source, name, check, servers);
    return current.equals(Optional.of(text))
        ? new Decision.UpToDate()
        : new Decision.Write(text, servers);
  }

  private EndpointSlice withPort(EndpointSlice slice) {
    List<Port> ports =
        slice.ports().stream()
            .filter(
                it ->
                    port.isEmpty()
                        || it.name().equals(port.get())
                        || String.valueOf(it.port()).equals(port.get()))
            .toList();
    return new EndpointSlice(
        slice.name(),
        slice.addressType(),
        slice.labels(),
        ports,
        slice.endpoints(),
        slice.resourceVersion());
  }
}
