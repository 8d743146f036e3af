package io.apiserverupdater.updater.dryrun;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonStreamParser;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.apiserver.yaml.BoundedParser;
import io.apiserverupdater.apiserver.yaml.BoundedParser.TooManyValuesException;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * The source's slices from a file in place of a cluster: YAML or JSON, one EndpointSlice, an
 * EndpointSliceList, a List of them, or several such documents.
 */
public final class SourceFile {
  static final int MAX_BYTES = 512 * 1024;

  private static final String TOO_MUCH = "; provide only the slices of the source, the output of ";

  /** Faults that are told; a file of another kind could have thousands. */
  private static final int MAX_FAULTS = 20;

  private static final String API_VERSION = "discovery.k8s.io/v1";
  private static final Gson TREES = new Gson();

  private final String origin;
  private final TargetSettings settings;
  private final Function<JsonObject, EndpointSlice> reader;
  private final List<String> faults = new ArrayList<>();
  private final List<EndpointSlice> slices = new ArrayList<>();
  private final List<String> strangers = new ArrayList<>();

  private SourceFile(
      String origin, TargetSettings settings, Function<JsonObject, EndpointSlice> reader) {
    this.origin = origin;
    this.settings = settings;
    this.reader = reader;
  }

  /** The file cannot be used. The message is for people: one line for each fault. */
  public static final class InvalidException extends Exception {
    InvalidException(List<String> faults) {
      super(String.join("\n", faults));
    }
  }

  /**
   * Reads the slices of the source, chosen as in a cluster, from all these files as if they were
   * one. Others are passed over, so that the list of a whole cluster will do.
   *
   * @param files paths, or {@code -} for the standard input
   * @param standardInput read to its end for {@code -}; never closed
   * @param reader of one slice; throws a {@link JsonParseException} when it is malformed
   * @throws InvalidException with every fault of every file, when one cannot be read, is larger
   *     than 512 KiB or holds more than 50,000 values, holds anything but slices, or when all hold
   *     slices of other Services only
   */
  public static List<EndpointSlice> read(
      List<String> files,
      InputStream standardInput,
      TargetSettings settings,
      Function<JsonObject, EndpointSlice> reader)
      throws InvalidException {
    List<SourceFile> sources = new ArrayList<>();
    for (String file : files) {
      String origin = file.equals("-") ? "standard input" : file;
      SourceFile source = new SourceFile(origin, settings, reader);
      source.load(file, standardInput);
      sources.add(source);
    }
    return result(settings, sources);
  }

  private void load(String file, InputStream standardInput) {
    try {
      byte[] bytes = bytes(file, standardInput);
      if (bytes.length <= MAX_BYTES) {
        parse(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
      } else {
        faults.add("is larger than 512 KiB" + TOO_MUCH + command());
      }
    } catch (NoSuchFileException e) {
      faults.add("no such file; use -f FILE, or -f - for stdin");
    } catch (CharacterCodingException e) {
      faults.add("is not UTF-8 text; save it as UTF-8, as kubectl prints it");
    } catch (IOException | InvalidPathException e) {
      faults.add("cannot be read: " + e.getMessage());
    }
  }

  static List<EndpointSlice> parse(
      String origin,
      String text,
      TargetSettings settings,
      Function<JsonObject, EndpointSlice> reader)
      throws InvalidException {
    SourceFile source = new SourceFile(origin, settings, reader);
    source.parse(text);
    return result(settings, List.of(source));
  }

  private static byte[] bytes(String file, InputStream standardInput) throws IOException {
    if (file.equals("-")) {
      return standardInput.readNBytes(MAX_BYTES + 1);
    }
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      return in.readNBytes(MAX_BYTES + 1);
    }
  }

