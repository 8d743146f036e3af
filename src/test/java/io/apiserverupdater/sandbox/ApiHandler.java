package io.apiserverupdater.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;
import okhttp3.HttpUrl;

/** From a request to the reply that a real apiserver gives. Knows no sockets but PodProxy's. */
record ApiHandler(SandboxStore store) {
  private static final Duration WATCH_TIMEOUT = Duration.ofMinutes(30);

  /** A request as it came in. */
  record Call(String method, HttpUrl url, String contentType, String body) {
    String query(String name) {
      String value = url.queryParameter(name);
      return value == null ? "" : value;
    }

    boolean flag(String name) {
      String value = url.queryParameter(name);
      return value != null && !value.equals("false") && !value.equals("0");
    }

    /** Without a trailing slash. */
    String path() {
      String path = url.encodedPath();
      return path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    }
  }

  /** What a path names. Name and namespace are "" when absent. */
  private record Target(ApiResource resource, String namespace, String name) {}

  /** The request as the authorizer sees it. */
  static RequestInfo describe(Call call, String apiserver, String user, String userAgent) {
    boolean dryRun = call.url().queryParameterValues("dryRun").contains("All");
    Optional<PodProxy> proxied = PodProxy.of(call);
    if (proxied.isPresent()) {
      PodProxy pod = proxied.get();
      return new RequestInfo(
          apiserver,
          user,
          call.method().equals("GET") ? "get" : "create",
          "",
          "pods/proxy",
          pod.namespace(),
          pod.name(),
          call.path(),
          userAgent,
          dryRun);
    }
    Optional<Target> target = target(call.path());
    if (target.isEmpty()) {
      String verb = call.method().toLowerCase(Locale.ROOT);
      return new RequestInfo(apiserver, user, verb, "", "", "", "", call.path(), userAgent, dryRun);
    }
    Target t = target.get();
    String verb =
        switch (call.method()) {
          case "GET", "HEAD" -> call.flag("watch") ? "watch" : t.name().isEmpty() ? "list" : "get";
          case "POST" -> "create";
          case "PUT" -> "update";
          case "PATCH" -> "patch";
          case "DELETE" -> t.name().isEmpty() ? "deletecollection" : "delete";
          default -> call.method();
        };
    // A selector by name is authorized as that name, which is how RBAC can restrict a watch.
    String name = t.name();
    String selector = call.query("fieldSelector");
    if (name.isEmpty() && selector.startsWith("metadata.name=") && selector.indexOf(',') < 0) {
      name = selector.substring("metadata.name=".length());
    }
    return new RequestInfo(
        apiserver,
        user,
        verb,
        t.resource().group(),
        t.resource().resource(),
        t.namespace(),
        name,
        call.path(),
        userAgent,
        dryRun);
  }

  /** Carries a request out, or throws an ApiError with what to answer instead. */
  Reply handle(Call call, RequestInfo info) {
    Optional<PodProxy> proxied = PodProxy.of(call);
    if (proxied.isPresent()) {
      return proxied.get().ask(store);
    }
    Optional<Target> target = target(call.path());
    if (target.isEmpty()) {
      return new Reply.Document(
          200, Discovery.document(call.path()).orElseThrow(ApiError::noSuchPath));
    }
    Target t = target.get();
    boolean dryRun = info.dryRun();
    return switch (info.verb()) {
      case "get" ->
          new Reply.Document(
              200,
              store
                  .get(t.resource(), t.namespace(), t.name())
                  .orElseThrow(() -> ApiError.notFound(t.resource(), t.name())));
      case "list" -> list(call, t);
      case "watch" -> watch(call, t);
      case "create" -> {
        if (!t.name().isEmpty()) {
          throw ApiError.methodNotAllowed();
        }
        yield new Reply.Document(
            201, store.create(t.resource(), t.namespace(), body(call), dryRun));
      }
      case "update" -> {
        SandboxStore.Written written =
            store.update(t.resource(), t.namespace(), named(t), body(call), dryRun);
        yield new Reply.Document(written.created() ? 201 : 200, written.object());
      }
      case "patch" -> {
        String type = call.contentType();
        if (!type.startsWith("application/merge-patch+json")
            && !type.startsWith("application/strategic-merge-patch+json")) {
          throw ApiError.of(
              415,
              "UnsupportedMediaType",
              "the body of the request was in an unknown format - accepted media types include:"
                  + " application/merge-patch+json, application/strategic-merge-patch+json");
        }
        yield new Reply.Document(
            200, store.patch(t.resource(), t.namespace(), named(t), body(call), dryRun));
      }
      case "delete" -> delete(call, t, dryRun);
      default -> throw ApiError.methodNotAllowed();
    };
  }

