package io.apiserverupdater.apiserver.kubeconfig;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.apiserverupdater.apiserver.tls.ClientCertificate;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A credential plugin, as client-go runs it: a program that prints an ExecCredential. What it gives
 * is kept until it expires or is turned down. Source: k8s.io/client-go/plugin/pkg/client/auth/exec,
 * and the API client.authentication.k8s.io/v1.
 */
final class ExecPlugin {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int MAX_BYTES = 1 << 20;

  private final String where;
  private final String apiVersion;
  private final List<String> command;
  private final Map<String, String> environment;
  private final String installHint;
  private final Clock clock = Clock.systemUTC();

  // Guarded by this.
  private Optional<Kept> kept = Optional.empty();

  private record Kept(ClientIdentity identity, Optional<Instant> expiry) {}

  private ExecPlugin(
      String where,
      String apiVersion,
      List<String> command,
      Map<String, String> environment,
      String installHint) {
    this.where = where;
    this.apiVersion = apiVersion;
    this.command = command;
    this.environment = environment;
    this.installHint = installHint;
  }

  /** The plugin of a user, if it has one; faults in its description are added to the list. */
  static Optional<ExecPlugin> of(
      Entry user, Entry cluster, Map<String, String> environment, List<String> faults) {
    if (!(user.fields().get("exec") instanceof Map<?, ?> exec)) {
      return Optional.empty();
    }
    Entry entry = new Entry(user.file(), user.title() + " exec", exec);
    entry.expectTexts(faults, "apiVersion", "command", "installHint");
    String version = entry.text("apiVersion");
    if (!version.equals("client.authentication.k8s.io/v1")
        && !version.equals("client.authentication.k8s.io/v1beta1")) {
      faults.add(
          "%s: apiVersion is %s, expected client.authentication.k8s.io/v1 or v1beta1"
              .formatted(entry.where(), Entry.quoted(version)));
    }
    if (!entry.has("command")) {
      faults.add(entry.where() + ": command is not set");
    }
    int before = faults.size();
    entry.expectPaths(faults, "command");
    if (faults.size() > before) {
      return Optional.empty();
    }
    List<String> command = new ArrayList<>();
    // A name is looked up in PATH; anything with a slash is relative to the kubeconfig.
    String program = entry.text("command");
    command.add(program.contains("/") ? entry.path("command").normalize().toString() : program);
    if (exec.get("args") instanceof List<?> args) {
      for (Object arg : args) {
        command.add(scalar(arg, entry.where() + ": args[" + (command.size() - 1) + "]", faults));
      }
    }
    Map<String, String> variables = new LinkedHashMap<>(environment);
    if (exec.get("env") instanceof List<?> pairs) {
      for (Object pair : pairs) {
        if (pair instanceof Map<?, ?> map && map.get("name") instanceof String name) {
          String where = entry.where() + ": env " + Entry.quoted(name);
          variables.put(name, scalar(map.get("value"), where, faults));
        }
      }
    }
    variables.put(
        "KUBERNETES_EXEC_INFO", execInfo(version, entry.flag("provideClusterInfo"), cluster));
    return Optional.of(
        new ExecPlugin(
            entry.where(), version, command, variables, entry.text("installHint").strip()));
  }

  /** Adds a fault for a mapping or a list, which an alias can make contain itself. */
  private static String scalar(@Nullable Object value, String where, List<String> faults) {
    if (value instanceof Map || value instanceof List) {
      faults.add(where + " is " + Entry.kind(value) + ", expected a text");
      return "";
    }
    return String.valueOf(value);
  }

  private static String execInfo(String version, boolean withCluster, Entry cluster) {
    JsonObject spec = new JsonObject();
    spec.addProperty("interactive", false);
    if (withCluster) {
      JsonObject info = new JsonObject();
      for (String key : List.of("server", "tls-server-name", "certificate-authority-data")) {
        if (cluster.has(key)) {
          info.addProperty(key, cluster.text(key));
        }
      }
      spec.add("cluster", info);
    }
    JsonObject root = new JsonObject();
    root.addProperty("kind", "ExecCredential");
    root.addProperty("apiVersion", version);
    root.add("spec", spec);
    return root.toString();
  }

  /**
   * The identity that the plugin gives.
   *
   * @param fresh whether to run it even though what it gave before has not expired
   * @throws IOException when it cannot be run, fails, takes longer than 30 s, or prints something
   *     else
   */
  synchronized ClientIdentity identity(boolean fresh) throws IOException {
    Kept current = kept.orElse(null);
    if (current != null
        && !fresh
        && current.expiry().map(expiry -> clock.instant().isBefore(expiry)).orElse(true)) {
      return current.identity();
    }
    Kept next = parse(run());
    kept = Optional.of(next);
    return next.identity();
  }

  private String run() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder.environment().putAll(environment);
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      String hint = installHint.isEmpty() ? "" : "\n" + installHint;
      throw new IOException(where + ": cannot run " + command.get(0) + hint, e);
    }
    try {
      // Read apart from the deadline, and bounded, so it fits into memory.
      CompletableFuture<byte[]> output =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return process.getInputStream().readNBytes(MAX_BYTES);
                } catch (IOException e) {
                  return new byte[0];
                }
              });
      if (!process.waitFor(TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
        throw failure("took more than " + TIMEOUT.toSeconds() + " s");
      }
      if (process.exitValue() != 0) {
        throw failure("failed with exit code " + process.exitValue());
      }
      return new String(output.get(1, TimeUnit.SECONDS), StandardCharsets.UTF_8);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(where + ": interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException(where + ": the output of " + command.get(0) + " cannot be read", e);
    } finally {
      process.destroyForcibly();
    }
  }

  private Kept parse(String output) throws IOException {
    JsonObject root;
    try {
      root = JsonParser.parseString(output).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      // The output holds a secret, and the parser quotes it.
      throw failure("printed no JSON object");
    }
    if (!"ExecCredential".equals(text(root, "kind").orElse(""))
        || !apiVersion.equals(text(root, "apiVersion").orElse(""))) {
      throw failure("printed no ExecCredential of " + apiVersion);
    }
    JsonObject status = root.get("status") instanceof JsonObject object ? object : new JsonObject();
    Optional<String> token = text(status, "token");
    Optional<String> chain = text(status, "clientCertificateData");
    Optional<String> key = text(status, "clientKeyData");
    Optional<ClientCertificate> certificate =
        chain.flatMap(pem -> key.map(other -> new ClientCertificate(pem, other)));
    if (token.isEmpty() && certificate.isEmpty()) {
      throw failure("returned neither a token nor a client certificate");
    }
    if (!ClientIdentity.fitsHeader(token.orElse(""))) {
      throw failure("returned a token with invalid characters");
    }
    Optional<Instant> expiry;
    try {
      expiry = text(status, "expirationTimestamp").map(Instant::parse);
    } catch (DateTimeParseException e) {
      throw new IOException(
          where + ": expirationTimestamp of " + command.get(0) + " is no time", e);
    }
    return new Kept(new ClientIdentity(token, certificate), expiry);
  }

  private IOException failure(String what) {
    return new IOException(where + ": " + command.get(0) + " " + what);
  }

  private static Optional<String> text(JsonObject object, String key) {
    JsonElement value = object.get(key);
    return value != null && value.isJsonPrimitive()
        ? Optional.of(value.getAsString())
        : Optional.empty();
  }
}
