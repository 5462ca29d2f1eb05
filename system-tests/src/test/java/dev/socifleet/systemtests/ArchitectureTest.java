package dev.socifleet.systemtests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Map;
import java.util.Set;

/** Who may import whom: docs/architecture.md, "Folders and who may import whom". */
@AnalyzeClasses(
    packages = "dev.socifleet",
    importOptions = {
      ImportOption.DoNotIncludeTests.class,
    })
class ArchitectureTest {
  private static final String[] SERVICES = {
    "dev.socifleet.ingest..",
    "dev.socifleet.indexer..",
    "dev.socifleet.pusher..",
    "dev.socifleet.fetchcache..",
    "dev.socifleet.node.."
  };
  private static final String OURS = "dev.socifleet.";
  private static final String CLI = "dev.socifleet.cli..";
  private static final String TESTING = "dev.socifleet.testing..";

  @ArchTest
  static final ArchRule servicesNeverImportEachOther =
      slices()
          .matching("dev.socifleet.(ingest|indexer|pusher|fetchcache|node)..")
          .should()
          .notDependOnEachOther();

  /** What each library may import of ours, besides itself: the table's rows. */
  private static final Map<String, Set<String>> LIBRARIES =
      Map.of(
          "ztoc", Set.of(),
          "oci", Set.of(),
          "fuse", Set.of(),
          "containerd", Set.of(),
          "service", Set.of("oci"),
          "sociindex", Set.of("oci", "ztoc"),
          "events", Set.of("oci", "service"),
          "cacheclient", Set.of("oci", "service"),
          "embedded", Set.of("oci"));

  @ArchTest
  static void librariesKnowOnlyTheLibrariesThatTheTableNames(JavaClasses all) {
    LIBRARIES.forEach((library, others) ->
        noClasses()
            .that()
            .resideInAPackage(OURS + library + "..")
            .should()
            .dependOnClassesThat(areOursBut(library, others))
            .check(all));
  }

  private static DescribedPredicate<JavaClass> areOursBut(String library, Set<String> others) {
    return DescribedPredicate.describe(
        "are ours, but not of " + library + " or of any of " + others,
        c -> {
          String name = c.getPackageName();
          if (!name.startsWith(OURS)) {
            return false;
          }
          String module = name.substring(OURS.length()).split("\\.", 2)[0];
          return !module.equals(library) && !others.contains(module);
        });
  }

  @ArchTest
  static final ArchRule servicesKnowNoCommandAndNothingEmbedded =
      noClasses()
          .that()
          .resideInAnyPackage(SERVICES)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CLI, TESTING, "dev.socifleet.embedded..");

  @ArchTest
  static final ArchRule ztocNeedsTheJdkAndFlatbuffersOnly =
      classes()
          .that()
          .resideInAPackage("dev.socifleet.ztoc..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("dev.socifleet.ztoc..", "java..", "org.jspecify..");

  @ArchTest
  static final ArchRule fuseNeedsTheJdkOnly =
      classes()
          .that()
          .resideInAPackage("dev.socifleet.fuse..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("dev.socifleet.fuse..", "java..", "org.slf4j..", "org.jspecify..");

  @ArchTest
  static final ArchRule onlyFuseAndOneClassTouchForeignMemory =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.socifleet.fuse..")
          .and()
          .doNotHaveFullyQualifiedName("dev.socifleet.node.layers.HolePunch")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.lang.foreign..");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices()
          .matching("dev.socifleet.(**)")
          .should()
          .beFreeOfCycles()
          // The command's entry class lists the commands, which use what stands beside it.
          .ignoreDependency(
              DescribedPredicate.describe(
                  "the entry class and its list",
                  c ->
                      c.getFullName().equals("dev.socifleet.cli.Soci")
                          || c.getFullName().equals("dev.socifleet.cli.Commands")),
              DescribedPredicate.alwaysTrue());
}
