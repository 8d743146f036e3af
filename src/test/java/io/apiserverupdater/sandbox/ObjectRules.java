package io.apiserverupdater.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What the real server does to an object between the wire and etcd: defaults, validation, the shape
 * in which Go prints it back. Pure.
 *
 * <p>One rule is left out on purpose: loopback addresses are allowed in Endpoints and slices, since
 * the sandbox's apiservers live there.
 */
final class ObjectRules {
  private static final Pattern MICRO_TIME =
      Pattern.compile("\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{6}(Z|[+-]\\d{2}:\\d{2})");
  private static final DateTimeFormatter MICRO_TIME_UTC =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'");
  private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");

  private ObjectRules() {}

  /** An object as it is stored, from one as it was sent; 400 or 422 when it cannot be accepted. */
  static JsonObject admit(ApiResource resource, String namespace, JsonObject sent) {
    String apiVersion = Json.stringAt(sent, "apiVersion");
    if (!apiVersion.isEmpty() && !apiVersion.equals(resource.apiVersion())) {
      throw ApiError.badRequest(
          "the API version in the data (%s) does not match the expected API version (%s)"
              .formatted(apiVersion, resource.apiVersion()));
    }
    JsonObject object = withoutNulls(sent).getAsJsonObject();
    object.addProperty("apiVersion", resource.apiVersion());
    object.addProperty("kind", resource.kind());
    JsonObject metadata = Json.child(object, "metadata");
    String given = Json.stringAt(metadata, "namespace");
    if (resource.namespaced()) {
      if (!given.isEmpty() && !given.equals(namespace)) {
        throw ApiError.badRequest(
            "the namespace of the provided object does not match the namespace sent on the"
                + " request");
      }
      metadata.addProperty("namespace", namespace);
    }
    metadata.remove("managedFields");
    metadata.remove("selfLink");
    for (String field : List.of("labels", "annotations", "ownerReferences", "finalizers")) {
      removeIfEmpty(metadata, field);
    }
    try {
      switch (resource.kind()) {
        case "EndpointSlice" -> admitSlice(object);
        case "Endpoints" -> admitEndpoints(object);
        case "Lease" -> admitLease(object);
        case "Service" -> admitService(object);
        default -> {}
      }
    } catch (IllegalStateException | UnsupportedOperationException | NumberFormatException e) {
      throw ApiError.badRequest(
          "%s in version \"%s\" cannot be handled as a %s: %s"
              .formatted(resource.kind(), resource.version(), resource.kind(), e.getMessage()));
    }
    return object;
  }

  /** Checks that hold between the old object and the new one; 422 when they do not. */
  static void admitChange(ApiResource resource, JsonObject before, JsonObject after) {
    if (!resource.equals(ApiResource.ENDPOINT_SLICES)) {
      return;
    }
    String type = Json.stringAt(after, "addressType");
    if (!type.equals(Json.stringAt(before, "addressType"))) {
      throw invalid(
          resource,
          after,
          "addressType",
          "FieldValueInvalid",
          "Invalid value: \"" + type + "\": field is immutable");
    }
  }

  /** Whether two stored objects differ in more than what the server itself sets on each write. */
  static boolean sameContent(JsonObject before, JsonObject after) {
    JsonObject left = before.deepCopy();
    JsonObject right = after.deepCopy();
    Json.metadata(left).remove("resourceVersion");
    Json.metadata(right).remove("resourceVersion");
    return left.equals(right);
  }

  /** Whether a slice's generation goes up: by its labels and all that is not metadata. */
  static boolean raisesGeneration(JsonObject before, JsonObject after) {
    JsonObject left = before.deepCopy();
    JsonObject right = after.deepCopy();
    JsonObject leftMetadata = left.remove("metadata").getAsJsonObject();
    JsonObject rightMetadata = right.remove("metadata").getAsJsonObject();
    return !left.equals(right)
        || !Json.objectAt(leftMetadata, "labels").equals(Json.objectAt(rightMetadata, "labels"));
  }

