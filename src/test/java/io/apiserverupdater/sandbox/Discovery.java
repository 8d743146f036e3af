package io.apiserverupdater.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The documents by which kubectl finds out what a server serves. */
final class Discovery {
  static final String GIT_VERSION = "v1.36.3";

  private static final List<String> VERBS =
      List.of("create", "delete", "get", "list", "patch", "update", "watch");

  private Discovery() {}

  /** The document under a path without trailing slash, if there is one. */
  static Optional<JsonObject> document(String path) {
    if (path.equals("/api")) {
      JsonObject versions = Json.of("kind", "APIVersions");
      versions.add("versions", Json.strings(List.of("v1")));
      return Optional.of(versions);
    }
    if (path.equals("/apis")) {
      JsonObject list = Json.of("kind", "APIGroupList");
      list.addProperty("apiVersion", "v1");
      JsonArray groups = new JsonArray();
      groups().forEach(g -> groups.add(group(g)));
      list.add("groups", groups);
      return Optional.of(list);
    }
    if (path.equals("/version")) {
      JsonObject version = Json.of("major", "1");
      version.addProperty("minor", "36");
      version.addProperty("gitVersion", GIT_VERSION);
      version.addProperty("platform", "sandbox");
      return Optional.of(version);
    }
    if (path.equals("/openapi/v3")) {
      JsonObject paths = new JsonObject();
      groupVersions()
          .forEach(gv -> paths.add(gv, Json.of("serverRelativeURL", "/openapi/v3/" + gv)));
      JsonObject index = new JsonObject();
      index.add("paths", paths);
      return Optional.of(index);
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
    JsonObject version = Json.of("groupVersion", name + "/v1");
    version.addProperty("version", "v1");
    JsonArray versions = new JsonArray();
    versions.add(version);
    JsonObject group = Json.of("kind", "APIGroup");
    group.addProperty("apiVersion", "v1");
    group.addProperty("name", name);
    group.add("versions", versions);
    group.add("preferredVersion", version.deepCopy());
    return group;
  }

  private static JsonObject resources(String groupVersion) {
    JsonArray resources = new JsonArray();
    for (ApiResource resource : ApiResource.ALL) {
      if (root(resource).equals(groupVersion)) {
        JsonObject entry = Json.of("name", resource.resource());
        entry.addProperty("singularName", resource.kind().toLowerCase(Locale.ROOT));
        entry.addProperty("namespaced", resource.namespaced());
        entry.addProperty("kind", resource.kind());
        entry.add("verbs", Json.strings(VERBS));
        if (!resource.shortName().isEmpty()) {
          entry.add("shortNames", Json.strings(List.of(resource.shortName())));
        }
        resources.add(entry);
      }
    }
    JsonObject list = Json.of("kind", "APIResourceList");
    list.addProperty("apiVersion", "v1");
    list.addProperty("groupVersion", groupVersion.substring(groupVersion.indexOf('/') + 1));
    list.add("resources", resources);
    return list;
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
        JsonObject parameter = Json.of("name", name);
        parameter.addProperty("in", "query");
        parameter.add("schema", Json.of("type", "string"));
        parameters.add(parameter);
      }
      JsonObject kind = Json.of("group", resource.group());
      kind.addProperty("version", resource.version());
      kind.addProperty("kind", resource.kind());
      JsonObject patch = new JsonObject();
      patch.add("parameters", parameters);
      patch.add("x-kubernetes-group-version-kind", kind);
      patch.add("responses", new JsonObject());
      JsonObject operations = new JsonObject();
      operations.add("patch", patch);
      paths.add(
          "/%s/%s%s/{name}"
              .formatted(
                  groupVersion,
                  resource.namespaced() ? "namespaces/{namespace}/" : "",
                  resource.resource()),
          operations);
    }
    JsonObject document = Json.of("openapi", "3.0.0");
    JsonObject info = Json.of("title", "sandbox");
    info.addProperty("version", GIT_VERSION);
    document.add("info", info);
    document.add("paths", paths);
    return document;
  }
}
