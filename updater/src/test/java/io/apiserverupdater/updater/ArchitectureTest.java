package io.apiserverupdater.updater;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.USE_JAVA_UTIL_LOGGING;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.apiserverupdater.updater.controller.MemberHealths;
import io.apiserverupdater.updater.leaderelection.Leadership;
import io.apiserverupdater.updater.readiness.MemberProbe;
import org.jspecify.annotations.NullMarked;

/** Who may know whom. Each arrow that is not drawn here is not allowed. */
@AnalyzeClasses(
    packages = "io.apiserverupdater.updater",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ROOT = "io.apiserverupdater.updater";
  private static final String ENDPOINTS = ROOT + ".endpoints..";
  private static final String LEADER_ELECTION = ROOT + ".leaderelection..";
  private static final String CONTROLLER = ROOT + ".controller..";
  private static final String READINESS = ROOT + ".readiness..";
  private static final String ADDRESS = "io.apiserverupdater.apiserver.address..";
  private static final String TIME = "io.apiserverupdater.apiserver.time..";
  private static final String APISERVER = "io.apiserverupdater.apiserver..";
  private static final String KUBE = ROOT + ".kube..";
  private static final String KUBE_ACCESS = ROOT + ".kube.access..";
  private static final String KUBE_API = ROOT + ".kube.api..";
  private static final String KUBE_WATCH = ROOT + ".kube.watch..";
  private static final String DRY_RUN = ROOT + ".dryrun..";
  private static final String SERVER = ROOT + ".server..";
  private static final String CONFIGURATION = ROOT + ".configuration..";
  private static final String COMMANDS = ROOT + ".commands..";

  private static final String[] JDK = {"java..", "org.jspecify.."};
  private static final String[] JSON_AND_YAML = {"com.google.gson..", "org.yaml.."};

  @ArchTest
  static final ArchRule endpointsKnowAddresses =
      classes()
          .that()
          .resideInAPackage(ENDPOINTS)
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(JDK).or(resideInAnyPackage(ENDPOINTS, ADDRESS)))
          .because("they are values and rules, without a logger, a client or a file");

  @ArchTest
  static final ArchRule leaderElectionKnowsNothing =
      classes()
          .that()
          .resideInAPackage(LEADER_ELECTION)
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(JDK).or(resideInAnyPackage(LEADER_ELECTION, "org.slf4j..")));

  @ArchTest
  static final ArchRule controllerKnowsTheRulesAndWhetherWeLead =
      classes()
          .that()
          .resideInAPackage(CONTROLLER)
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(JDK)
                  .or(resideInAnyPackage(CONTROLLER, ENDPOINTS, TIME, "org.slf4j.."))
                  .or(type(Leadership.class)));

  @ArchTest
  static final ArchRule readinessKnowsTheProbeAndThePort =
      classes()
          .that()
          .resideInAPackage(READINESS)
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(JDK)
                  .or(resideInAnyPackage(READINESS, APISERVER, ENDPOINTS, "org.slf4j.."))
                  .or(type(MemberHealths.class)));

  @ArchTest
  static final ArchRule kubeKnowsThePorts =
      noClasses()
          .that()
          .resideInAPackage(KUBE)
          .should()
          .dependOnClassesThat(
              resideInAPackage(ROOT + "..")
                  .and(not(resideInAnyPackage(KUBE, ENDPOINTS, CONTROLLER, LEADER_ELECTION)))
                  .and(not(type(MemberProbe.class))));

  @ArchTest
  static final ArchRule kubeAccessKnowsTheKubeconfig =
      classes()
          .that()
          .resideInAPackage(KUBE_ACCESS)
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(JDK).or(resideInAnyPackage(KUBE_ACCESS, APISERVER)));

  @ArchTest
  static final ArchRule kubeApiKnowsTheAccess =
      noClasses()
          .that()
          .resideInAPackage(KUBE_API)
          .should()
          .dependOnClassesThat(
              resideInAPackage(ROOT + "..").and(not(resideInAnyPackage(KUBE_API, KUBE_ACCESS))));

  @ArchTest
  static final ArchRule kubeWatchKnowsTheApi =
      noClasses()
          .that()
          .resideInAPackage(KUBE_WATCH)
          .should()
          .dependOnClassesThat(
              resideInAPackage(ROOT + "..")
                  .and(not(resideInAnyPackage(KUBE_WATCH, KUBE_API, KUBE_ACCESS))));

  @ArchTest
  static final ArchRule onlyKubeKnowsTheClientLibrary =
      noClasses()
          .that()
          .resideOutsideOfPackage(KUBE)
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.kubernetes..");

  @ArchTest
  static final ArchRule onlyKubeApiKnowsOkHttp =
      noClasses()
          .that()
          .resideOutsideOfPackage(KUBE_API)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("okhttp3..", "okio..");

  @ArchTest
  static final ArchRule onlyKubeAndTheRenderersKnowJsonAndYaml =
      noClasses()
          .that()
          .resideOutsideOfPackages(KUBE, DRY_RUN)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(JSON_AND_YAML);

  @ArchTest
  static final ArchRule dryRunKnowsTheRulesAndHowToPrint =
      classes()
          .that()
          .resideInAPackage(DRY_RUN)
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(JDK)
                  .or(resideInAnyPackage(JSON_AND_YAML))
                  .or(resideInAnyPackage(DRY_RUN, ENDPOINTS, ADDRESS, "com.github.difflib..")));

  @ArchTest
  static final ArchRule serverKnowsTheJdkOnly =
      classes()
          .that()
          .resideInAPackage(SERVER)
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(JDK).or(resideInAnyPackage(SERVER, "com.sun.net.httpserver..")));

  @ArchTest
  static final ArchRule onlyMainAndTheCommandsKnowTheConfiguration =
      noClasses()
          .that()
          .resideOutsideOfPackages(ROOT, COMMANDS, CONFIGURATION)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CONFIGURATION, COMMANDS);

  @ArchTest
  static final ArchRule nobodyKnowsMain =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT);

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching(ROOT + ".(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule onlyTheCommandLinePrints =
      noClasses()
          .that()
          .resideOutsideOfPackages(ROOT, COMMANDS, DRY_RUN)
          .should(ACCESS_STANDARD_STREAMS)
          .because("everything else tells the log");

  @ArchTest static final ArchRule logsGoThroughOneDoor = noClasses().should(USE_JAVA_UTIL_LOGGING);

  @ArchTest
  static final ArchRule namesSayWhatThingIs =
      noClasses().should().haveNameMatching(".*\\.[^.]*(Util|Helper|Manager|Impl)[^.]*");

  @ArchTest
  static final ArchRule packagesAreNamedForTheirPart =
      noClasses()
          .should()
          .resideInAnyPackage("..util..", "..common..", "..helper..", "..impl..", "..internal..");

  @ArchTest
  static final ArchRule everyPackageIsNullMarked = classes().should(new BeInNullMarkedPackage());

  @ArchTest
  static final ArchRule nobodySleeps =
      noClasses()
          .should()
          .callMethodWhere(
              DescribedPredicate.describe(
                  "Thread.sleep",
                  call ->
                      call.getTargetOwner().isEquivalentTo(Thread.class)
                          && call.getName().equals("sleep")))
          .because("a wait has an end that can be signalled");

  private static final class BeInNullMarkedPackage extends ArchCondition<JavaClass> {
    BeInNullMarkedPackage() {
      super("be in a @NullMarked package");
    }

    @Override
    public void check(JavaClass javaClass, ConditionEvents events) {
      boolean marked = javaClass.getPackage().tryGetAnnotationOfType(NullMarked.class).isPresent();
      events.add(
          new SimpleConditionEvent(
              javaClass, marked, javaClass.getName() + " is in a package without @NullMarked"));
    }
  }
}
