package dev.socifleet.systemtests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

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
  private static final String CLI = "dev.socifleet.cli..";
  private static final String TESTING = "dev.socifleet.testing..";

  @ArchTest
  static final ArchRule servicesNeverImportEachOther =
      slices()
          .matching("dev.socifleet.(ingest|indexer|pusher|fetchcache|node)..")
          .should()
          .notDependOnEachOther();

  @ArchTest
  static final ArchRule librariesKnowNoServiceAndNoCommand =
      noClasses()
          .that()
          .resideInAnyPackage(
              "dev.socifleet.ztoc..",
              "dev.socifleet.oci..",
              "dev.socifleet.sociindex..",
              "dev.socifleet.events..",
              "dev.socifleet.fuse..",
              "dev.socifleet.containerd..",
              "dev.socifleet.service..",
              "dev.socifleet.cacheclient..",
              "dev.socifleet.embedded..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.socifleet.ingest..",
              "dev.socifleet.indexer..",
              "dev.socifleet.pusher..",
              "dev.socifleet.fetchcache..",
              "dev.socifleet.node..",
              CLI,
              TESTING);

  @ArchTest
  static final ArchRule servicesKnowNoCommandAndNoFixture =
      noClasses()
          .that()
          .resideInAnyPackage(SERVICES)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CLI, TESTING);

  @ArchTest
  static final ArchRule ztocNeedsTheJdkAndFlatbuffersOnly =
      classes()
          .that()
          .resideInAPackage("dev.socifleet.ztoc..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "dev.socifleet.ztoc..", "java..", "com.google.flatbuffers..", "org.jspecify..");

  @ArchTest
  static final ArchRule fuseNeedsTheJdkOnly =
      classes()
          .that()
          .resideInAPackage("dev.socifleet.fuse..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("dev.socifleet.fuse..", "java..", "org.slf4j..", "org.jspecify..");

  @ArchTest
  static final ArchRule ociKnowsNothingOfOurs =
      noClasses()
          .that()
          .resideInAPackage("dev.socifleet.oci..")
          .should()
          .dependOnClassesThat(
              DescribedPredicate.describe(
                  "are ours, outside dev.socifleet.oci",
                  c ->
                      c.getPackageName().startsWith("dev.socifleet.")
                          && !c.getPackageName().startsWith("dev.socifleet.oci")));

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
                  "the entry class", c -> c.getFullName().equals("dev.socifleet.cli.Soci")),
              DescribedPredicate.alwaysTrue());
}
