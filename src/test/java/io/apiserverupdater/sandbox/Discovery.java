package io.apiserverupdater.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The documents by which kubectl finds out what a server serves. */
final class Discovery {
  static final String GIT_VERSION = "v1.37.2";
  private static final String MINOR =
      GIT_VERSION.substring(GIT_VERSION.indexOf('.') + 1, GIT_VERSION.lastIndexOf('.'));

  private static final List<String> VERBS =
      List.of("create", "delete", "get", "list", "patch", "update", "watch");

  private Discovery() {}

  /** The document under a path without trailing slash, if there is one. */
  static Optional<JsonObject> document(String path) {
    if (path.equals("/api")) {
      return Optional.of(Json.of("kind", "APIVersions", "versions", List.of("v1")));
    }
    if (path.equals("/apis")) {
      List<JsonObject> groups = groups().stream().map(Discovery::group).toList();
      return Optional.of(Json.of("kind", "APIGroupList", "apiVersion", "v1", "groups", groups));
    }
    if (path.equals("/version")) {
      return Optional.of(
          Json.of("major", "1", "minor", MINOR, "gitVersion", GIT_VERSION, "platform", "sandbox"));
    }
    if (path.equals("/openapi/v3")) {
      JsonObject paths = new JsonObject();
      groupVersions()
          .forEach(gv -> paths.add(gv, Json.of("serverRelativeURL", "/openapi/v3/" + gv)));
      return Optional.of(Json.of("paths", paths));
    }
    for (String groupVersion : groupVersions()) {
      if (path.equals("/" + groupVersion)) {
        return Optional.of(resources(groupVersion));
      }
      if (path.equals("/openapi/v3/" + groupVersion)) {
        return Optional.of(openApi(groupVersion));
      }
    }
    return groups().stream()
        .filter(g -> path.equals("/apis/" + g))
        .findFirst()
        .map(Discovery::group);
  }

  private static List<String> groups() {
    return ApiResource.ALL.stream()
        .map(ApiResource::group)
        .filter(g -> !g.isEmpty())
        .distinct()
        .toList();
  }

  private static List<String> groupVersions() {
    return ApiResource.ALL.stream().map(Discovery::root).distinct().toList();
  }

  private static String root(ApiResource resource) {
    return (resource.group().isEmpty() ? "api/" : "apis/") + resource.apiVersion();
  }

  private static JsonObject group(String name) {
    JsonObject version = Json.of("groupVersion", name + "/v1", "version", "v1");
    JsonObject group = Json.of("kind", "APIGroup", "apiVersion", "v1", "name", name);
    group.add("versions", Json.array(version));
    group.add("preferredVersion", version);
    return group;
  }

  private static JsonObject resources(String groupVersion) {
    JsonArray resources = new JsonArray();
    for (ApiResource resource : ApiResource.ALL) {
      if (root(resource).equals(groupVersion)) {
        JsonObject entry =
            Json.of("name", resource.resource(), "kind", resource.kind(), "verbs", VERBS);
        entry.addProperty("singularName", resource.kind().toLowerCase(Locale.ROOT));
        entry.addProperty("namespaced", resource.namespaced());
        if (!resource.shortName().isEmpty()) {
          entry.add("shortNames", Json.array(resource.shortName()));
        }
        resources.add(entry);
      }
    }
    String shown = groupVersion.substring(groupVersion.indexOf('/') + 1);
    return Json.of(
        "kind",
        "APIResourceList",
        "apiVersion",
        "v1",
        "groupVersion",
        shown,
        "resources",
        resources);
  }

  /**
   * Just enough for kubectl to see that the server validates fields and knows dry runs; without it,
   * kubectl apply refuses to send anything.
   */
  private static JsonObject openApi(String groupVersion) {
    JsonObject paths = new JsonObject();
    for (ApiResource resource : ApiResource.ALL) {
      if (!root(resource).equals(groupVersion)) {
        continue;
      }
      JsonArray parameters = new JsonArray();
      for (String name : List.of("dryRun", "fieldManager", "fieldValidation")) {
        parameters.add(Json.of("name", name, "in", "query", "schema", Json.of("type", "string")));
      }
      JsonObject kind =
          Json.of(
              "group", resource.group(), "version", resource.version(), "kind", resource.kind());
      JsonObject patch = Json.of("parameters", parameters, "responses", new JsonObject());
      patch.add("x-kubernetes-group-version-kind", kind);
      paths.add(
          "/%s/%s%s/{name}"
              .formatted(
                  groupVersion,
                  resource.namespaced() ? "namespaces/{namespace}/" : "",
                  resource.resource()),
          Json.of("patch", patch));
    }
    JsonObject info = Json.of("title", "sandbox", "version", GIT_VERSION);
    return Json.of("openapi", "3.0.0", "info", info, "paths", paths);
  }
}