  private void parse(String whole) {
    String text = whole.startsWith("\uFEFF") ? whole.substring(1) : whole;
    // As kubectl tells them apart. YAML cannot take JSON's tabs, so JSON has a reader of its own.
    boolean json = text.stripLeading().startsWith("{");
    Map<Integer, JsonElement> documents = new LinkedHashMap<>();
    int number = 1;
    Optional<String> malformed = Optional.empty();
    try {
      if (json && mostValues(text) > BoundedParser.MAX_VALUES) {
        throw new TooManyValuesException();
      }
      Iterator<?> parsed = json ? new JsonStreamParser(text) : yaml(text);
      while (parsed.hasNext()) {
        // Between two separators of YAML there may be nothing.
        @Nullable Object document = parsed.next();
        if (document != null) {
          documents.put(number, TREES.toJsonTree(document));
        }
        number++;
      }
    } catch (TooManyValuesException e) {
      malformed = Optional.of("has " + e.getMessage() + TOO_MUCH + command());
    } catch (MarkedYAMLException e) {
      String line =
          e.getProblemMark() == null ? "" : " (line " + (e.getProblemMark().getLine() + 1) + ")";
      malformed = Optional.of("is not YAML" + line + ": " + e.getProblem());
    } catch (RuntimeException e) {
      // The other exceptions of the two libraries, for their limits too, have no type in common.
      malformed = Optional.of("is not " + (json ? "JSON: " : "YAML: ") + firstLine(e));
    }
    documents.forEach((at, document) -> document("document " + at, document));
    if (malformed.isPresent()) {
      faults.add("document " + number + " " + malformed.get());
    } else if (documents.isEmpty()) {
      faults.add("is empty; " + expected());
    }
  }

  /** What separates the values of JSON, in texts too. */
  private static long mostValues(String json) {
    return json.chars().filter(c -> c == ',' || c == ':' || c == '[' || c == '{').count();
  }

  private static Iterator<@Nullable Object> yaml(String text) {
    LoaderOptions options = new LoaderOptions();
    // kubectl writes no alias, and a few nested ones unfold to more than any memory holds.
    options.setMaxAliasesForCollections(0);
    ApiValues values = new ApiValues(options);
    values.setAllowDuplicateKeys(false);
    values.setComposer(new Composer(new BoundedParser(text, options), new ApiTypes(), options));
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return values.checkData();
      }

