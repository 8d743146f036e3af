package io.apiserverupdater.updater.endpoints;

import java.util.Optional;

/** One write. */
public sealed interface Change {

  /** The object is not there. */
  record Create(DesiredObject object) implements Change {
    @Override
    public Optional<DesiredObject> desired() {
      return Optional.of(object);
    }
  }

  /**
   * The object differs.
   *
   * @param resourceVersion the version that was compared; the write must not land on another one
   */
  record Update(DesiredObject object, String resourceVersion) implements Change {
    @Override
    public Optional<DesiredObject> desired() {
      return Optional.of(object);
    }
  }

  /**
   * One of our slices is not wanted any more.
   *
   * @param resourceVersion the version that was compared
   */
  record DeleteSlice(String name, String resourceVersion) implements Change {}

  /** The object as it should be afterwards; none when it is deleted. */
  default Optional<DesiredObject> desired() {
    return Optional.empty();
  }

  /** For logs: what is done to which kind of object. */
  default String describe() {
    if (this instanceof Create create) {
      return "create " + kind(create.object()) + " " + create.object().name();
    }
    if (this instanceof Update update) {
      return "update " + kind(update.object()) + " " + update.object().name();
    }
    return "delete EndpointSlice " + ((DeleteSlice) this).name();
  }

  private static String kind(DesiredObject object) {
    return object instanceof DesiredObject.Slice ? "EndpointSlice" : "Endpoints";
  }
}
