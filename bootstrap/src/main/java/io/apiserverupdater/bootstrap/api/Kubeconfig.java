package io.apiserverupdater.bootstrap.api;

import io.apiserverupdater.apiserver.tls.ClientCertificate;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * What the current context of one kubeconfig file gives access to. Everything that it names is read
 * at once, and anew each time: the kubelet replaces its certificate.
 *
 * @param host a name or an IP address, without brackets
 * @param pathPrefix what stands before {@code /apis}; mostly empty
 * @param tlsName what the server's certificate must be valid for
 * @param certificate by which the client is known, if by one
 * @param token by which the client is known, if by one
 */
record Kubeconfig(
    String host,
    int port,
    String pathPrefix,
    String tlsName,
    ServerTrust.Verified trust,
    Optional<ClientCertificate> certificate,
    Optional<String> token) {

  private static final int MAX_BYTES = 1024 * 1024;

  /** Secrets stay out of logs. */
  @Override
  public String toString() {
    return "Kubeconfig[" + host + ":" + port + "]";
  }

  /** It cannot be used. The message holds one line for each fault, and no secret. */
  static final class InvalidKubeconfigException extends Exception {
    InvalidKubeconfigException(List<String> faults) {
      super(String.join("\n", faults), null, false, false);
    }
  }

  /**
   * Reads a file in YAML or JSON.
   *
   * @throws InvalidKubeconfigException with all that is wrong with it and with what it names
   */
  static Kubeconfig read(Path file) throws InvalidKubeconfigException {
    byte[] bytes;
    try {
      bytes = bytes(file);
    } catch (IOException e) {
      throw new InvalidKubeconfigException(List.of(file + ": " + e.getMessage()));
    }
    return parse(file, bytes);
  }

  /**
   * @param file for messages, and as the place from which relative paths go
   */
  static Kubeconfig parse(Path file, byte[] bytes) throws InvalidKubeconfigException {
    Reader reader = new Reader(file);
    JsonValue root = reader.root(bytes);
    if (root instanceof JsonValue.Members fields) {
      Optional<Kubeconfig> kubeconfig = reader.kubeconfig(fields);
      if (kubeconfig.isPresent() && reader.faults.isEmpty()) {
        return kubeconfig.get();
      }
    }
    throw new InvalidKubeconfigException(reader.faults);
  }

  /** A file's content; the message of the exception is fit for a person. */
  private static byte[] bytes(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException e) {
      throw new IOException("no such file", e);
    } catch (AccessDeniedException e) {
      throw new IOException("may not be read; run this as root", e);
    } catch (IOException e) {
      throw new IOException("cannot be read: " + e.getMessage(), e);
    }
    if (bytes.length > MAX_BYTES) {
      throw new IOException("is longer than 1 MiB");
    }
    return bytes;
  }

  /** A context, cluster or user, and what to call it in a message. */
  private record Entry(String title, JsonValue.Members fields) {}

  /** Collects faults; what a fault leaves open is empty. */
  private static final class Reader {
    final List<String> faults = new ArrayList<>();
    private final Path file;

    Reader(Path file) {
      this.file = file;
    }

    private void fault(String text) {
      faults.add(file + ": " + text);
    }

    JsonValue root(byte[] bytes) {
      String text;
      try {
        text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      } catch (CharacterCodingException e) {
        fault("is not UTF-8 text");
        return new JsonValue.Null();
      }
      if (text.startsWith("\uFEFF")) {
        text = text.substring(1);
      }
      JsonValue root = new JsonValue.Null();
      try {
        root = text.stripLeading().startsWith("{") ? JsonReader.read(text) : NarrowYaml.read(text);
      } catch (JsonReader.MalformedJsonException e) {
        fault("line " + lineOf(text, e.position()) + ": is not JSON: " + e.getMessage());
        return root;
      } catch (NarrowYaml.MalformedYamlException e) {
        fault("line " + e.line() + ": " + e.getMessage());
        return root;
      }
      if (!(root instanceof JsonValue.Members)) {
        fault("is no kubeconfig: expected clusters, users and contexts, found " + root.kind());
      }
      return root;
    }

    private static int lineOf(String text, int position) {
      int line = 1;
      for (int i = 0; i < position && i < text.length(); i++) {
        line += text.charAt(i) == '\n' ? 1 : 0;
      }
      return line;
    }

    Optional<Kubeconfig> kubeconfig(JsonValue.Members root) {
      String current = root.text("current-context");
      if (current.isEmpty()) {
        fault("current-context is not set; set it with kubectl config use-context");
        return Optional.empty();
      }
      Optional<Entry> context = entry(root, "contexts", "context", current);
      if (context.isEmpty()) {
        return Optional.empty();
      }
      String clusterName = text(context.get(), "cluster");
      String userName = text(context.get(), "user");
      Optional<Entry> cluster = entry(root, "clusters", "cluster", clusterName);
      Optional<Entry> user = entry(root, "users", "user", userName);
      return cluster.isPresent() && user.isPresent()
          ? access(cluster.get(), user.get())
          : Optional.empty();
    }

    private Optional<Kubeconfig> access(Entry cluster, Entry user) {
      refuse(cluster, "proxy-url", "the apiserver is asked directly");
      if (cluster.fields().get("insecure-skip-tls-verify") instanceof JsonValue.Flag flag
          && flag.value()) {
        fault(
            cluster.title()
                + ": insecure-skip-tls-verify is set, but the server is always verified before"
                + " it gets the credentials; set certificate-authority instead");
      }
      for (String other : List.of("exec", "auth-provider", "username", "password")) {
        refuse(user, other, "expected a client certificate or a token");
      }
      Optional<URI> server = server(cluster);
      Optional<ServerTrust.Verified> trust = trust(cluster);
      Optional<ClientCertificate> certificate = certificate(user);
      Optional<String> token = token(user);
      if (faults.isEmpty() && certificate.isEmpty() && token.isEmpty()) {
        fault(user.title() + ": has no credential; expected a client certificate or a token");
      }
      if (!faults.isEmpty() || server.isEmpty() || trust.isEmpty()) {
        return Optional.empty();
      }
      String host = host(server.get());
      String tlsName = text(cluster, "tls-server-name");
      return Optional.of(
          new Kubeconfig(
              host,
              server.get().getPort() < 0 ? 443 : server.get().getPort(),
              path(server.get()),
              tlsName.isEmpty() ? host : tlsName,
              trust.get(),
              certificate,
              token));
    }

    /** The named element of a list such as {@code clusters}; empty after a fault. */
    private Optional<Entry> entry(JsonValue.Members root, String list, String kind, String name) {
      if (name.isEmpty()) {
        fault("the current context names no " + kind);
        return Optional.empty();
      }
      String title = kind + " \"" + printable(name) + "\"";
      for (JsonValue element : root.elements(list)) {
        // As kubectl does: the first of that name counts.
        if (element instanceof JsonValue.Members named && named.text("name").equals(name)) {
          return Optional.of(new Entry(title, named.members(kind)));
        }
      }
      fault("there is no " + title + " in " + list);
      return Optional.empty();
    }

    /** A text, which may be missing; anything else of that name is a fault. */
    private String text(Entry entry, String key) {
      JsonValue value = entry.fields().get(key);
      if (value instanceof JsonValue.Text text) {
        return text.value();
      }
      if (!(value instanceof JsonValue.Null)) {
        fault(
            entry.title()
                + ": "
                + key
                + " is "
                + value.kind()
                + ", expected a text; put it into quotes");
      }
      return "";
    }

    private void refuse(Entry entry, String key, String instead) {
      JsonValue value = entry.fields().get(key);
      if (!(value instanceof JsonValue.Null) && !value.equals(new JsonValue.Text(""))) {
        fault(entry.title() + ": " + key + " is not supported here: " + instead);
      }
    }

    private Optional<URI> server(Entry cluster) {
      String text = text(cluster, "server");
      try {
        URI uri = new URI(text);
        boolean plain =
            uri.getRawUserInfo() == null
                && uri.getRawQuery() == null
                && uri.getRawFragment() == null
                && uri.getPort() <= 65_535
                && uri.getPort() != 0;
        if ("https".equals(uri.getScheme()) && uri.getHost() != null && plain) {
          return Optional.of(uri);
        }
      } catch (URISyntaxException e) {
        // Told below, like every other text that is no such URL.
      }
      fault(
          cluster.title()
              + ": server is \""
              + printable(text)
              + "\", expected https://HOST[:PORT][/PATH]");
      return Optional.empty();
    }

    private static String host(URI server) {
      String host = server.getHost();
      return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    private static String path(URI server) {
      String path = server.getRawPath() == null ? "" : server.getRawPath();
      int end = path.length();
      while (end > 0 && path.charAt(end - 1) == '/') {
        end--;
      }
      return path.substring(0, end);
    }

    private Optional<ServerTrust.Verified> trust(Entry cluster) {
      Optional<byte[]> pem = dataOrFile(cluster, "certificate-authority");
      if (pem.isEmpty()) {
        return Optional.empty();
      }
      if (pem.get().length == 0) {
        fault(
            cluster.title()
                + ": certificate-authority is not set; expected the file of the cluster's CA, as"
                + " /etc/kubernetes/pki/ca.crt");
        return Optional.empty();
      }
      try {
        return Optional.of(ServerTrust.authorities(pem.get()));
      } catch (GeneralSecurityException e) {
        fault(cluster.title() + ": certificate-authority: " + e.getMessage());
        return Optional.empty();
      }
    }

    private Optional<ClientCertificate> certificate(Entry user) {
      Optional<byte[]> chain = dataOrFile(user, "client-certificate");
      Optional<byte[]> key = dataOrFile(user, "client-key");
      if (chain.isEmpty() || key.isEmpty()) {
        return Optional.empty();
      }
      boolean withChain = chain.get().length > 0;
      if (withChain != key.get().length > 0) {
        String there = withChain ? "client-certificate" : "client-key";
        String missing = withChain ? "client-key" : "client-certificate";
        fault(user.title() + ": " + there + " is set, but " + missing + " is not");
        return Optional.empty();
      }
      return withChain
          ? Optional.of(
              new ClientCertificate(
                  new String(chain.get(), StandardCharsets.ISO_8859_1),
                  new String(key.get(), StandardCharsets.ISO_8859_1)))
          : Optional.empty();
    }

    private Optional<String> token(Entry user) {
      String token = text(user, "token");
      // As kubectl does: the file wins over the token beside it.
      String tokenFile = text(user, "tokenFile");
      if (!tokenFile.isEmpty()) {
        byte[] bytes = file(user, "tokenFile", tokenFile).orElse(new byte[0]);
        token = new String(bytes, StandardCharsets.ISO_8859_1).strip();
        if (token.isEmpty() && faults.isEmpty()) {
          fault(user.title() + ": tokenFile: the file " + printable(tokenFile) + " is empty");
        }
      }
      for (int i = 0; i < token.length(); i++) {
        if (token.charAt(i) <= ' ' || token.charAt(i) >= 127) {
          fault(user.title() + ": the token has invalid characters");
          return Optional.empty();
        }
      }
      return token.isEmpty() ? Optional.empty() : Optional.of(token);
    }

    /**
     * What {@code KEY-data} holds in base64, or the file that {@code KEY} names, as kubectl
     * chooses.
     *
     * @return empty after a fault, and no bytes when neither is set
     */
    private Optional<byte[]> dataOrFile(Entry entry, String key) {
      String data = text(entry, key + "-data");
      String path = text(entry, key);
      if (!data.isEmpty()) {
        try {
          return Optional.of(Base64.getDecoder().decode(withoutSpace(data)));
        } catch (IllegalArgumentException e) {
          fault(entry.title() + ": " + key + "-data is not base64");
          return Optional.empty();
        }
      }
      return path.isEmpty() ? Optional.of(new byte[0]) : file(entry, key, path);
    }

    private static String withoutSpace(String data) {
      StringBuilder text = new StringBuilder(data.length());
      for (int i = 0; i < data.length(); i++) {
        if (!Character.isWhitespace(data.charAt(i))) {
          text.append(data.charAt(i));
        }
      }
      return text.toString();
    }

    private Optional<byte[]> file(Entry entry, String key, String name) {
      String title = entry.title() + ": " + key + ": ";
      try {
        Path path = file.toAbsolutePath().resolveSibling(name);
        try {
          byte[] bytes = bytes(path);
          if (bytes.length == 0) {
            fault(title + path + ": is empty");
            return Optional.empty();
          }
          return Optional.of(bytes);
        } catch (IOException e) {
          fault(title + path + ": " + e.getMessage());
          return Optional.empty();
        }
      } catch (InvalidPathException e) {
        fault(title + "\"" + printable(name) + "\" is no path");
        return Optional.empty();
      }
    }

    private static String printable(String text) {
      StringBuilder printable = new StringBuilder();
      for (int i = 0; i < text.length() && i < 100; i++) {
        char c = text.charAt(i);
        printable.append(Character.isISOControl(c) ? '?' : c);
      }
      return printable.toString();
    }
  }
}
