package io.apiserverupdater.probe;

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

/** Both programs carry the probe, so it carries nothing itself. */
@AnalyzeClasses(
    packages = "io.apiserverupdater.probe",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ROOT = "io.apiserverupdater.probe";

  @ArchTest
  static final ArchRule knowsTheJdkOnly =
      classes()
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(
                  ROOT + "..",
                  "org.jspecify..",
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
                  "jdk.net",
                  ""))
          .because("it logs nothing, and java.net.http takes twice as long to start");

  @ArchTest
  static final ArchRule tlsKnowsNothingOfProbes =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".tls..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT);

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching(ROOT + ".(*)..").should().beFreeOfCycles();

  @ArchTest static final ArchRule printsNothing = noClasses().should(ACCESS_STANDARD_STREAMS);

  @ArchTest static final ArchRule logsNothing = noClasses().should(USE_JAVA_UTIL_LOGGING);
}
