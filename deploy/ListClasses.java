import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Lists the classes to make an archive of: all of ours in a jar, and the lambda expressions and the
 * classes of libraries and of the JDK that the profile names. Runs nothing: the same jar and the
 * same profile give the same list.
 *
 * <pre>java deploy/ListClasses.java LIST JAR PROFILE</pre>
 *
 * The profile has what a run of the program has loaded, one line for each, and comments. {@code
 * ./bench classes} writes it.
 */
final class ListClasses {
  private static final String OURS = "io/apiserverupdater/";
  private static final String OUR_LAMBDAS = "@lambda-proxy " + OURS;

  /** In the name of a lambda expression's method; any other one in the class can change it. */
  private static final String NUMBER = "(lambda\\$\\w+\\$)\\d+";

  private static final Pattern THIS_CLASS = Pattern.compile("(?m)^  this_class: #\\d+ +// (.*)$");
  private static final Pattern CALL_SITE =
      Pattern.compile("(?m)^ +#\\d+ = InvokeDynamic +#\\d+:#\\d+ +// #(\\d+):([^:]+):(.*)$");
  private static final Pattern LAMBDA =
      Pattern.compile(
          "(?m)^  (\\d+): #\\d+ REF_invokeStatic"
              + " java/lang/invoke/LambdaMetafactory\\.metafactory:.*\\R +Method arguments:\\R"
              + " +#\\d+ (.*)\\R +#\\d+ (REF_\\w+) ([^.]+)\\.([^:]+):(.*)\\R +#\\d+ (.*)$");

  private ListClasses() {}

  public static void main(String[] arguments) throws IOException {
    Set<String> profile = Set.copyOf(Files.readAllLines(Path.of(arguments[2])));
    TreeSet<String> list = new TreeSet<>(profile);
    list.removeIf(line -> line.startsWith("#") || line.startsWith(OUR_LAMBDAS));
    List<String> ours = new ArrayList<>();
    try (ZipFile jar = new ZipFile(arguments[1])) {
      jar.stream()
          .map(ZipEntry::getName)
          .filter(name -> name.startsWith(OURS) && name.endsWith(".class"))
          .map(name -> name.replaceFirst("\\.class$", ""))
          .forEach(ours::add);
    }
    list.addAll(ours);
    for (String code : javap(arguments[1], ours).split("(?m)^Classfile ")) {
      lambdas(code).stream()
          .filter(line -> profile.contains(line.replaceAll(NUMBER, "$1")))
          .forEach(list::add);
    }
    Files.write(Path.of(arguments[0]), list);
  }

  /** The lambda expressions and method references of a class, as the virtual machine lists them. */
  private static List<String> lambdas(String code) {
    Map<String, String> made = new HashMap<>();
    LAMBDA
        .matcher(code)
        .results()
        .forEach(
            lambda ->
                made.put(
                    lambda.group(1),
                    IntStream.rangeClosed(2, lambda.groupCount())
                        .mapToObj(lambda::group)
                        .collect(joining(" "))));
    return CALL_SITE
        .matcher(code)
        .results()
        .filter(site -> made.containsKey(site.group(1)))
        .map(
            site ->
                String.join(
                    " ",
                    "@lambda-proxy",
                    nameOf(code),
                    site.group(2),
                    site.group(3),
                    made.get(site.group(1))))
        // javap quotes what is no word, such as <init>.
        .map(line -> line.replace("\"", ""))
        .toList();
  }

  private static String nameOf(String code) {
    return THIS_CLASS.matcher(code).results().findFirst().orElseThrow().group(1);
  }

  private static String javap(String jar, List<String> classes) {
    List<String> arguments = new ArrayList<>(List.of("-v", "-p", "-cp", jar));
    classes.forEach(name -> arguments.add(name.replace('/', '.')));
    StringWriter out = new StringWriter();
    PrintWriter writer = new PrintWriter(out);
    ToolProvider javap = ToolProvider.findFirst("javap").orElseThrow();
    if (javap.run(writer, writer, arguments.toArray(new String[0])) != 0) {
      throw new IllegalStateException("javap cannot read " + jar + ":\n" + out);
    }
    return out.toString();
  }
}
