package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.LabException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What programs and libraries ask of the machine's loader, as readelf shows it, for whichever
 * architecture they are.
 *
 * @param libraries such as {@code libc.so.6}, without those that the folder brings
 * @param versions of symbols, such as {@code libc.so.6(GLIBC_2.34)}, of the same libraries
 */
record ElfNeeds(Set<String> libraries, Set<String> versions) {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final Pattern LIBRARY = Pattern.compile("\\(NEEDED\\).*\\[(.*)]");
  private static final Pattern FILE = Pattern.compile("Version: 1 +File: (\\S+)");
  private static final Pattern NAME = Pattern.compile("0x[0-9a-f]+: +Name: (\\S+)");
  private static final Pattern GLIBC = Pattern.compile("\\(GLIBC_2\\.([0-9]+)");

  /** Of all ELF files in a folder. */
  static ElfNeeds of(Path folder) {
    List<Path> files =
        LabException.wrap(
            "cannot read " + folder,
            () -> {
              try (Stream<Path> all = Files.walk(folder)) {
                return all.filter(Files::isRegularFile).toList();
              }
            });
    Set<String> libraries = new TreeSet<>();
    Set<String> versions = new TreeSet<>();
    // readelf complains of each file that is no ELF.
    Execution read =
        Execution.run(
            new ProcessBuilder(
                Stream.concat(
                        Stream.of(
                            "env", "LC_ALL=C", "readelf", "--wide", "--dynamic", "--version-info"),
                        files.stream().map(Path::toString))
                    .toList()),
            LIMIT);
    String from = "";
    for (String line : read.out().lines().toList()) {
      Matcher library = LIBRARY.matcher(line);
      Matcher file = FILE.matcher(line);
      Matcher name = NAME.matcher(line);
      if (library.find()) {
        libraries.add(library.group(1));
      } else if (file.find()) {
        from = file.group(1);
      } else if (line.startsWith("Version ")) {
        // A section of its own versions may follow.
        from = "";
      } else if (name.find() && !from.isEmpty()) {
        versions.add(from + "(" + name.group(1) + ")");
      }
    }
    Set<String> own =
        files.stream().map(path -> path.getFileName().toString()).collect(Collectors.toSet());
    libraries.removeAll(own);
    versions.removeIf(version -> own.contains(version.replaceFirst("\\(.*", "")));
    return new ElfNeeds(libraries, versions);
  }

  /** The oldest glibc that has all symbols, such as {@code 2.34}. */
  String libcFloor() {
    return "2."
        + versions.stream()
            .map(GLIBC::matcher)
            .filter(Matcher::find)
            .map(version -> Integer.valueOf(version.group(1)))
            .max(Comparator.naturalOrder())
            .orElseThrow(() -> new LabException("no version of glibc in " + versions));
  }

  /** As {@code Depends} of a .deb has it. */
  String debDepends() {
    return Stream.concat(
            Stream.of("libc6 (>= " + libcFloor() + ")"),
            libraries.stream().flatMap(ElfNeeds::debPackage))
        .collect(Collectors.joining(", "));
  }

  /** The package that has a library, other than that of glibc. */
  private static Stream<String> debPackage(String library) {
    return switch (library) {
      case "libgcc_s.so.1" -> Stream.of("libgcc-s1");
      case "libstdc++.so.6" -> Stream.of("libstdc++6");
      case "libz.so.1" -> Stream.of("zlib1g");
      default -> {
        if (!library.matches("(lib(c|m|dl|rt|pthread)|ld-linux-.*)\\.so\\.\\d")) {
          throw new LabException("no package is known for " + library);
        }
        yield Stream.empty();
      }
    };
  }

  /** As {@code rpm --requires} lists it for 64-bit files. */
  Set<String> rpmRequires() {
    return Stream.concat(libraries.stream().map(library -> library + "()"), versions.stream())
        .map(need -> need + "(64bit)")
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
