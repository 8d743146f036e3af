package io.apiserverupdater.apiserver.kubeconfig;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.apiserverupdater.apiserver.tls.ClientCertificate;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
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
  /** The extension of a cluster that a plugin is given. */
  private static final String EXTENSION = "client.authentication.k8s.io/exec";

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** So long before its end, or half of its life, an identity is asked for again. */
  private static final Duration AHEAD = PATIENCE.multipliedBy(2);

  /** A person who logs in with a browser takes longer. */
  private static final Duration PATIENCE_AT_A_TERMINAL = Duration.ofMinutes(5);

  /** Who asks again sooner is told the same; otherwise each call would run it. */
  private static final Duration FAILURE_AGE = Duration.ofSeconds(10);

  private static final int MAX_BYTES = 1 << 20;
  private static final int MAX_DEPTH = 64;

  private final Entry exec;
  private final Entry cluster;
  private final Optional<JsonElement> extension;
  private final List<String> command;
  private final Map<String, String> variables;
  private final Surroundings surroundings;

  /** Held by whoever runs the plugin; what is kept is given out meanwhile. */
  private final Object running = new Object();

  // Guarded by this.
  private Optional<Kept> kept = Optional.empty();
  private Optional<Failure> failure = Optional.empty();
  private int runs;

  /** What the plugin gave, when that ends, and when to run it again before. */
  private record Kept(
      ClientIdentity identity, Optional<Instant> expiry, Optional<Instant> renewal) {
    static Kept until(ClientIdentity identity, Optional<Instant> expiry, Instant now) {
      return new Kept(
          identity,
          expiry,
          expiry.map(
              end -> {
                Duration half = Duration.between(now, end).dividedBy(2);
                return end.minus(half.compareTo(AHEAD) < 0 ? half : AHEAD);
              }));
    }
  }

  private record Failure(String message, Instant at) {}

  /**
   * Where it runs.
   *
   * @param environment its variables, beside those that the kubeconfig gives it
   * @param terminal whether our standard input is one, at which a person can be asked
   */
  record Surroundings(Map<String, String> environment, boolean terminal, Clock clock) {
    static Surroundings ofThisProcess(Map<String, String> environment) {
      return new Surroundings(environment, isTerminal(), Clock.systemUTC());
    }

    /** The Java runtime's own answer needs the standard output to be a terminal too. */
    private static boolean isTerminal() {
      try {
        String device = Files.readSymbolicLink(Path.of("/proc/self/fd/0")).toString();
        return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
      } catch (IOException e) {
        // Not Linux: the plugin is run as without one.
        return false;
      }
    }
  }

  private ExecPlugin(
      Entry exec,
      Entry cluster,
      Optional<JsonElement> extension,
      List<String> command,
      Map<String, String> variables,
      Surroundings surroundings) {
    this.exec = exec;
    this.cluster = cluster;
    this.extension = extension;
    this.command = command;
    this.variables = variables;
    this.surroundings = surroundings;
  }

  /** The plugin of a user, if it has one; faults in its description are added to the list. */
  static Optional<ExecPlugin> of(
      Entry user, Entry cluster, Surroundings surroundings, List<String> faults) {
    @Nullable Object value = user.fields().get("exec");
    if (!(value instanceof Map<?, ?> fields)) {
      if (value != null) {
        faults.add(user.where() + ": exec is " + Entry.kind(value) + ", expected a mapping");
      }
      return Optional.empty();
    }
    Entry exec = new Entry(user.file(), user.title() + " exec", fields);
    int before = faults.size();
    exec.expectTexts(faults, "apiVersion", "command", "installHint", "interactiveMode");
    exec.expectPaths(faults, "command");
    exec.expectFlags(faults, "provideClusterInfo");
    expectOneOf(
        exec,
        "apiVersion",
        List.of("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"),
        faults);
    if (exec.has("interactiveMode")) {
      expectOneOf(exec, "interactiveMode", List.of("Never", "IfAvailable", "Always"), faults);
    }
    if (!exec.has("command")) {
      faults.add(exec.where() + ": command is not set");
    }
    List<String> arguments = arguments(exec, faults);
    Map<String, String> variables = new LinkedHashMap<>(surroundings.environment());
    variables.putAll(variables(exec, faults));
    Optional<JsonElement> extension = extension(cluster, faults);
    if (faults.size() > before) {
      return Optional.empty();
    }
    List<String> command = new ArrayList<>();
    // A name is looked up in PATH; anything with a slash is relative to the kubeconfig.
    String program = exec.text("command");
    command.add(program.contains("/") ? exec.path("command").normalize().toString() : program);
    command.addAll(arguments);
    return Optional.of(new ExecPlugin(exec, cluster, extension, command, variables, surroundings));
  }

  private static void expectOneOf(
      Entry exec, String key, List<String> choices, List<String> faults) {
    if (!choices.contains(exec.text(key))) {
      faults.add(
          "%s: %s is %s, expected %s"
              .formatted(
                  exec.where(), key, Entry.quoted(exec.text(key)), String.join(" or ", choices)));
    }
  }

  private static List<String> arguments(Entry exec, List<String> faults) {
    List<String> arguments = new ArrayList<>();
    for (Object argument : exec.list("args", faults)) {
      arguments.add(scalar(argument, exec.where() + ": args[" + arguments.size() + "]", faults));
    }
    return arguments;
  }

  private static Map<String, String> variables(Entry exec, List<String> faults) {
    Map<String, String> variables = new LinkedHashMap<>();
    for (Object pair : exec.list("env", faults)) {
      String where = exec.where() + ": env";
      if (!(pair instanceof Map<?, ?> map) || !(map.get("name") instanceof String name)) {
        faults.add(where + " has an entry that is not {name: NAME, value: VALUE}");
        continue;
      }
      String value = scalar(map.get("value"), where + " " + Entry.quoted(name), faults);
      if (name.isEmpty() || name.contains("=") || (name + value).contains("\0")) {
        faults.add(where + " " + Entry.quoted(name) + " cannot be a variable of a program");
      }
      variables.put(name, value);
    }
    return variables;
  }

  /** Adds a fault for a mapping or a list, which an alias can make contain itself. */
  private static String scalar(@Nullable Object value, String where, List<String> faults) {
    if (value instanceof Map || value instanceof List) {
      faults.add(where + " is " + Entry.kind(value) + ", expected a text");
      return "";
    }
    return String.valueOf(value);
  }

  private static Optional<JsonElement> extension(Entry cluster, List<String> faults) {
    for (Object extension : cluster.list("extensions", faults)) {
      if (extension instanceof Map<?, ?> map && EXTENSION.equals(map.get("name"))) {
        String where = cluster.where() + ": extension " + EXTENSION;
        return Optional.of(json(map.get("extension"), where, MAX_DEPTH, faults));
      }
    }
    return Optional.empty();
  }

  private static JsonElement json(
      @Nullable Object value, String where, int depth, List<String> faults) {
    if (depth == 0) {
      faults.add(where + " is nested too deeply, or contains itself");
    } else if (value instanceof Map<?, ?> map) {
      JsonObject object = new JsonObject();
      map.forEach(
          (key, one) -> object.add(String.valueOf(key), json(one, where, depth - 1, faults)));
      return object;
    } else if (value instanceof List<?> list) {
      JsonArray array = new JsonArray();
      list.forEach(one -> array.add(json(one, where, depth - 1, faults)));
      return array;
    } else if (value instanceof Boolean bool) {
      return new JsonPrimitive(bool);
    } else if (value instanceof Number number) {
      return new JsonPrimitive(number);
    } else if (value != null) {
      return new JsonPrimitive(String.valueOf(value));
    }
    return JsonNull.INSTANCE;
  }

  /** What it is told, as client-go's ConfigToExecCluster says it. */
  private String info(boolean interactive) throws IOException {
    JsonObject spec = new JsonObject();
    spec.addProperty("interactive", interactive);
    if (exec.flag("provideClusterInfo")) {
      JsonObject info = new JsonObject();
      for (String key : List.of("server", "tls-server-name", "proxy-url")) {
        if (cluster.has(key)) {
          info.addProperty(key, cluster.text(key));
        }
      }
      if (cluster.flag("disable-compression")) {
        info.addProperty("disable-compression", true);
      }
      // The data, also where the kubeconfig names a file.
      cluster
          .dataOrFile("certificate-authority")
          .map(pem -> pem.getBytes(StandardCharsets.UTF_8))
          .map(Base64.getEncoder()::encodeToString)
          .ifPresent(data -> info.addProperty("certificate-authority-data", data));
      extension.ifPresent(config -> info.add("config", config));
      spec.add("cluster", info);
    }
    JsonObject root = new JsonObject();
    root.addProperty("kind", "ExecCredential");
    root.addProperty("apiVersion", exec.text("apiVersion"));
    root.add("spec", spec);
    return root.toString();
  }

  /**
   * The identity that the plugin gives. One that is about to expire is given out at once, and asked
   * for again on a thread of its own.
   *
   * @param fresh whether to run it even though what it gave before has not expired
   * @throws IOException when it cannot be run, fails, takes longer than 30 s, or 5 min at a
   *     terminal, or prints something else; for 10 s it is not run again
   */
  ClientIdentity identity(boolean fresh) throws IOException {
    Instant now = surroundings.clock().instant();
    int before;
    synchronized (this) {
      before = runs;
      Optional<Kept> good = kept.filter(it -> !fresh && isBefore(now, it.expiry()));
      if (good.isPresent()) {
        if (!isBefore(now, good.get().renewal())) {
          // Not again before this run is over.
          Optional<Instant> next = Optional.of(now.plus(PATIENCE));
          kept = Optional.of(new Kept(good.get().identity(), good.get().expiry(), next));
          renewOnItsOwn(before);
        }
        return good.get().identity();
      }
    }
    return renewed(before);
  }

  private static boolean isBefore(Instant now, Optional<Instant> moment) {
    return moment.map(now::isBefore).orElse(true);
  }

  private void renewOnItsOwn(int before) {
    Thread thread =
        new Thread(
            () -> {
              try {
                ClientIdentity unusedNext = renewed(before);
              } catch (IOException e) {
                // What is kept is still good; whoever asks when it has expired is told.
              }
            },
            "credential-plugin");
    thread.setDaemon(true);
    thread.start();
  }

  /** Runs it, unless somebody else has done so since that run, or it has just failed. */
  private ClientIdentity renewed(int before) throws IOException {
    synchronized (running) {
      synchronized (this) {
        if (runs != before && kept.isPresent()) {
          return kept.get().identity();
        }
        Instant now = surroundings.clock().instant();
        Optional<Failure> recent =
            failure.filter(it -> Duration.between(it.at(), now).abs().compareTo(FAILURE_AGE) < 0);
        if (recent.isPresent()) {
          throw new IOException(recent.get().message());
        }
      }
      try {
        Kept next = parse(run(), surroundings.clock().instant());
        synchronized (this) {
          kept = Optional.of(next);
          failure = Optional.empty();
          runs++;
        }
        return next.identity();
      } catch (IOException e) {
        Instant now = surroundings.clock().instant();
        synchronized (this) {
          failure = Optional.of(new Failure(String.valueOf(e.getMessage()), now));
        }
        throw e;
      }
    }
  }

  private String run() throws IOException {
    boolean interactive = surroundings.terminal() && !exec.text("interactiveMode").equals("Never");
    if (!interactive && exec.text("interactiveMode").equals("Always")) {
      throw new IOException(
          exec.where() + ": interactiveMode is Always, but the standard input is not a terminal");
    }
    Duration patience = surroundings.terminal() ? PATIENCE_AT_A_TERMINAL : PATIENCE;
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder.environment().putAll(variables);
    builder.environment().put("KUBERNETES_EXEC_INFO", info(interactive));
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.redirectInput(
        interactive
            ? ProcessBuilder.Redirect.INHERIT
            : ProcessBuilder.Redirect.from(new File("/dev/null")));
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      String hint = exec.text("installHint").strip();
      throw new IOException(
          exec.where() + ": cannot run " + command.get(0) + (hint.isEmpty() ? "" : "\n" + hint), e);
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
      if (!process.waitFor(patience.toSeconds(), TimeUnit.SECONDS)) {
        throw failure("took more than " + patience.toSeconds() + " s");
      }
      if (process.exitValue() != 0) {
        throw failure("failed with exit code " + process.exitValue());
      }
      return new String(output.get(1, TimeUnit.SECONDS), StandardCharsets.UTF_8);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(exec.where() + ": interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException(
          exec.where() + ": the output of " + command.get(0) + " cannot be read", e);
    } finally {
      process.destroyForcibly();
    }
  }

  private Kept parse(String output, Instant now) throws IOException {
    JsonObject root;
    try {
      root = JsonParser.parseString(output).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      // The output holds a secret, and the parser quotes it.
      throw failure("printed no JSON object");
    }
    if (!"ExecCredential".equals(text(root, "kind").orElse(""))
        || !exec.text("apiVersion").equals(text(root, "apiVersion").orElse(""))) {
      throw failure("printed no ExecCredential of " + exec.text("apiVersion"));
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
          exec.where() + ": expirationTimestamp of " + command.get(0) + " is no time", e);
    }
    return Kept.until(new ClientIdentity(token, certificate), expiry, now);
  }

  private IOException failure(String what) {
    return new IOException(exec.where() + ": " + command.get(0) + " " + what);
  }

  private static Optional<String> text(JsonObject object, String key) {
    JsonElement value = object.get(key);
    return value != null && value.isJsonPrimitive()
        ? Optional.of(value.getAsString())
        : Optional.empty();
  }
}
