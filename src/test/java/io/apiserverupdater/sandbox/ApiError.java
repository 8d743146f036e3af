package io.apiserverupdater.sandbox;

import com.google.gson.JsonObject;

/** A failure with the Status object that a real apiserver answers for it. */
public final class ApiError extends RuntimeException {
  private final int code;
  private final transient JsonObject status;

  private ApiError(int code, JsonObject status) {
    super(Json.stringAt(status, "message"));
    this.code = code;
    this.status = status;
  }

  /** The HTTP status code. */
  public int code() {
    return code;
  }

  /** A metav1.Status. */
  public JsonObject status() {
    return status.deepCopy();
  }

  /** A Status without details. A reason of "" is left out, as for unknown failures. */
  public static ApiError of(int code, String reason, String message) {
    return of(code, reason, message, new JsonObject());
  }

  static ApiError of(int code, String reason, String message, JsonObject details) {
    JsonObject status = Json.of("kind", "Status", "apiVersion", "v1", "metadata", new JsonObject());
    status.addProperty("status", "Failure");
    status.addProperty("message", message);
    status.addProperty("code", code);
    if (!reason.isEmpty()) {
      status.addProperty("reason", reason);
    }
    if (details.size() > 0) {
      status.add("details", details);
    }
    return new ApiError(code, status);
  }

  static ApiError unauthorized() {
    return of(401, "Unauthorized", "Unauthorized");
  }

  static ApiError badRequest(String message) {
    return of(400, "BadRequest", message);
  }

  static ApiError forbidden(RequestInfo request) {
    String user = '"' + request.user() + '"';
    if (request.resource().isEmpty()) {
      String message = "forbidden: User %s cannot %s path \"%s\"";
      return of(403, "Forbidden", message.formatted(user, request.verb(), request.path()));
    }
    String subject =
        request.name().isEmpty()
            ? request.qualifiedResource()
            : request.qualifiedResource() + " \"" + request.name() + '"';
    String scope =
        request.namespace().isEmpty()
            ? "at the cluster scope"
            : "in the namespace \"" + request.namespace() + '"';
    String message =
        "%s is forbidden: User %s cannot %s resource \"%s\" in API group \"%s\" %s"
            .formatted(subject, user, request.verb(), request.resource(), request.group(), scope);
    return of(
        403, "Forbidden", message, details(request.name(), request.group(), request.resource()));
  }

  static ApiError notFound(ApiResource resource, String name) {
    return of(
        404,
        "NotFound",
        "%s \"%s\" not found".formatted(resource.qualifiedResource(), name),
        details(name, resource.group(), resource.resource()));
  }

  static ApiError noSuchPath() {
    return of(404, "NotFound", "the server could not find the requested resource");
  }

  static ApiError methodNotAllowed() {
    return of(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }

  static ApiError alreadyExists(ApiResource resource, String name) {
    return of(
        409,
        "AlreadyExists",
        "%s \"%s\" already exists".formatted(resource.qualifiedResource(), name),
        details(name, resource.group(), resource.resource()));
  }

  static ApiError conflict(ApiResource resource, String name, String why) {
    return of(
        409,
        "Conflict",
        "Operation cannot be fulfilled on %s \"%s\": %s"
            .formatted(resource.qualifiedResource(), name, why),
        details(name, resource.group(), resource.resource()));
  }

  static ApiError staleWrite(ApiResource resource, String name) {
    return conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try"
            + " again");
  }

  static ApiError preconditionFailed(
      ApiResource resource, ObjectKey key, String field, String wanted, String found) {
    String path =
        "/registry/%s%s/%s"
            .formatted(
                resource.resource(),
                key.namespace().isEmpty() ? "" : "/" + key.namespace(),
                key.name());
    return conflict(
        resource,
        key.name(),
        ("StorageError: invalid object, Code: 4, Key: %s, ResourceVersion: 0, AdditionalErrorMsg:"
                + " Precondition failed: %s in precondition: %s, %s in object meta: %s")
            .formatted(path, field, wanted, field, found));
  }

  /**
   * @param type the cause, such as FieldValueInvalid
   * @param body what is wrong, such as {@code Invalid value: 0: must be greater than 0}
   */
  static ApiError invalid(
      ApiResource resource, String kind, String name, String field, String type, String body) {
    JsonObject details = details(name, resource.group(), kind);
    JsonObject cause = Json.of("reason", type, "message", body, "field", field);
    details.add("causes", Json.array(cause));
    String qualified = resource.group().isEmpty() ? kind : kind + "." + resource.group();
    return of(
        422,
        "Invalid",
        "%s \"%s\" is invalid: %s: %s".formatted(qualified, name, field, body),
        details);
  }

  static ApiError expired(long asked, long oldest) {
    return of(410, "Expired", "too old resource version: %d (%d)".formatted(asked, oldest));
  }

  /** What a list answers whose resourceVersion lies ahead of the store. */
  public static ApiError tooLargeResourceVersion(long asked, long current) {
    JsonObject cause =
        Json.of("reason", "ResourceVersionTooLarge", "message", "Too large resource version");
    JsonObject details = Json.of("causes", Json.array(cause), "retryAfterSeconds", 1);
    return of(
        504,
        "Timeout",
        "Timeout: Too large resource version: %d, current: %d".formatted(asked, current),
        details);
  }

  static JsonObject details(String name, String group, String kind) {
    JsonObject details = new JsonObject();
    if (!name.isEmpty()) {
      details.addProperty("name", name);
    }
    if (!group.isEmpty()) {
      details.addProperty("group", group);
    }
    if (!kind.isEmpty()) {
      details.addProperty("kind", kind);
    }
    return details;
  }
}
