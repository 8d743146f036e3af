package io.apiserverupdater.bootstrap;

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

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import io.apiserverupdater.apiserver.tls.PublicKeyHash;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import org.jspecify.annotations.NullMarked;

/** Who may know whom. Each arrow that is not drawn here is not allowed. */
@AnalyzeClasses(
    packages = "io.apiserverupdater.bootstrap",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ROOT = "io.apiserverupdater.bootstrap";
  private static final String API = ROOT + ".api..";
  private static final String BOOT = ROOT + ".boot..";
  private static final String CANDIDATES = ROOT + ".candidates..";
  private static final String COMMANDS = ROOT + ".commands..";
  private static final String CONFIGURATION = ROOT + ".configuration..";
  private static final String TIME = "io.apiserverupdater.apiserver.time..";
  private static final String FILES = ROOT + ".files..";
  private static final String HOSTS = ROOT + ".hosts..";
  private static final String IPVS = ROOT + ".ipvs..";
  private static final String LOG = ROOT + ".log..";
  private static final String NFT = ROOT + ".nft..";
  private static final String STATE = ROOT + ".state..";
  private static final String PROGRAM = ROOT + ".program..";
  private static final String APISERVER = "io.apiserverupdater.apiserver..";
  private static final String PRINTING = "io.apiserverupdater.apiserver.printing";
  private static final String ADDRESS = "io.apiserverupdater.apiserver.address";
  private static final String FLAGS = "io.apiserverupdater.apiserver.flags";
  private static final String KUBECONFIG = "io.apiserverupdater.apiserver.kubeconfig..";
  private static final String[] JDK = {"java..", "javax.net.ssl..", "org.jspecify.."};

  private static ArchRule only(String who, String... known) {
    return classes()
        .that()
        .resideInAPackage(who)
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage(JDK).or(resideInAnyPackage(who)).or(resideInAnyPackage(known)));
  }

  @ArchTest
  static final ArchRule everythingButTheApiIsOfTheJdkOrOurs =
      classes()
          .that()
          .resideOutsideOfPackage(API)
          .and()
          .doNotHaveSimpleName("HostsDiff")
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(JDK)
                  .or(resideInAnyPackage("io.apiserverupdater.."))
                  .and(not(resideInAPackage(KUBECONFIG))))
          .because("nothing but the JDK is loaded on the way to a pinned name");

  @ArchTest static final ArchRule filesKnowDeadlines = only(FILES, TIME);
  @ArchTest static final ArchRule logKnowsWhatIsPrintable = only(LOG, PRINTING);
  @ArchTest static final ArchRule hostsKnowFilesAndNames = only(HOSTS, FILES, ADDRESS, PRINTING);

  @ArchTest
  static final ArchRule candidatesKnowFilesAndAddresses = only(CANDIDATES, FILES, APISERVER);

  @ArchTest
  static final ArchRule apiKnowsHowToAskAnApiserverAndReadsItsAnswer =
      only(API, APISERVER, "com.google.gson..");

  @ArchTest static final ArchRule programKnowsNothing = only(PROGRAM);
  @ArchTest static final ArchRule ipvsKnowsAddressesAndDeadlines = only(IPVS, ADDRESS, TIME);

  @ArchTest
  static final ArchRule nftKnowsAddressesProgramsAndIpvs = only(NFT, APISERVER, IPVS, PROGRAM);

  @ArchTest static final ArchRule stateKnowsFilesAndTheLog = only(STATE, FILES, LOG);

  @ArchTest
  static final ArchRule bootKnowsProbesTheHostsFileAndTheRule =
      only(BOOT, APISERVER, HOSTS, NFT, STATE, LOG, FILES);

  @ArchTest
  static final ArchRule configurationKnowsValues =
      classes()
          .that()
          .resideInAPackage(CONFIGURATION)
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage(JDK)
                  .or(resideInAnyPackage(CONFIGURATION, FLAGS, ADDRESS))
                  .or(type(PublicKeyHash.class))
                  .or(type(Role.class))
                  .or(type(Strategy.class)));

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
  static final ArchRule whatIsSlowToStartIsNotUsed =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.net.http..", "java.lang.reflect..", "java.util.logging..")
          .because("from exec to a pinned name there are 300 ms");

  @ArchTest
  static final ArchRule onlyTheCommandLinePrints =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT)
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
