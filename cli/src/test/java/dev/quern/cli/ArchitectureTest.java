package dev.quern.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.core.domain.properties.HasParameterTypes.Predicates.rawParameterTypes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitCallTarget;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import dev.quern.QuernException;
import dev.quern.spi.KernelProvider;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FileWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.text.MessageFormat;
import java.text.NumberFormat;
import java.time.format.DateTimeFormatter;
import java.util.Formatter;
import java.util.Locale;
import java.util.Scanner;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The design's rules, held by the build. Each says in `because` what it is for.
@AnalyzeClasses(
    packages = "dev.quern",
    importOptions = {
      ImportOption.DoNotIncludeTests.class,
      ArchitectureTest.WithoutTestSupport.class
    })
class ArchitectureTest {
  /// What tests of several modules share comes as JARs of their own, which are not known as tests
  /// otherwise.
  static final class WithoutTestSupport implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/dev/quern/testing/") && !location.contains("-tests.jar");
    }
  }

  /// The packages of quern-api.
  private static final String[] API = {
    "dev.quern",
    "dev.quern.checked",
    "dev.quern.data",
    "dev.quern.discovery",
    "dev.quern.files",
    "dev.quern.op",
    "dev.quern.platform",
    "dev.quern.spi",
    "dev.quern.text"
  };

  @ArchTest
  static final ArchRule apiStandsAlone =
      classes()
          .that()
          .resideInAnyPackage(API)
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              Stream.concat(
                      Stream.of(API), Stream.of("java..", "com.sun.management")) // the JVM's flags
                  .toArray(String[]::new))
          .because("the contract depends on nothing but the JDK");

  @ArchTest
  static final ArchRule theApisRoomsHaveOneOrder =
      slices()
          .assignedFrom(slicesOf("packages of quern-api", Set.of(API)::contains))
          .should()
          .beFreeOfCycles()
          .because(
              "the facade is on top: finding providers, the platform and the checks know nothing of"
                  + " it");

  @ArchTest
  static final ArchRule operatorsDoNotKnowTheirProviders =
      noClasses()
          .that()
          .resideInAnyPackage("dev.quern.data", "dev.quern.op")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.quern", "dev.quern.spi")
          .because("data and op are what both sides share");

  @ArchTest
  static final ArchRule theModelKnowsNoProvider =
      noClasses()
          .that()
          .resideInAPackage("dev.quern.llama..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.quern.spi..", "dev.quern.provider..", "dev.quern.conformance..")
          .because("the model compiles against the facade; providers come in at run time");

  @ArchTest
  static final ArchRule providersSeeTheSpiOnly =
      noClasses()
          .that()
          .resideInAPackage("dev.quern.provider..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.quern",
              "dev.quern.checked",
              "dev.quern.discovery",
              "dev.quern.platform",
              "dev.quern.llama..",
              "dev.quern.conformance..",
              "dev.quern.measure..",
              "dev.quern.cli..")
          .because("a provider is written against spi, op and data");

  @ArchTest
  static final ArchRule theServersRoomsHaveOneOrder =
      slices()
          .matching("dev.quern.serve.(*)..")
          .should()
          .beFreeOfCycles()
          .because("a protocol is a room over answer, model and http, and knows no other");

  @ArchTest
  static final ArchRule oneRoomOfTheServerKnowsJetty =
      noClasses()
          .that()
          .resideInAPackage("dev.quern.serve..")
          .and()
          .resideOutsideOfPackage("dev.quern.serve.http")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.eclipse.jetty..")
          .because("endpoints are written against Exchange");

  /// Each package below `dev.quern.provider` is a provider, one that comes later too.
  @ArchTest
  static final ArchRule providersNeverSeeEachOther =
      slices()
          .matching("dev.quern.provider.(*)..")
          .should()
          .notDependOnEachOther()
          .because("each is a JAR that users add or leave out by itself");

  @ArchTest
  static final ArchRule packagesOfAProviderHaveNoCycles =
      slices()
          .matching("dev.quern.provider.(**)")
          .should()
          .beFreeOfCycles()
          .because("what a package needs is read before it, and never comes back to it");

  @ArchTest
  static final ArchRule onlyTheProviderIsPublic =
      classes()
          .that()
          .resideInAPackage("dev.quern.provider.*")
          .and()
          .arePublic()
          .should()
          .implement(KernelProvider.class)
          .because(
              "public means promised; what a provider keeps in packages below its own is public to"
                  + " itself, since its module exports nothing");

  @ArchTest
  static final ArchRule providersOwnNoThreads =
      noClasses()
          .that()
          .resideInAPackage("dev.quern.provider..")
          .should()
          .dependOnClassesThat()
          .areAssignableTo(Executor.class)
          .orShould()
          .dependOnClassesThat()
          .areAssignableTo(Thread.class)
          .because("the caller owns threads, the provider owns the split");

  /// The packages from a root on. The root is one too: what its rooms throw and return is theirs. A
  /// pattern would leave it out.
  private static SliceAssignment packagesFrom(String root) {
    return slicesOf("packages from " + root + " on", name -> name.startsWith(root));
  }

  /// Each package that is asked for is a slice.
  private static SliceAssignment slicesOf(String description, Predicate<String> packages) {
    return new SliceAssignment() {
      @Override
      public SliceIdentifier getIdentifierOf(JavaClass c) {
        return packages.test(c.getPackageName())
            ? SliceIdentifier.of(c.getPackageName())
            : SliceIdentifier.ignore();
      }

      @Override
      public String getDescription() {
        return description;
      }
    };
  }

  @ArchTest
  static final ArchRule theModelsRoomsHaveOneOrder =
      slices()
          .assignedFrom(packagesFrom("dev.quern.llama"))
          .should()
          .beFreeOfCycles()
          .because("what a room needs lies below it, so that each can be read without those above");

  @ArchTest
  static final ArchRule theSuitesPackagesLieInLayers =
      slices()
          .assignedFrom(packagesFrom("dev.quern.conformance"))
          .should()
          .beFreeOfCycles()
          .because(
              "what judges lies below rules and runs, these below the operators' packages, and the"
                  + " catalogue and what users extend on top");

  @ArchTest
  static final ArchRule measuringKnowsNoCommand =
      noClasses()
          .that()
          .resideInAPackage("dev.quern.measure..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.quern.cli..", "dev.quern.conformance..", "dev.quern.provider..", "picocli..")
          .because("the command line and the benchmarks share it, and neither needs the other");

  @ArchTest
  static final ArchRule measuringsPackagesHaveOneOrder =
      slices()
          .assignedFrom(packagesFrom("dev.quern.measure"))
          .should()
          .beFreeOfCycles()
          .because("reports read what was measured, which knows no report");

  @ArchTest
  static final ArchRule theCommandsRoomsHaveOneOrder =
      slices()
          .assignedFrom(packagesFrom("dev.quern.cli"))
          .should()
          .beFreeOfCycles()
          .because("Main knows all commands, and no room knows Main; console knows no room");

  @ArchTest
  static final ArchRule onePlaceDrawsCharts =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.quern.measure.report")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.jfree..", "de.erichseifert..", "java.awt..")
          .because("charts look alike, and a start loads no java.desktop");

  @ArchTest
  static final ArchRule noThreadLocals =
      noClasses()
          .should()
          .dependOnClassesThat()
          .areAssignableTo(ThreadLocal.class)
          .because("scratch comes from the caller");

  @ArchTest
  static final ArchRule noMutableStatics =
      fields().that().areStatic().should().beFinal().because("two models in one JVM must not meet");

  @ArchTest
  static final ArchRule nobodySetsSystemProperties =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("dev.quern.cli.Main")
          .should()
          .callMethod(System.class, "setProperty", String.class, String.class)
          .orShould()
          .callMethod(System.class, "clearProperty", String.class)
          .because(
              "system properties belong to the application; Main is one, where -Dquern.name=value"
                  + " stands behind the command and not before the JVM's main class");

  @ArchTest
  static final ArchRule onlyApiAndCliReadSystemProperties =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "dev.quern",
              "dev.quern.discovery",
              "dev.quern.platform",
              "dev.quern.measure",
              "dev.quern.cli..",
              "dev.quern.conformance..")
          .should()
          .callMethod(System.class, "getProperty", String.class)
          .orShould()
          .callMethod(System.class, "getProperty", String.class, String.class)
          .orShould()
          .callMethod(System.class, "getProperties")
          .because("selection is read in one place; providers are given a Platform");

  @ArchTest
  static final ArchRule onlyTheConsolePrints =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.quern.cli.console", "dev.quern.conformance..")
          .should()
          .accessField(System.class, "out")
          .orShould()
          .accessField(System.class, "err")
          .because("a library logs, and a command prints to the console that it was given");

  /// The JDK's default configuration shows INFO on stderr.
  @ArchTest
  static final ArchRule onlyTheCliLogsInfo =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.quern.cli..", "dev.quern.conformance..")
          .should()
          .accessField(System.Logger.Level.class, "INFO")
          .because("an application that configured no logging hears warnings from a library only");

  @ArchTest
  static final ArchRule noDefaultLocale =
      noClasses()
          .should()
          .callMethod(String.class, "format", String.class, Object[].class)
          .orShould()
          .callMethod(String.class, "formatted", Object[].class)
          .orShould()
          .callMethod(String.class, "toLowerCase")
          .orShould()
          .callMethod(String.class, "toUpperCase")
          .orShould()
          .callMethodWhere(
              nameMatching("format|printf")
                  .and(
                      target(
                          owner(
                              assignableTo(PrintStream.class).or(assignableTo(PrintWriter.class)))))
                  .and(target(rawParameterTypes(String.class, Object[].class))))
          .orShould()
          .callConstructorWhere(
              target(owner(assignableTo(Formatter.class)))
                  .and(target(not(lastParameter(Locale.class)))))
          .orShould()
          .callMethodWhere(
              target(
                      owner(
                          assignableTo(NumberFormat.class)
                              .or(assignableTo(DateTimeFormatter.class))))
                  .and(nameMatching("get.*Instance|ofPattern|ofLocalized.*"))
                  .and(target(not(lastParameter(Locale.class)))))
          .orShould()
          .callMethod(MessageFormat.class, "format", String.class, Object[].class)
          .orShould()
          .callConstructor(MessageFormat.class, String.class)
          .orShould()
          .dependOnClassesThat()
          .areAssignableTo(Scanner.class)
          .because("names, numbers and files are the same in every user's locale: Locale.ROOT");

  @ArchTest
  static final ArchRule filesAreWrittenInOneWay =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.quern.files")
          // A case noted before each call, and what a measuring JVM says to the one that began it.
          .and()
          .doNotHaveFullyQualifiedName("dev.quern.conformance.PropertyRunner")
          .and()
          .doNotHaveFullyQualifiedName("dev.quern.conformance.rules.AllocationProbe")
          // Mapped memory needs a file, which has no name when it is mapped.
          .and()
          .doNotHaveFullyQualifiedName("dev.quern.conformance.run.MappedMemory")
          // The library of a JAR on its way to the loader; a provider sees the SPI alone.
          .and()
          .doNotHaveFullyQualifiedName("dev.quern.provider.kleidi.LibrarySearch")
          .and()
          .doNotHaveFullyQualifiedName("dev.quern.provider.kleidi.LibraryResource")
          .should()
          .callMethodWhere(
              nameMatching(
                      "write|writeString|newOutputStream|newBufferedWriter|move|copy|createTemp.*")
                  .and(target(owner(assignableTo(Files.class)))))
          .orShould()
          .callMethodWhere(nameMatching("writeValue").and(target(firstParameter(File.class))))
          .orShould()
          .callConstructorWhere(
              target(
                  owner(assignableTo(FileWriter.class).or(assignableTo(RandomAccessFile.class)))))
          .orShould()
          .callConstructorWhere(
              target(owner(assignableTo(FileOutputStream.class)))
                  .and(target(not(firstParameter(FileDescriptor.class)))))
          .because("an output is whole or absent, and never a device, a link or an input: NewFile");

  private static DescribedPredicate<CodeUnitCallTarget> firstParameter(Class<?> type) {
    return DescribedPredicate.describe(
        "a first parameter of " + type,
        t ->
            !t.getRawParameterTypes().isEmpty()
                && t.getRawParameterTypes().getFirst().isEquivalentTo(type));
  }

  private static DescribedPredicate<JavaCall<?>> nameMatching(String regex) {
    return DescribedPredicate.describe("named " + regex, call -> call.getName().matches(regex));
  }

  private static DescribedPredicate<CodeUnitCallTarget> lastParameter(Class<?> type) {
    return DescribedPredicate.describe(
        "a last parameter of " + type,
        t ->
            !t.getRawParameterTypes().isEmpty()
                && t.getRawParameterTypes().getLast().isEquivalentTo(type));
  }

  /// A provider sees the SPI alone, and what it throws arrives as a ProviderException.
  @ArchTest
  static final ArchRule oneFamilyOfExceptions =
      classes()
          .that()
          .areAssignableTo(RuntimeException.class)
          .and()
          .resideOutsideOfPackage("dev.quern.provider..")
          .should()
          .beAssignableTo(QuernException.class)
          .because("whoever calls Quern can catch what it throws on purpose in one clause");

  @ArchTest
  static final ArchRule noUnsafe =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("sun..", "jdk.internal..")
          .because("memory safety is not traded for speed");
}