  /** RFC 7386; keys with a dollar are directives of strategic patches and are left out. */
  static JsonElement merge(JsonElement target, JsonElement patch) {
    if (!(patch instanceof JsonObject changes)) {
      return patch.deepCopy();
    }
    JsonObject merged =
        target instanceof JsonObject present ? present.deepCopy() : new JsonObject();
    for (Map.Entry<String, JsonElement> entry : changes.entrySet()) {
      String key = entry.getKey();
      if (key.startsWith("$")) {
        continue;
      }
      if (entry.getValue().isJsonNull()) {
        merged.remove(key);
      } else {
        JsonElement present = merged.has(key) ? merged.get(key) : JsonNull.INSTANCE;
        merged.add(key, merge(present, entry.getValue()));
      }
    }
    return merged;
  }

  private static void admitSlice(JsonObject slice) {
    ApiResource resource = ApiResource.ENDPOINT_SLICES;
    String type = Json.stringAt(slice, "addressType");
    if (type.isEmpty()) {
      throw invalid(resource, slice, "addressType", "FieldValueRequired", "Required value");
    }
    if (!List.of("FQDN", "IPv4", "IPv6").contains(type)) {
      throw invalid(
          resource,
          slice,
          "addressType",
          "FieldValueNotSupported",
          "Unsupported value: \"%s\": supported values: \"FQDN\", \"IPv4\", \"IPv6\""
              .formatted(type));
    }
    JsonArray endpoints = Json.arrayAt(slice, "endpoints");
    for (int i = 0; i < endpoints.size(); i++) {
      JsonObject endpoint = endpoints.get(i).getAsJsonObject();
      String path = "endpoints[" + i + "].addresses";
      JsonArray addresses = Json.arrayAt(endpoint, "addresses");
      if (addresses.isEmpty()) {
        throw invalid(
            resource,
            slice,
            path,
            "FieldValueRequired",
            "Required value: must contain at least 1 address");
      }
      for (JsonElement address : addresses) {
        if (!type.equals("FQDN") && !isAddress(address.getAsString(), type.equals("IPv6"))) {
          throw invalid(
              resource,
              slice,
              path,
              "FieldValueInvalid",
              "Invalid value: \"%s\": must be an %s address"
                  .formatted(address.getAsString(), type));
        }
      }
      Json.child(endpoint, "conditions");
    }
    for (JsonElement port : Json.arrayAt(slice, "ports")) {
      defaultTo(port.getAsJsonObject(), "name", "");
      defaultTo(port.getAsJsonObject(), "protocol", "TCP");
    }
    // Lists that come back from etcd empty are nil in Go, and these two fields print nil as null.
    for (String field : List.of("endpoints", "ports")) {
      if (Json.arrayAt(slice, field).isEmpty()) {
        slice.add(field, JsonNull.INSTANCE);
      }
    }
  }

  private static void admitEndpoints(JsonObject endpoints) {
    JsonArray subsets = Json.arrayAt(endpoints, "subsets");
    for (int i = 0; i < subsets.size(); i++) {
      JsonObject subset = subsets.get(i).getAsJsonObject();
      for (String field : List.of("addresses", "notReadyAddresses", "ports")) {
        removeIfEmpty(subset, field);
      }
      if (!subset.has("addresses") && !subset.has("notReadyAddresses")) {
        throw invalid(
            ApiResource.ENDPOINTS,
            endpoints,
            "subsets[" + i + "]",
            "FieldValueRequired",
            "Required value: must specify `addresses` or `notReadyAddresses`");
      }
      for (JsonElement port : Json.arrayAt(subset, "ports")) {
        defaultTo(port.getAsJsonObject(), "protocol", "TCP");
        if (Json.stringAt(port.getAsJsonObject(), "name").isEmpty()) {
          port.getAsJsonObject().remove("name");
        }
      }
    }
    removeIfEmpty(endpoints, "subsets");
  }

