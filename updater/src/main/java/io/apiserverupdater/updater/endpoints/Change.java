package io.apiserverupdater.updater.endpoints;

import java.util.Optional;

/** One write. */
public sealed interface Change {

  /** The object is not there. */
  record Create(DesiredObject object) implements Change {}

  /**
   * The object differs.
   *
   * @param resourceVersion the version that was compared; the write must not land on another one
   */
  record Update(DesiredObject object, String resourceVersion) implements Change {}

  /**
   * One of our slices is not wanted any more.
   *
   * @param resourceVersion the version that was compared
   */
  record DeleteSlice(String name, String resourceVersion) implements Change {}

  /** The object as it should be afterwards; none when it is deleted. */
  default Optional<DesiredObject> desired() {
    if (this instanceof Create create) {
      return Optional.of(create.object());
    }
    return this instanceof Update update ? Optional.of(update.object()) : Optional.empty();
  }

  /** Whether kube-proxy reads what it writes. */
  default boolean isOfSlice() {
    return desired().map(DesiredObject.Slice.class::isInstance).orElse(true);
  }

  /** For logs: what is done to which kind of object. */
  default String describe() {
    if (this instanceof DeleteSlice delete) {
      return "delete EndpointSlice " + delete.name();
    }
    DesiredObject object = desired().orElseThrow();
    String kind = object instanceof DesiredObject.Slice ? " EndpointSlice " : " Endpoints ";
    return (this instanceof Create ? "create" : "update") + kind + object.name();
  }
}