  private Reply list(Call call, Target t) {
    Predicate<JsonObject> selector = selector(call, t);
    OptionalLong asked = revision(call);
    SandboxStore.Listing listing = store.listing(t.resource(), t.namespace());
    if (asked.isPresent() && asked.getAsLong() > listing.revision()) {
      throw ApiError.tooLargeResourceVersion(asked.getAsLong(), listing.revision());
    }
    JsonArray items = new JsonArray();
    for (JsonObject item : listing.items()) {
      if (selector.test(item)) {
        // Items of a typed list do not say what they are.
        item.remove("kind");
        item.remove("apiVersion");
        items.add(item);
      }
    }
    JsonObject metadata = Json.of("resourceVersion", Long.toString(listing.revision()));
    JsonObject list = Json.of("kind", t.resource().kind() + "List", "metadata", metadata);
    list.addProperty("apiVersion", t.resource().apiVersion());
    list.add("items", items);
    return new Reply.Document(200, list);
  }

  private static Reply watch(Call call, Target t) {
    boolean initialEvents = call.flag("sendInitialEvents");
    OptionalLong since = initialEvents ? OptionalLong.empty() : revision(call);
    String timeout = call.query("timeoutSeconds");
    return new Reply.Watch(
        new WatchRequest(
            t.resource(),
            t.namespace(),
            selector(call, t),
            since,
            call.flag("allowWatchBookmarks"),
            initialEvents,
            timeout.isEmpty() ? WATCH_TIMEOUT : Duration.ofSeconds(Long.parseLong(timeout))));
  }

  private Reply delete(Call call, Target t, boolean dryRunInQuery) {
    JsonObject options = call.body().isEmpty() ? new JsonObject() : body(call);
    JsonObject wanted = Json.objectAt(options, "preconditions");
    boolean dryRun =
        dryRunInQuery || Json.arrayAt(options, "dryRun").contains(new JsonPrimitive("All"));
    JsonObject gone =
        store.delete(
            t.resource(),
            t.namespace(),
            t.name(),
            new SandboxStore.Preconditions(
                Json.stringAt(wanted, "uid"), Json.stringAt(wanted, "resourceVersion")),
            dryRun);
    if (t.resource().equals(ApiResource.SERVICES) || t.resource().equals(ApiResource.NAMESPACES)) {
      return new Reply.Document(200, gone);
    }
    JsonObject details = ApiError.details(t.name(), t.resource().group(), t.resource().resource());
    details.addProperty("uid", Json.stringAt(Json.metadata(gone), "uid"));
    JsonObject status = Json.of("kind", "Status", "apiVersion", "v1", "status", "Success");
    status.add("metadata", new JsonObject());
    status.add("details", details);
    return new Reply.Document(200, status);
  }

  private static Predicate<JsonObject> selector(Call call, Target t) {
    Predicate<JsonObject> selector =
        Selector.parse(call.query("fieldSelector"), call.query("labelSelector"));
    return t.name().isEmpty()
        ? selector
        : selector.and(object -> Json.name(object).equals(t.name()));
  }

  /** Absent for "" and "0": any state will do. */
  private static OptionalLong revision(Call call) {
    String asked = call.query("resourceVersion");
    if (asked.isEmpty() || asked.equals("0")) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.parseLong(asked));
    } catch (NumberFormatException e) {
      throw ApiError.badRequest("resourceVersion: Invalid value: \"" + asked + "\"");
    }
  }

  private static String named(Target t) {
    if (t.name().isEmpty()) {
      throw ApiError.methodNotAllowed();
    }
    return t.name();
  }

  private static JsonObject body(Call call) {
    try {
      return Json.parse(call.body());
    } catch (JsonParseException | IllegalStateException e) {
      throw ApiError.badRequest("couldn't get version/kind; json parse error: " + e.getMessage());
    }
  }

  private static Optional<Target> target(String path) {
    List<String> parts = new ArrayList<>(List.of(path.substring(1).split("/", -1)));
    String group;
    if (parts.get(0).equals("api") && parts.size() > 2) {
      group = "";
      parts.remove(0);
    } else if (parts.get(0).equals("apis") && parts.size() > 3) {
      group = parts.get(1);
      parts.subList(0, 2).clear();
    } else {
      return Optional.empty();
    }
    String version = parts.remove(0);
    String namespace = "";
    if (parts.size() > 2 && parts.get(0).equals("namespaces")) {
      namespace = parts.get(1);
      parts.subList(0, 2).clear();
    }
    if (parts.size() > 2) {
      return Optional.empty(); // There is no subresource here but that of PodProxy.
    }
    String name = parts.size() > 1 ? parts.get(1) : "";
    String inNamespace = namespace;
    return ApiResource.find(group, version, parts.get(0))
        .filter(r -> r.namespaced() || inNamespace.isEmpty())
        // A single object of a namespaced resource can only be named within its namespace.
        .filter(r -> !(r.namespaced() && inNamespace.isEmpty() && !name.isEmpty()))
        .map(r -> new Target(r, inNamespace, name));
  }
}