  private static void admitLease(JsonObject lease) {
    JsonObject spec = Json.child(lease, "spec");
    for (String field : List.of("acquireTime", "renewTime")) {
      if (!spec.has(field)) {
        continue;
      }
      String time = Json.stringAt(spec, field);
      if (!MICRO_TIME.matcher(time).matches()) {
        throw ApiError.badRequest(
            ("Lease in version \"v1\" cannot be handled as a Lease: parsing time \"%s\" as"
                    + " \"2006-01-02T15:04:05.000000Z07:00\": cannot parse it")
                .formatted(time));
      }
      spec.addProperty(
          field,
          MICRO_TIME_UTC.format(OffsetDateTime.parse(time).withOffsetSameInstant(ZoneOffset.UTC)));
    }
    if (spec.has("leaseDurationSeconds") && spec.get("leaseDurationSeconds").getAsLong() <= 0) {
      throw invalid(
          ApiResource.LEASES,
          lease,
          "spec.leaseDurationSeconds",
          "FieldValueInvalid",
          "Invalid value: %s: must be greater than 0"
              .formatted(spec.get("leaseDurationSeconds").getAsString()));
    }
    if (spec.has("leaseTransitions") && spec.get("leaseTransitions").getAsLong() < 0) {
      throw invalid(
          ApiResource.LEASES,
          lease,
          "spec.leaseTransitions",
          "FieldValueInvalid",
          "Invalid value: %s: must be greater than or equal to 0"
              .formatted(spec.get("leaseTransitions").getAsString()));
    }
  }

  private static void admitService(JsonObject service) {
    JsonObject spec = Json.child(service, "spec");
    defaultTo(spec, "type", "ClusterIP");
    defaultTo(spec, "sessionAffinity", "None");
    defaultTo(spec, "internalTrafficPolicy", "Cluster");
    defaultTo(spec, "ipFamilyPolicy", "SingleStack");
    String clusterIp = Json.stringAt(spec, "clusterIP");
    if (!clusterIp.isEmpty() && !spec.has("clusterIPs")) {
      spec.add("clusterIPs", Json.array(clusterIp));
    }
    if (!clusterIp.isEmpty() && !clusterIp.equals("None") && !spec.has("ipFamilies")) {
      spec.add("ipFamilies", Json.array(clusterIp.indexOf(':') >= 0 ? "IPv6" : "IPv4"));
    }
    for (JsonElement element : Json.arrayAt(spec, "ports")) {
      JsonObject port = element.getAsJsonObject();
      defaultTo(port, "protocol", "TCP");
      if (!port.has("targetPort") && port.has("port")) {
        port.add("targetPort", port.get("port"));
      }
    }
    removeIfEmpty(spec, "selector");
    Json.child(Json.child(service, "status"), "loadBalancer");
  }

  static boolean isAddress(String text, boolean ipv6) {
    if (ipv6 != text.indexOf(':') >= 0 || (!ipv6 && !IPV4.matcher(text).matches())) {
      return false;
    }
    try {
      // With digits and colons only, no name is looked up.
      return !text.matches(".*[^0-9a-fA-F:.].*") && InetAddress.getByName(text) != null;
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /** The time as metadata.creationTimestamp holds it: whole seconds, UTC. */
  static String timestamp(Instant now) {
    return Instant.ofEpochSecond(now.getEpochSecond()).toString();
  }

  private static ApiError invalid(
      ApiResource resource, JsonObject object, String field, String type, String body) {
    return ApiError.invalid(resource, resource.kind(), Json.name(object), field, type, body);
  }

  private static JsonElement withoutNulls(JsonElement element) {
    if (element instanceof JsonObject object) {
      JsonObject kept = new JsonObject();
      object
          .entrySet()
          .forEach(
              e -> {
                if (!e.getValue().isJsonNull()) {
                  kept.add(e.getKey(), withoutNulls(e.getValue()));
                }
              });
      return kept;
    }
    if (element instanceof JsonArray array) {
      JsonArray kept = new JsonArray();
      array.forEach(e -> kept.add(withoutNulls(e)));
      return kept;
    }
    return element;
  }

  private static void removeIfEmpty(JsonObject parent, String field) {
    JsonElement value = parent.get(field);
    if (value != null && Json.isNullOrEmpty(value)) {
      parent.remove(field);
    }
  }

  private static void defaultTo(JsonObject parent, String field, String value) {
    if (!parent.has(field)) {
      parent.add(field, new JsonPrimitive(value));
    }
  }
}
