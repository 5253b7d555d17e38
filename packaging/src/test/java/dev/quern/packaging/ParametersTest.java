package dev.quern.packaging;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.codeUnits;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What holds for the classes of all modules and of their tests: the modules before this one have
/// some of them only.
class ParametersTest {
  private static final Path HOME =
      Path.of(System.getProperty("quern.home")).toAbsolutePath().normalize();
  private static final int MOST = 7;

  private static final ArchRule noMethodHasMoreThanSevenParameters =
      codeUnits()
          .that(are(declaredHere()))
          .should(haveAtMost(MOST))
          .because("what belongs together is a record, and what follows from the rest is left out");

  @Test
  void noMethodHasMoreThanSevenParameters() throws IOException {
    noMethodHasMoreThanSevenParameters.check(new ClassFileImporter().importPaths(compiled()));
  }

  /// Folders of classes. One that a build of this module alone has not made is named.
  private static List<Path> compiled() throws IOException {
    List<Path> folders = new ArrayList<>();
    try (Stream<Path> files = Files.list(HOME);
        Stream<Path> integrations = Files.list(HOME.resolve("integrations"))) {
      for (Path module : Stream.concat(files, integrations).sorted().toList()) {
        add(module.resolve("src/main/java"), module.resolve("target/classes"), folders);
        add(module.resolve("src/test/java"), module.resolve("target/test-classes"), folders);
      }
    }
    return folders;
  }

  private static void add(Path source, Path classes, List<Path> folders) {
    if (Files.isDirectory(classes)) {
      folders.add(classes);
    } else if (Files.isDirectory(source)) {
      System.out.println(
          "[quern] ParametersTest: " + HOME.relativize(source) + " was left out: not compiled");
    }
  }

  /// Not what a compiler or a generator makes, nor what a library demands.
  private static DescribedPredicate<JavaCodeUnit> declaredHere() {
    return describe(
        "declared in this project's sources, and no record's components",
        m ->
            !m.getModifiers().contains(JavaModifier.SYNTHETIC)
                && !m.getOwner().getPackageName().endsWith(".jmh_generated")
                && !isOfComponents(m)
                && !isOfALibrary(m));
  }

  /// A canonical constructor: components are data, and have names.
  private static boolean isOfComponents(JavaCodeUnit m) {
    List<String> components =
        m.getOwner().getFields().stream()
            .filter(f -> !f.getModifiers().contains(JavaModifier.STATIC))
            .map(f -> f.getRawType().getName())
            .sorted()
            .toList();
    List<String> parameters =
        m.getRawParameterTypes().stream().map(JavaClass::getName).sorted().toList();
    return m.isConstructor() && m.getOwner().isRecord() && components.equals(parameters);
  }

  /// An override of what is not ours.
  private static boolean isOfALibrary(JavaCodeUnit m) {
    return Stream.concat(
            m.getOwner().getAllRawSuperclasses().stream(),
            m.getOwner().getAllRawInterfaces().stream())
        .filter(c -> !c.getPackageName().startsWith("dev.quern"))
        .flatMap(c -> c.getMethods().stream())
        .anyMatch(other ->
            other.getName().equals(m.getName())
                && other.getRawParameterTypes().equals(m.getRawParameterTypes()));
  }

  /// Without those that the compiler adds to the constructors of enums (two) and of local and
  /// anonymous classes, where they are not told from others.
  private static int parameters(JavaCodeUnit m) {
    JavaClass owner = m.getOwner();
    int all = m.getRawParameterTypes().size();
    if (!m.isConstructor()) {
      return all;
    }
    return owner.isEnum() ? all - 2 : owner.isLocalClass() || owner.isAnonymousClass() ? 0 : all;
  }

  private static ArchCondition<JavaCodeUnit> haveAtMost(int most) {
    return new ArchCondition<>("have at most " + most + " parameters") {
      @Override
      public void check(JavaCodeUnit m, ConditionEvents events) {
        int n = parameters(m);
        events.add(
            new SimpleConditionEvent(
                m, n <= most, m.getDescription() + " has " + n + " parameters"));
      }
    };
  }
}
