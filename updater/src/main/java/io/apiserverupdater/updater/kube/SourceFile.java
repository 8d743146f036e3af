package io.apiserverupdater.updater.kube;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonStreamParser;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointPort;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.kubernetes.client.openapi.models.V1EndpointSlice;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * The source's slices from a file in place of a cluster: YAML or JSON, one EndpointSlice, an
 * EndpointSliceList, a List of them, or several such documents.
 */
public final class SourceFile {
  static final int MAX_BYTES = 4 * 1024 * 1024;

  /** Faults that are told; a file of another kind could have thousands. */
  private static final int MAX_FAULTS = 20;

  private static final Pattern IPV4_PART = Pattern.compile("0|[1-9][0-9]{0,2}");
  private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");

  private final String origin;
  private final TargetSettings settings;
  private final List<String> faults = new ArrayList<>();
  private final List<EndpointSlice> slices = new ArrayList<>();
  private final List<String> strangers = new ArrayList<>();

  private SourceFile(String origin, TargetSettings settings) {
    this.origin = origin;
    this.settings = settings;
  }

  /** The file cannot be used. The message is for people: one line for each fault. */
  public static final class InvalidException extends Exception {
    InvalidException(List<String> faults) {
      super(String.join("\n", faults));
    }
  }

  /**
   * Reads the slices of the source. Slices that say that they are of another Service or namespace
   * are passed over, so that the list of a whole cluster will do.
   *
   * @param file a path, or {@code -} for the standard input
   * @param standardInput read to its end when the file is {@code -}; never closed
   * @throws InvalidException with every fault, when the file cannot be read, is larger than 4 MiB,
   *     holds anything but slices, or holds slices of other Services only
   */
  public static List<EndpointSlice> read(
      String file, InputStream standardInput, TargetSettings settings) throws InvalidException {
    String origin = file.equals("-") ? "standard input" : file;
    return parse(origin, text(origin, bytes(file, origin, standardInput)), settings);
  }

  static List<EndpointSlice> parse(String origin, String text, TargetSettings settings)
      throws InvalidException {
    SourceFile source = new SourceFile(origin, settings);
    if (text.isBlank()) {
      throw source.fault("is empty; expected " + source.expected());
    }
    // As kubectl tells them apart. YAML cannot take JSON's tabs, so JSON has a reader of its own.
    if (text.stripLeading().startsWith("{")) {
      source.json(text);
    } else {
      source.yaml(text);
    }
    return source.result();
  }

