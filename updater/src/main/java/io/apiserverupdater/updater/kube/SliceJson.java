package io.apiserverupdater.updater.kube;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.kube.api.KubeJson;
import io.kubernetes.client.openapi.models.V1EndpointSlice;

/** EndpointSlices from JSON that did not come from a server. */
public final class SliceJson {
  private SliceJson() {}

  /**
   * Reads one slice, as an answer of the API is read.
   *
   * @throws JsonParseException when a field has another type than the API promises
   */
  public static EndpointSlice read(JsonObject json) {
    try {
      return Models.slice(KubeJson.model(json, V1EndpointSlice.class));
    } catch (KubeJson.MalformedException e) {
      throw new JsonParseException(e.getMessage(), e);
    }
  }
}
