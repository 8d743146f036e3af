package io.apiserverupdater.updater.kube;

import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What of a Node is looked at. The client library's model would bring twenty others along, and keep
 * the list of a node's images in memory.
 */
final class NodeModel implements KubernetesObject {
  private @Nullable String apiVersion;
  private @Nullable String kind;
  private @Nullable V1ObjectMeta metadata;
  private @Nullable Status status;

  private static final class Status {
    private @Nullable List<Address> addresses;
  }

  /** One address of a node. */
  static final class Address {
    private @Nullable String type;
    private @Nullable String address;

    /** {@code InternalIP} and others. */
    @Nullable String type() {
      return type;
    }

    @Nullable String address() {
      return address;
    }
  }

  @Nullable List<Address> addresses() {
    return status == null ? null : status.addresses;
  }

  @Override
  public @Nullable V1ObjectMeta getMetadata() {
    return metadata;
  }

  @Override
  public @Nullable String getApiVersion() {
    return apiVersion;
  }

  @Override
  public @Nullable String getKind() {
    return kind;
  }
}
