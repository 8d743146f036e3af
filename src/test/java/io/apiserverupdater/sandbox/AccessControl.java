package io.apiserverupdater.sandbox;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Who somebody is, and what they may do. Users may do everything that no rule denies; the anonymous
 * user may only ask for health and version. Thread-safe.
 */
public final class AccessControl {
  static final String ANONYMOUS = "system:anonymous";
  private static final Set<String> PUBLIC_PATHS =
      Set.of("/readyz", "/livez", "/healthz", "/version", "/version/");

  private final Map<String, String> userByToken = new ConcurrentHashMap<>();
  private final List<Denial> denials = new CopyOnWriteArrayList<>();

  private volatile boolean anonymousAuth = true;

  AccessControl() {}

  /** As {@code --anonymous-auth=false}: who does not say who he is is answered 401. */
  public void refuseAnonymous() {
    anonymousAuth = false;
  }

  /** A rule; "*" stands for any value, and a namespace of "" for cluster scope. */
  public record Denial(String user, String verb, String resource, String namespace, String name) {
    boolean matches(RequestInfo request) {
      return fits(user, request.user())
          && fits(verb, request.verb())
          && fits(resource, request.resource())
          && fits(namespace, request.namespace())
          && fits(name, request.name());
    }

    private static boolean fits(String pattern, String value) {
      return pattern.equals("*") || pattern.equals(value);
    }
  }

  /** A new bearer token for a user; those the user has stay good. */
  public String issueToken(String user) {
    String token = user.replaceAll("[^A-Za-z0-9]", "-") + "-" + UUID.randomUUID();
    userByToken.put(token, user);
    return token;
  }

  /** A new bearer token for a user; those the user had are answered 401 from now on. */
  public String rotateToken(String user) {
    revokeTokens(user);
    return issueToken(user);
  }

  public void revokeTokens(String user) {
    userByToken.values().removeIf(user::equals);
  }

  /** From now on, matching requests are answered 403. */
  public Denial deny(String user, String verb, String resource, String namespace, String name) {
    Denial denial = new Denial(user, verb, resource, namespace, name);
    denials.add(denial);
    return denial;
  }

  public void allowAgain(Denial denial) {
    denials.remove(denial);
  }

  /**
   * The user's name.
   *
   * @param authorization the header's value, or ""
   * @param certificateName the common name of the client certificate, or ""
   * @throws ApiError 401 for a token that nobody has, and for nobody where that is refused
   */
  String authenticate(String authorization, String certificateName) {
    if (!certificateName.isEmpty()) {
      return certificateName;
    }
    if (!authorization.startsWith("Bearer ") && anonymousAuth) {
      return ANONYMOUS;
    }
    if (!authorization.startsWith("Bearer ")) {
      throw ApiError.unauthorized();
    }
    String user = userByToken.get(authorization.substring("Bearer ".length()).strip());
    if (user == null) {
      throw ApiError.unauthorized();
    }
    return user;
  }

  /**
   * @throws ApiError 403
   */
  void authorize(RequestInfo request) {
    boolean anonymous = request.user().equals(ANONYMOUS);
    boolean allowed =
        anonymous ? isPublic(request) : denials.stream().noneMatch(d -> d.matches(request));
    if (!allowed) {
      throw ApiError.forbidden(request);
    }
  }

  private static boolean isPublic(RequestInfo request) {
    return request.verb().equals("get")
        && request.resource().isEmpty()
        && PUBLIC_PATHS.contains(request.path());
  }
}