      @Override
      public @Nullable Object next() {
        return values.getData();
      }
    };
  }

  /** No explicit tag makes a value that JSON does not have. */
  private static final class ApiValues extends SafeConstructor {
    ApiValues(LoaderOptions options) {
      super(options);
      Set<Tag> known = Set.of(Tag.MAP, Tag.SEQ, Tag.STR, Tag.INT, Tag.BOOL, Tag.NULL);
      yamlConstructors.keySet().removeIf(tag -> tag != null && !known.contains(tag));
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

  private void document(String place, JsonElement document) {
    if (!(document instanceof JsonObject object)) {
      faults.add(place + " is no object; " + expected());
      return;
    }
    boolean typed = is(object, "EndpointSliceList", API_VERSION);
    if (!typed && !is(object, "List", "v1")) {
      object(place, object);
    } else if (object.get("items") instanceof JsonArray items) {
      int number = 0;
      for (JsonElement item : items) {
        number++;
        String itemPlace = place + ", item " + number;
        if (!(item instanceof JsonObject listed)) {
          faults.add(itemPlace + " is no object; expected an EndpointSlice");
        } else if (typed && !listed.has("kind") && !listed.has("apiVersion")) {
          // The API itself leaves both out of a typed list's items.
          slice(itemPlace, listed);
        } else {
          object(itemPlace, listed);
        }
      }
    } else if (object.has("items") && !object.get("items").isJsonNull()) {
      faults.add(place + ": items is no list; expected a list of EndpointSlices");
    }
  }

  private void object(String place, JsonObject object) {
    if (is(object, "EndpointSlice", API_VERSION)) {
      slice(place, object);
      return;
    }
    String apiVersion = member(object, "apiVersion");
    String kind = member(object, "kind");
    String found =
        kind.isEmpty() && apiVersion.isEmpty()
            ? " has no kind"
            : " is kind \"" + brief(kind) + "\" of apiVersion \"" + brief(apiVersion) + "\"";
    String why =
        kind.equals("Endpoints") || kind.equals("EndpointsList")
            ? "the updater reads EndpointSlices, not Endpoints: use the output of " + command()
            : expected();
    faults.add(place + found + "; " + why);
  }

  private void slice(String place, JsonObject object) {
    EndpointSlice slice;
    try {
      slice = reader.apply(object);
    } catch (JsonParseException e) {
      faults.add(place + ": " + firstLine(e));
      return;
    }
    String namespace =
        object.get("metadata") instanceof JsonObject metadata ? member(metadata, "namespace") : "";
    if ((!namespace.isEmpty() && !namespace.equals(settings.sourceNamespace()))
        || settings.ofSource(List.of(slice)).isEmpty()) {
      strangers.add(namespace + "/" + slice.serviceName().orElse(""));
      return;
    }
    int before = faults.size();
    if (slice.name().isEmpty()) {
      faults.add(place + ": metadata.name is missing; expected the slice's name");
    }
    String title = place + " (EndpointSlice " + brief(slice.name()) + ")";
    if (AddressFamily.of(slice.addressType()).isEmpty() && !slice.addressType().equals("FQDN")) {
      fault(title, "addressType is", slice.addressType(), "IPv4, IPv6 or FQDN");
    }
    for (Port port : slice.ports()) {
      if (!port.isValid()) {
        faults.add(title + ": port " + port.port() + ", expected 1 to 65535");
      }
    }
    if (object.get("endpoints") instanceof JsonArray endpoints) {
      endpoints.forEach(endpoint -> readiness(title, endpoint));
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
      fault(title, "conditions.ready is", ready.getAsString(), "true or false");
    }
  }

  /** Which slices count depends on all of them together. */
  private static List<EndpointSlice> result(TargetSettings settings, List<SourceFile> sources)
      throws InvalidException {
    List<EndpointSlice> slices = sources.stream().flatMap(it -> it.slices.stream()).toList();
    if (slices.isEmpty() && sources.stream().allMatch(it -> it.faults.isEmpty())) {
      sources.forEach(SourceFile::tellOfStrangers);
    }
    List<String> faults = sources.stream().flatMap(it -> it.told().stream()).toList();
    if (!faults.isEmpty()) {
      throw new InvalidException(faults);
    }
    return settings.ofSource(slices);
  }

  private void tellOfStrangers() {
    if (!strangers.isEmpty()) {
      faults.add(
          ("has %s EndpointSlices, all of other Services (the first of %s), expected those of %s;"
                  + " use the output of %s, or another --source")
              .formatted(strangers.size(), brief(strangers.get(0)), settings.source(), command()));
    }
  }

  private List<String> told() {
    List<String> told = new ArrayList<>(faults.subList(0, Math.min(MAX_FAULTS, faults.size())));
    if (faults.size() > MAX_FAULTS) {
      told.add("and " + (faults.size() - MAX_FAULTS) + " more faults");
    }
    // A terminal obeys control characters, and the file may come from anybody.
    told.replaceAll(fault -> origin + ": " + Printable.line(fault));
    return told;
  }

  private void fault(String title, String what, String found, String expected) {
    faults.add(title + ": " + what + " \"" + brief(found) + "\", expected " + expected);
  }

  private String expected() {
    return "expected an EndpointSlice of discovery.k8s.io/v1 or a list of them; use the output of "
        + command();
  }

  private String command() {
    String objects =
        settings.isApiservers()
            ? settings.sourceName()
            : "-l " + EndpointSlice.SERVICE_NAME_LABEL + "=" + settings.sourceName();
    return "kubectl get endpointslices -n %s %s -o yaml"
        .formatted(settings.sourceNamespace(), objects);
  }

  private static boolean is(JsonObject object, String kind, String apiVersion) {
    return member(object, "kind").equals(kind) && member(object, "apiVersion").equals(apiVersion);
  }

  private static String member(JsonObject object, String key) {
    return object.get(key) instanceof JsonPrimitive primitive ? primitive.getAsString() : "";
  }

  private static String firstLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  private static String brief(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "…";
  }
}