  private static byte[] bytes(String file, String origin, InputStream standardInput)
      throws InvalidException {
    byte[] bytes;
    try {
      if (file.equals("-")) {
        bytes = standardInput.readNBytes(MAX_BYTES + 1);
      } else {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
          bytes = in.readNBytes(MAX_BYTES + 1);
        }
      }
    } catch (NoSuchFileException e) {
      throw new InvalidException(
          List.of(origin + ": no such file; give -f a file, or - for stdin"));
    } catch (IOException | InvalidPathException e) {
      throw new InvalidException(List.of(origin + ": cannot be read: " + e.getMessage()));
    }
    if (bytes.length > MAX_BYTES) {
      throw new InvalidException(
          List.of(
              origin
                  + ": is larger than 4 MiB, more than the slices of one Service can be; give only"
                  + " the slices of the source"));
    }
    return bytes;
  }

  private static String text(String origin, byte[] bytes) throws InvalidException {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.startsWith("\uFEFF") ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      throw new InvalidException(
          List.of(origin + ": is not UTF-8 text; save it as UTF-8, as kubectl prints it"));
    }
  }

  private void json(String text) {
    int number = 1;
    try {
      JsonStreamParser documents = new JsonStreamParser(text);
      while (documents.hasNext()) {
        document("document " + number, documents.next());
        number++;
      }
    } catch (JsonParseException e) {
      faults.add("document " + number + " is not JSON: " + plain(e));
    }
  }

  private void yaml(String text) {
    LoaderOptions options = new LoaderOptions();
    options.setCodePointLimit(MAX_BYTES);
    options.setAllowDuplicateKeys(false);
    // kubectl writes no alias, and a few nested ones unfold to more than any memory holds.
    options.setMaxAliasesForCollections(0);
    Yaml yaml =
        new Yaml(
            new SafeConstructor(options),
            new Representer(new DumperOptions()),
            new DumperOptions(),
            options,
            new ApiTypes());
    // Counted before the parser looks at a document, so that its faults have the right number.
    int number = 1;
    boolean empty = true;
    try {
      Iterator<Object> documents = yaml.loadAll(text).iterator();
      while (documents.hasNext()) {
        // Between two separators there may be nothing.
        @Nullable Object document = documents.next();
        if (document != null) {
          empty = false;
          document("document " + number, tree(document));
        }
        number++;
      }
      if (empty) {
        faults.add("is empty; expected " + expected());
      }
    } catch (MarkedYAMLException e) {
      String place =
          e.getProblemMark() == null ? "" : " (line " + (e.getProblemMark().getLine() + 1) + ")";
      faults.add("document " + number + " is not YAML" + place + ": " + e.getProblem());
    } catch (RuntimeException e) {
      // The library's other exceptions, its limits among them, have no type in common.
      faults.add("document " + number + " cannot be read as YAML: " + plain(e));
    }
  }

  /** The scalar types of the API; all else is text, dates and sexagesimal numbers included. */
  private static final class ApiTypes extends Resolver {
    @Override
    protected void addImplicitResolvers() {
      addImplicitResolver(Tag.BOOL, Pattern.compile("true|True|TRUE|false|False|FALSE"), "tTfF");
      addImplicitResolver(Tag.INT, Pattern.compile("0|-?[1-9][0-9]{0,17}"), "-0123456789");
      addImplicitResolver(Tag.NULL, Pattern.compile("~|null|Null|NULL| "), "~nN\0");
      addImplicitResolver(Tag.NULL, Pattern.compile("^$"), null);
    }
  }

  private static JsonElement tree(@Nullable Object value) {
    if (value == null) {
      return JsonNull.INSTANCE;
    }
    if (value instanceof Map<?, ?> map) {
      JsonObject object = new JsonObject();
      map.forEach((key, element) -> object.add(String.valueOf(key), tree(element)));
      return object;
    }
    if (value instanceof List<?> list) {
      JsonArray array = new JsonArray();
      list.forEach(element -> array.add(tree(element)));
      return array;
    }
    if (value instanceof Boolean flag) {
      return new JsonPrimitive(flag);
    }
    if (value instanceof Number number) {
      return new JsonPrimitive(number);
    }
    if (value instanceof String text) {
      return new JsonPrimitive(text);
    }
    throw new IllegalArgumentException("a value has a YAML tag that the API does not know");
  }

  private void document(String place, JsonElement document) {
    if (!(document instanceof JsonObject object)) {
      faults.add(place + " is no object; expected " + expected());
      return;
    }
    String apiVersion = member(object, "apiVersion");
    String kind = member(object, "kind");
    if (kind.equals("List") && apiVersion.equals("v1")) {
      items(place, object, false);
    } else if (kind.equals("EndpointSliceList")
        && apiVersion.equals(Resource.ENDPOINT_SLICES.apiVersion())) {
      items(place, object, true);
    } else {
      object(place, object);
    }
  }

  private void items(String place, JsonObject list, boolean typed) {
    JsonElement items = list.get("items");
    if (items == null || items.isJsonNull()) {
      return;
    }
    if (!(items instanceof JsonArray array)) {
      faults.add(place + ": items is no list; expected a list of EndpointSlices");
      return;
    }
    int number = 0;
    for (JsonElement item : array) {
      number++;
      String itemPlace = place + ", item " + number;
      if (!(item instanceof JsonObject object)) {
        faults.add(itemPlace + " is no object; expected an EndpointSlice");
      } else if (typed && !object.has("kind") && !object.has("apiVersion")) {
        // The API itself leaves both out of a typed list's items.
        slice(itemPlace, object);
      } else {
        object(itemPlace, object);
      }
    }
  }

  private void object(String place, JsonObject object) {
    String apiVersion = member(object, "apiVersion");
    String kind = member(object, "kind");
    if (kind.equals(Resource.ENDPOINT_SLICES.kind())
        && apiVersion.equals(Resource.ENDPOINT_SLICES.apiVersion())) {
      slice(place, object);
      return;
    }
    String found =
        kind.isEmpty() && apiVersion.isEmpty()
            ? " has no kind"
            : " is kind \"" + brief(kind) + "\" of apiVersion \"" + brief(apiVersion) + "\"";
    String why =
        kind.equals("Endpoints") || kind.equals("EndpointsList")
            ? "; the updater reads EndpointSlices, not Endpoints: give the output of " + command()
            : "; expected " + expected();
    faults.add(place + found + why);
  }

  private void slice(String place, JsonObject object) {
    V1EndpointSlice model;
    try {
      model = KubeJson.model(object, V1EndpointSlice.class);
    } catch (KubeJson.MalformedException e) {
      faults.add(place + " is no EndpointSlice: " + plain(e.getCause() == null ? e : e.getCause()));
      return;
    }
    EndpointSlice slice = Models.slice(model);
    String namespace =
        model.getMetadata() == null ? "" : Models.text(model.getMetadata().getNamespace());
    if ((!namespace.isEmpty() && !namespace.equals(settings.sourceNamespace()))
        || slice.serviceName().filter(name -> !name.equals(settings.sourceName())).isPresent()) {
      strangers.add(namespace + "/" + slice.serviceName().orElse(""));
      return;
    }
    String title = place + " (EndpointSlice " + brief(slice.name()) + ")";
    int before = faults.size();
    if (slice.name().isEmpty()) {
      faults.add(place + ": metadata.name is missing; expected the slice's name");
    }
    if (!List.of("IPv4", "IPv6", "FQDN").contains(slice.addressType())) {
      faults.add(
          title
              + ": addressType is \""
              + brief(slice.addressType())
              + "\", expected IPv4, IPv6 or FQDN");
    }
    AddressFamily.of(slice.addressType())
        .ifPresent(
            family -> {
              for (Endpoint endpoint : slice.endpoints()) {
                if (!isAddress(endpoint.address(), family)) {
                  faults.add(
                      title
                          + ": address \""
                          + brief(endpoint.address())
                          + "\", expected an "
                          + family.addressType()
                          + " address");
                }
              }
            });
    for (EndpointPort port : slice.ports()) {
      if (port.port() < 1 || port.port() > 65535) {
        faults.add(title + ": port " + port.port() + ", expected 1 to 65535");
      }
    }
    if (object.get("endpoints") instanceof JsonArray endpoints) {
      for (JsonElement endpoint : endpoints) {
        readiness(title, endpoint);
      }
    }
    if (faults.size() == before) {
      slices.add(slice);
    }
  }

  /** Gson takes any text for a boolean, and all but "true" for false. */
  private void readiness(String title, JsonElement endpoint) {
    if (endpoint instanceof JsonObject fields
        && fields.get("conditions") instanceof JsonObject conditions
        && conditions.get("ready") instanceof JsonPrimitive ready
        && !ready.isBoolean()) {
      faults.add(
          title
              + ": conditions.ready is \""
              + brief(ready.getAsString())
              + "\", expected true or false");
    }
  }

  private List<EndpointSlice> result() throws InvalidException {
    if (faults.isEmpty() && slices.isEmpty() && !strangers.isEmpty()) {
      throw fault(
          "has "
              + strangers.size()
              + " EndpointSlices, all of other Services (the first of "
              + brief(strangers.get(0))
              + "), expected those of "
              + settings.source()
              + "; give the output of "
              + command()
              + ", or another --source");
    }
    if (!faults.isEmpty()) {
      List<String> told = new ArrayList<>();
      faults.stream().limit(MAX_FAULTS).forEach(fault -> told.add(line(fault)));
      if (faults.size() > MAX_FAULTS) {
        told.add(line("and " + (faults.size() - MAX_FAULTS) + " more faults"));
      }
      throw new InvalidException(told);
    }
    return List.copyOf(slices);
  }

  private InvalidException fault(String text) {
    return new InvalidException(List.of(line(text)));
  }

  /** A terminal obeys control characters, and the file may come from anybody. */
  private String line(String fault) {
    return origin + ": " + fault.replaceAll("\\p{Cc}", "?");
  }

  private String expected() {
    return "an EndpointSlice of discovery.k8s.io/v1 or a list of them; give the output of "
        + command();
  }

  private String command() {
    String objects =
        settings.isApiservers()
            ? settings.sourceName()
            : "-l " + EndpointSlice.SERVICE_NAME_LABEL + "=" + settings.sourceName();
    return "kubectl get endpointslices -n "
        + settings.sourceNamespace()
        + " "
        + objects
        + " -o yaml";
  }

  private static boolean isAddress(String text, AddressFamily family) {
    return switch (family) {
      case IPV4 -> isIpv4(text);
      case IPV6 -> isIpv6(text);
    };
  }

  private static boolean isIpv4(String text) {
    String[] parts = text.split("\\.", -1);
    if (parts.length != 4) {
      return false;
    }
    for (String part : parts) {
      if (!IPV4_PART.matcher(part).matches() || Integer.parseInt(part) > 255) {
        return false;
      }
    }
    return true;
  }

  private static boolean isIpv6(String text) {
    if (!IPV6.matcher(text).matches()) {
      return false;
    }
    try {
      // A text with a colon is never looked up as a name.
      return InetAddress.getByName(text).getHostAddress() != null;
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private static String member(JsonObject object, String key) {
    return object.get(key) instanceof JsonPrimitive primitive ? primitive.getAsString() : "";
  }

  /** A library's message in the words of a manifest, without the class names in it. */
  private static String plain(Throwable e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message
        .lines()
        .findFirst()
        .orElse("")
        .replaceAll("\\b[a-z][\\w.]*\\.[A-Z]\\w*(Exception|Error): ", "")
        .replace("BEGIN_ARRAY", "a list")
        .replace("BEGIN_OBJECT", "an object")
        .replace("STRING", "a text")
        .replace("NUMBER", "a number")
        .replace("BOOLEAN", "true or false");
  }

  private static String brief(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "…";
  }
}
