import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * Lists the classes to make an archive of: those of a jar whose names match a regular expression,
 * and those that a program loads when it is run against an apiserver on loopback that is ready and
 * has no objects.
 *
 * <pre>java deploy/ListClasses.java LIST JAR REGEX JAVA ARGUMENT...</pre>
 *
 * In an argument {@code @PORT@} is the apiserver's port, and {@code @FOLDER@} a folder with its
 * {@code ca.crt} and a {@code kubeconfig}; the folder is deleted at the end.
 */
final class ListClasses {
  private static final String KUBECONFIG =
      """
      apiVersion: v1
      kind: Config
      current-context: build
      contexts: [{name: build, context: {cluster: build, user: build}}]
      users: [{name: build, user: {token: none}}]
      clusters:
      - name: build
        cluster: {server: "https://127.0.0.1:@PORT@", certificate-authority: "@FOLDER@/ca.crt"}
      """;
  private static final String NOT_FOUND =
      "{\"kind\": \"Status\", \"status\": \"Failure\", \"reason\": \"NotFound\", \"code\": 404}";
  private static final int ATTEMPTS = 10;
  private static final String PASSWORD = "for this build";

  private final AtomicInteger requests = new AtomicInteger();
  private final Path folder;

  private ListClasses(Path folder) {
    this.folder = folder;
  }

  public static void main(String[] arguments)
      throws IOException, GeneralSecurityException, InterruptedException {
    TreeSet<String> classes = new TreeSet<>();
    try (ZipFile jar = new ZipFile(arguments[1])) {
      jar.stream()
          .map(ZipEntry::getName)
          .filter(name -> name.matches(arguments[2] + "\\.class"))
          .forEach(name -> classes.add(name.replaceFirst("\\.class$", "")));
    }
    Path folder = Files.createTempDirectory("list-classes");
    try {
      classes.addAll(
          new ListClasses(folder).loaded(Arrays.asList(arguments).subList(3, arguments.length)));
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
    Files.write(Path.of(arguments[0]), classes);
  }

  private List<String> loaded(List<String> program)
      throws IOException, GeneralSecurityException, InterruptedException {
    HttpsServer apiserver = apiserver();
    String port = Integer.toString(apiserver.getAddress().getPort());
    Files.writeString(folder.resolve("kubeconfig"), filled(KUBECONFIG, port));
    Path list = folder.resolve("list");
    List<String> command = new ArrayList<>();
    program.forEach(word -> command.add(filled(word, port)));
    command.addAll(1, List.of("-Xshare:off", "-XX:DumpLoadedClassList=" + list));
    String output = "";
    // On a busy machine the first handshakes may take longer than the program waits.
    for (int i = 0; i < ATTEMPTS && requests.get() == 0; i++) {
      output = run(command);
    }
    apiserver.stop(0);
    if (requests.get() == 0) {
      throw new IOException("no request has come from " + command + ":\n" + output);
    }
    return Files.readAllLines(list).stream()
        // Neither comments nor proxies of lambda expressions, which gained nothing measurable.
        .filter(line -> !line.matches("[#@].*"))
        .map(line -> line.replaceAll(" id:.*", ""))
        .toList();
  }

  private String filled(String text, String port) {
    return text.replace("@PORT@", port).replace("@FOLDER@", folder.toString());
  }

  private HttpsServer apiserver()
      throws IOException, GeneralSecurityException, InterruptedException {
    Path store = folder.resolve("store");
    List<String> keytool = new ArrayList<>();
    keytool.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    keytool.addAll(
        List.of(
            "-genkeypair -keyalg EC -dname CN=apiserver -alias apiserver -ext bc:c=ca:true"
                .split(" ")));
    keytool.addAll(List.of("-ext", "san=ip:127.0.0.1,dns:apiserver.cluster.local"));
    keytool.addAll(List.of("-keystore", store.toString(), "-storepass", PASSWORD));
    run(keytool);
    KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
    String certificate =
        Base64.getMimeEncoder().encodeToString(keys.getCertificate("apiserver").getEncoded());
    Files.writeString(
        folder.resolve("ca.crt"),
        "-----BEGIN CERTIFICATE-----\n" + certificate + "\n-----END CERTIFICATE-----\n");
    KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
    managers.init(keys, PASSWORD.toCharArray());
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(managers.getKeyManagers(), null, null);
    HttpsServer server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(tls));
    server.createContext(
        "/",
        exchange -> {
          requests.incrementAndGet();
          boolean ready = exchange.getRequestURI().getPath().equals("/readyz");
          byte[] body = (ready ? "ok" : NOT_FOUND).getBytes(UTF_8);
          exchange.sendResponseHeaders(ready ? 200 : 404, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    return server;
  }

  private String run(List<String> command) throws IOException, InterruptedException {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(1, TimeUnit.MINUTES)) {
      process.destroyForcibly();
    }
    return Files.readString(output);
  }
}
