import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * Lists the classes to make an archive of: those of a jar whose names match a regular expression,
 * and those that a program loads when it runs against an apiserver on loopback. This apiserver is
 * ready, is the only member of the {@code kubernetes} Service, has a Service for the updater and no
 * other object, and keeps what it is sent.
 *
 * <pre>java deploy/ListClasses.java LIST JAR REGEX [EMULATOR...] JAVA ARGUMENT...</pre>
 *
 * In an argument {@code @PORT@} is the apiserver's port, {@code @UNUSED_PORT@} one that the program
 * may use, and {@code @FOLDER@} a folder with the apiserver's {@code ca.crt} and a {@code
 * kubeconfig}; the folder is deleted at the end. A program that does not end by itself gets SIGTERM
 * when it has replaced objects {@value #UPDATES} times.
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
  private static final String SLICE =
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";
  private static final String SLICE_JSON =
      """
      {"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "addressType": "IPv4",
       "metadata": {"name": "kubernetes", "namespace": "default", "resourceVersion": "1",
                    "labels": {"kubernetes.io/service-name": "kubernetes"}},
       "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": true}}],
       "ports": [{"name": "https", "port": @PORT@, "protocol": "TCP"}]}
      """;
  private static final String SERVICE = "/api/v1/namespaces/kube-system/services/apiserver";
  private static final String SERVICE_JSON =
      """
      {"kind": "Service", "apiVersion": "v1",
       "metadata": {"name": "apiserver", "namespace": "kube-system", "resourceVersion": "1"},
       "spec": {"clusterIP": "10.96.0.9", "ipFamilies": ["IPv4"],
                "ports": [{"name": "https", "port": 6443, "targetPort": 6443}]}}
      """;
  private static final String NOT_FOUND =
      "{\"kind\": \"Status\", \"status\": \"Failure\", \"reason\": \"NotFound\", \"code\": 404}";
  private static final String LIST =
      "{\"kind\": \"List\", \"metadata\": {\"resourceVersion\": \"1\"}, \"items\": [%s]}";
  private static final String EVENT = "{\"type\": \"MODIFIED\", \"object\": %s}\n";
  private static final int ATTEMPTS = 3;
  private static final int UPDATES = 5;
  private static final String STORE = "@FOLDER@/store";
  private static final String PASSWORD = "for this build";

  private final Map<String, String> objects = new ConcurrentSkipListMap<>();
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicInteger updates = new AtomicInteger();
  private final Path folder;
  private final String unusedPort;

  private ListClasses(Path folder) throws IOException {
    this.folder = folder;
    try (ServerSocket socket = new ServerSocket(0)) {
      this.unusedPort = Integer.toString(socket.getLocalPort());
    }
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
    objects.put(SLICE, filled(SLICE_JSON, port));
    objects.put(SERVICE, SERVICE_JSON);
    Path list = folder.resolve("list");
    List<String> command = new ArrayList<>();
    program.forEach(word -> command.add(filled(word, port)));
    int java = 0;
    while (!command.get(java).endsWith("java")) {
      java++; // An emulator comes before it.
    }
    command.addAll(java + 1, List.of("-Xshare:off", "-XX:DumpLoadedClassList=" + list));
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
        .filter(line -> !line.startsWith("#"))
        .map(line -> line.replaceAll(" id:.*", ""))
        .toList();
  }

  private String filled(String text, String port) {
    return text.replace("@PORT@", port)
        .replace("@UNUSED_PORT@", unusedPort)
        .replace("@FOLDER@", folder.toString());
  }

  private HttpsServer apiserver()
      throws IOException, GeneralSecurityException, InterruptedException {
    // The apiserver's certificate is from a CA, as everywhere: such a chain is validated.
    keytool("-genkeypair -alias ca -dname CN=ca -ext bc:c");
    keytool("-genkeypair -alias apiserver -dname CN=apiserver");
    keytool("-certreq -alias apiserver -file @FOLDER@/request");
    keytool(
        "-gencert -alias ca -infile @FOLDER@/request -outfile @FOLDER@/certificate"
            + " -ext san=ip:127.0.0.1,dns:apiserver.cluster.local,dns:kubernetes.default.svc");
    keytool("-importcert -alias apiserver -file @FOLDER@/certificate -noprompt");
    keytool("-exportcert -alias ca -rfc -file @FOLDER@/ca.crt");
    keytool("-delete -alias ca");
    KeyStore keys = KeyStore.getInstance(new File(filled(STORE, "")), PASSWORD.toCharArray());
    KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
    managers.init(keys, PASSWORD.toCharArray());
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(managers.getKeyManagers(), null, null);
    HttpsServer server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(
        new HttpsConfigurator(tls) {
          @Override
          public void configure(HttpsParameters parameters) {
            SSLParameters asking = tls.getDefaultSSLParameters();
            asking.setWantClientAuth(true);
            parameters.setSSLParameters(asking);
          }
        });
    server.setExecutor(Executors.newCachedThreadPool(ListClasses::daemon));
    server.createContext("/", this::answer);
    server.start();
    return server;
  }

  private void keytool(String arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(filled(arguments, "").split(" ")));
    if (arguments.contains("-genkeypair")) {
      command.addAll(List.of("-keyalg", "EC"));
    }
    command.addAll(List.of("-keystore", filled(STORE, ""), "-storepass", PASSWORD));
    run(command);
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  }

  private void answer(HttpExchange exchange) throws IOException {
    requests.incrementAndGet();
    String path = exchange.getRequestURI().getPath();
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    String sent = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    String method = exchange.getRequestMethod();
    boolean watch = query.contains("watch=");
    String body = "ok";
    if (method.equals("POST")) {
      body = sent.replaceFirst("\"metadata\": *\\{", "\"metadata\":{\"resourceVersion\":\"1\",");
      objects.put(path + "/" + sent.replaceFirst("(?s).*?\"name\": *\"([^\"]*)\".*", "$1"), body);
    } else if (method.equals("PUT")) {
      body = sent;
      objects.put(path, body);
      updates.incrementAndGet();
    } else if (path.matches(".*/namespaces/[^/]+/[^/]+")) {
      String name = query.replaceFirst(".*metadata.name=([^&]*).*|.*", "$1");
      Stream<String> selected =
          objects.entrySet().stream()
              .filter(object -> object.getKey().startsWith(path + "/" + name))
              .map(object -> object.getValue().replace("\n", ""));
      body =
          watch
              ? selected.map(EVENT::formatted).collect(joining())
              : LIST.formatted(selected.collect(joining(",")));
    } else if (!path.equals("/readyz")) {
      body = objects.getOrDefault(path, NOT_FOUND);
    }
    exchange.sendResponseHeaders(body.equals(NOT_FOUND) ? 404 : 200, 0);
    exchange.getResponseBody().write(body.getBytes(UTF_8));
    exchange.getResponseBody().flush();
    // A watch stays open.
    if (!watch) {
      exchange.close();
    }
  }

  private String run(List<String> command) throws IOException, InterruptedException {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    for (int i = 0; i < 300 && updates.get() < UPDATES; i++) {
      if (process.waitFor(100, TimeUnit.MILLISECONDS)) {
        break;
      }
    }
    process.destroy();
    if (!process.waitFor(1, TimeUnit.MINUTES)) {
      process.destroyForcibly();
    }
    return Files.readString(output);
  }
}
