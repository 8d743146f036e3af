package io.apiserverupdater.apiserver;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.USE_JAVA_UTIL_LOGGING;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Both programs carry this module, so it carries little itself. */
@AnalyzeClasses(
    packages = "io.apiserverupdater.apiserver",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ROOT = "io.apiserverupdater.apiserver";
  private static final String[] LIBRARIES = {"com.google.gson..", "org.yaml.."};

  private static final String[] JDK = {
    "java.io..",
    "java.lang..",
    "java.math..",
    "java.net",
    "java.nio..",
    "java.security..",
    "java.time..",
    "java.util",
    "java.util.function..",
    "java.util.regex..",
    "javax.net.ssl..",
    "javax.security.auth.x500..",
    "org.jspecify..",
    ""
  };

  @ArchTest
  static final ArchRule knowsTheJdkOnly =
      classes()
          .that()
          .resideOutsideOfPackages(ROOT + ".flags", ROOT + ".kubeconfig", ROOT + ".yaml")
          .should()
          .onlyDependOnClassesThat(resideInAPackage(ROOT + "..").or(resideInAnyPackage(JDK)))
          .because("it logs nothing, and java.net.http takes twice as long to start");

  @ArchTest
  static final ArchRule onlyKubeconfigAndYamlKnowLibraries =
      noClasses()
          .that()
          .resideOutsideOfPackages(ROOT + ".kubeconfig", ROOT + ".yaml")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(LIBRARIES)
          .because("nothing but the JDK is loaded on the way to a pinned name");

  @ArchTest
  static final ArchRule kubeconfigKnowsTlsAndTwoLibraries =
      classes()
          .that()
          .resideInAPackage(ROOT + ".kubeconfig")
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(
                      ROOT + ".kubeconfig",
                      ROOT + ".address",
                      ROOT + ".printing",
                      ROOT + ".tls",
                      ROOT + ".yaml",
                      "java..",
                      "org.jspecify..",
                      "")
                  .or(resideInAnyPackage(LIBRARIES)));

  @ArchTest static final ArchRule yamlKnowsNothing = knowNoOther("yaml");
  @ArchTest static final ArchRule flagsKnowNothing = knowNoOther("flags");
  @ArchTest static final ArchRule addressesKnowNothing = knowNoOther("address");
  @ArchTest static final ArchRule timeKnowsNothing = knowNoOther("time");
  @ArchTest static final ArchRule tlsKnowsAddresses = knowNoOther("tls", ROOT + ".address");

  private static ArchRule knowNoOther(String room, String... known) {
    return noClasses()
        .that()
        .resideInAPackage(ROOT + "." + room)
        .should()
        .dependOnClassesThat(
            resideInAPackage(ROOT + "..")
                .and(not(resideInAPackage(ROOT + "." + room)))
                .and(not(resideInAnyPackage(known))));
  }

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching(ROOT + ".(*)..").should().beFreeOfCycles();

  @ArchTest static final ArchRule printsNothing = noClasses().should(ACCESS_STANDARD_STREAMS);

  @ArchTest static final ArchRule logsNothing = noClasses().should(USE_JAVA_UTIL_LOGGING);
}
