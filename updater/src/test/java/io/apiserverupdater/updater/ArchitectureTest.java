package io.apiserverupdater.updater;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
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
import io.apiserverupdater.updater.controller.MemberHealths;
import io.apiserverupdater.updater.export.ServerSource;
import io.apiserverupdater.updater.leaderelection.Leadership;
import io.apiserverupdater.updater.readiness.MemberProbe;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.NullMarked;

/** Who may know whom. Each arrow that is not drawn here is not allowed. */
@AnalyzeClasses(
    packages = "io.apiserverupdater.updater",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ROOT = "io.apiserverupdater.updater";
  private static final String ENDPOINTS = ROOT + ".endpoints..";
  private static final String EVENTS = ROOT + ".events..";
  private static final String LEADER_ELECTION = ROOT + ".leaderelection..";
  private static final String CONTROLLER = ROOT + ".controller..";
  private static final String READINESS = ROOT + ".readiness..";
  private static final String PRINTING = "io.apiserverupdater.apiserver.printing";
  private static final String YAML = "io.apiserverupdater.apiserver.yaml..";
  private static final String ADDRESS = "io.apiserverupdater.apiserver.address..";
  private static final String TIME = "io.apiserverupdater.apiserver.time..";
  private static final String APISERVER = "io.apiserverupdater.apiserver..";
  private static final String KUBE = ROOT + ".kube..";
  private static final String KUBE_ACCESS = ROOT + ".kube.access..";
  private static final String KUBE_API = ROOT + ".kube.api..";
  private static final String KUBE_WATCH = ROOT + ".kube.watch..";
  private static final String DRY_RUN = ROOT + ".dryrun..";
  private static final String SERVER = ROOT + ".server..";
  private static final String METRICS = ROOT + ".metrics..";
  private static final String STATUS = ROOT + ".status..";
  private static final String CONFIGURATION = ROOT + ".configuration..";
  private static final String COMMANDS = ROOT + ".commands..";
  private static final String LOG = ROOT + ".log..";
  private static final String EXPORT = ROOT + ".export..";

  private static final String[] JDK = {"java..", "org.jspecify.."};
  private static final String[] JSON_AND_YAML = {"com.google.gson..", "org.yaml.."};

  /** A package that knows the JDK, itself, and what is named here. */
  private static ArchRule only(String who, DescribedPredicate<JavaClass> known) {
    return classes()
        .that()
        .resideInAPackage(who)
        .should()
        .onlyDependOnClassesThat(resideInAnyPackage(JDK).or(resideInAPackage(who)).or(known));
  }

  /** A package that knows of the updater itself, and what is named here. */
  private static ArchRule onlyOfOurs(String who, DescribedPredicate<JavaClass> known) {
    return noClasses()
        .that()
        .resideInAPackage(who)
        .should()
        .dependOnClassesThat(
            resideInAPackage(ROOT + "..").and(not(resideInAPackage(who))).and(not(known)));
  }

  /** These libraries or packages are known in these rooms alone. */
  private static ArchRule known(String[] what, String... where) {
    return noClasses()
        .that()
        .resideOutsideOfPackages(where)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(what);
  }

  private static String[] packages(String... names) {
    return names;
  }

  @ArchTest
  static final ArchRule endpointsKnowAddresses =
      only(ENDPOINTS, resideInAPackage(ADDRESS))
          .because("they are values and rules, without a logger, a client or a file");

  @ArchTest static final ArchRule eventsKnowNothing = only(EVENTS, resideInAPackage("org.slf4j.."));

  @ArchTest
  static final ArchRule leaderElectionKnowsNothing =
      only(LEADER_ELECTION, resideInAPackage("org.slf4j.."));

  @ArchTest
  static final ArchRule controllerKnowsTheRulesAndWhetherWeLead =
      only(
          CONTROLLER,
          resideInAnyPackage(ENDPOINTS, EVENTS, TIME, "org.slf4j..").or(type(Leadership.class)));

  @ArchTest
  static final ArchRule readinessKnowsTheProbeAndThePort =
      only(
          READINESS,
          resideInAnyPackage(APISERVER, ENDPOINTS, EVENTS, "org.slf4j..")
              .or(type(MemberHealths.class)));

  @ArchTest
  static final ArchRule kubeKnowsThePorts =
      onlyOfOurs(
          KUBE,
          resideInAnyPackage(ENDPOINTS, CONTROLLER, EVENTS, LEADER_ELECTION)
              .or(type(MemberProbe.class))
              .or(type(ServerSource.class)));

  @ArchTest
  static final ArchRule kubeAccessKnowsTheKubeconfig =
      only(KUBE_ACCESS, resideInAPackage(APISERVER));

  @ArchTest
  static final ArchRule kubeApiKnowsTheAccess = onlyOfOurs(KUBE_API, resideInAPackage(KUBE_ACCESS));

  @ArchTest
  static final ArchRule kubeWatchKnowsTheApi =
      onlyOfOurs(KUBE_WATCH, resideInAnyPackage(KUBE_API, KUBE_ACCESS));

  @ArchTest
  static final ArchRule onlyKubeKnowsTheClientLibrary = known(packages("io.kubernetes.."), KUBE);

  @ArchTest
  static final ArchRule onlyKubeApiKnowsOkHttp = known(packages("okhttp3..", "okio.."), KUBE_API);

  @ArchTest
  static final ArchRule onlyTheMetricsKnowPrometheus = known(packages("io.prometheus.."), METRICS);

  @ArchTest static final ArchRule onlyMainKnowsTheMetrics = known(packages(METRICS), ROOT, METRICS);

  @ArchTest
  static final ArchRule onlyKubeTheRenderersAndTheLogKnowJsonAndYaml =
      known(JSON_AND_YAML, KUBE, DRY_RUN, LOG, STATUS);

  @ArchTest
  static final ArchRule logKnowsJsonAndHowToPrint =
      only(LOG, resideInAnyPackage(PRINTING, "com.google.gson.."));

  @ArchTest
  static final ArchRule dryRunKnowsTheRulesAndHowToPrint =
      only(
          DRY_RUN,
          resideInAnyPackage(JSON_AND_YAML)
              .or(resideInAnyPackage(ENDPOINTS, ADDRESS, PRINTING, YAML, "com.github.difflib..")));

  @ArchTest
  static final ArchRule exportKnowsTheSnapshotOfASource =
      only(EXPORT, resideInAnyPackage(ENDPOINTS, ADDRESS, TIME, "org.slf4j.."));

  @ArchTest
  static final ArchRule statusKnowsTheRulesAndHowToPrint =
      only(STATUS, resideInAnyPackage(ENDPOINTS, PRINTING, "com.google.gson.."));

  @ArchTest
  static final ArchRule serverKnowsTheJdkAndHowToPrint = only(SERVER, resideInAPackage(PRINTING));

  @ArchTest
  static final ArchRule onlyMainAndTheCommandsKnowTheConfiguration =
      known(packages(CONFIGURATION, COMMANDS), ROOT, COMMANDS, CONFIGURATION);

  @ArchTest static final ArchRule nobodyKnowsMain = known(packages(ROOT), ROOT);

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching(ROOT + ".(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule looksUpNoNameThatNobodyGave =
      noClasses()
          .should()
          .callMethod(InetAddress.class, "getLocalHost")
          .orShould()
          .callMethod(InetAddress.class, "getHostName")
          .orShould()
          .callMethod(InetAddress.class, "getCanonicalHostName")
          .orShould()
          .callMethod(InetSocketAddress.class, "getHostName")
          .because("a start must not wait for DNS");

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
  static final ArchRule everyPackageIsNullMarked =
      classes()
          .should(
              ArchCondition.from(
                  describe(
                      "be in a @NullMarked package",
                      it -> it.getPackage().isAnnotatedWith(NullMarked.class))));

  @ArchTest
  static final ArchRule nobodySleeps =
      noClasses()
          .should()
          .callMethodWhere(
              describe(
                  "Thread.sleep",
                  call ->
                      call.getTargetOwner().isEquivalentTo(Thread.class)
                          && call.getName().equals("sleep")))
          .because("a wait has an end that can be signalled");
}
