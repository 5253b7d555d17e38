package dev.quern.conformance.surefire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import dev.quern.testing.LeftOut.Asked;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The guide's project under Maven, as its author runs it: failed tests are run again, and several
/// at the same time. Surefire counts tests by names of its own making, other ones in each version;
/// a wrong kernel must be red in all of them, and no test may be lost.
class SurefireIT {
  /// Maven 3.9's own choice, the last before 3.5.4's new names, those with it, and today's.
  private static final List<String> SUREFIRE = List.of("3.2.5", "3.5.2", "3.5.4", "3.6.1");

  private static final List<String> JUNIT = List.of("5.14.4", "6.1.3");

  /// The one that is always tried: this pair lost most.
  private static final Versions FIRST = new Versions("3.5.4", "5.14.4");

  private static final String RMS_NORM = "src/main/java/com/example/quern/ExampleRmsNorm.java";

  /// Where an author would have them: Quern's own packages are not for others to add to.
  private static final String MUTANTS = "src/test/java/com/example/mutants/";

  private static final String[] OPTIONS = {
    "-Dsurefire.rerunFailingTestsCount=1",
    "-Djunit.jupiter.execution.parallel.enabled=true",
    "-Djunit.jupiter.execution.parallel.mode.default=concurrent",
    "-Djunit.jupiter.execution.parallel.config.strategy=fixed",
    "-Djunit.jupiter.execution.parallel.config.fixed.parallelism=4",
    "-Dquern.conformance.tries=1",
    "-Dquern.conformance.allocation=report"
  };

  record Versions(String surefire, String junit) {}

  static List<Versions> versions() {
    List<Versions> all =
        SUREFIRE.stream().flatMap(s -> JUNIT.stream().map(j -> new Versions(s, j))).toList();
    return LeftOut.some(
        SurefireIT.class, Asked.EXHAUSTIVE, "pairs of Surefire and JUnit", all, List.of(FIRST));
  }

  @ParameterizedTest
  @MethodSource("versions")
  void aWrongKernelIsRedAndTheRightOneGreen(Versions versions, @TempDir Path dir) throws Exception {
    Path right = dir.resolve("right");
    AuthorProject.Built green =
        AuthorProject.ofGuide(right).versions(versions.surefire, versions.junit).test(OPTIONS);
    assertEquals(0, green.exit(), green.log());
    assertEquals(List.of(), green.failed());
    assertEquals(0, green.count(5), () -> "flakes:\n" + green.log());

    AuthorProject.Built red =
        AuthorProject.ofGuide(dir.resolve("wrong"))
            .versions(versions.surefire, versions.junit)
            .edit(
                RMS_NORM,
                "Math\\.sqrt\\(squares / spec\\.width\\(\\) \\+ spec\\.epsilon\\(\\)\\)",
                "(Math.sqrt(squares / spec.width()) + spec.epsilon())")
            .test(OPTIONS);
    assertNotEquals(0, red.exit(), red.log());
    assertTrue(red.log().contains("BUILD FAILURE"), red.log());
    List<String> failed = red.failed();
    assertTrue(
        failed.containsAll(List.of("N1_exact [F32]", "P5_runs_what_it_accepts [rmsnorm F32]")),
        failed.toString());
    assertTrue(
        failed.stream().allMatch(n -> n.endsWith(" [F32]") || n.endsWith(" [rmsnorm F32]")),
        failed.toString());
    assertEquals(failed, red.failedOnConsole());
    assertEquals(failed.size(), red.count(2));
    assertEquals(0, red.count(5), () -> "flakes:\n" + red.log());

    long tests = tests(right);
    assertTrue(tests > 200, "tests: " + tests);
    for (AuthorProject.Built built : List.of(green, red)) {
      assertEquals(tests, built.count(1), () -> "on the console:\n" + built.log());
      assertEquals(tests, built.tests().size(), "in the XML");
      Set<String> names =
          built.tests().stream()
              .map(AuthorProject.Reported::name)
              .collect(Collectors.toCollection(TreeSet::new));
      assertTrue(names.contains("N2_non_finite_x [F32]"), names.toString());
    }
  }

  /// How many tests the suite has for the project: its factories are asked, and nothing is run.
  private static long tests(Path project) throws Exception {
    URL[] urls = {
      project.resolve("target/classes/").toUri().toURL(),
      project.resolve("target/test-classes/").toUri().toURL()
    };
    long tests = 0;
    try (URLClassLoader loader = new URLClassLoader(urls, SurefireIT.class.getClassLoader())) {
      Class<?> outer = loader.loadClass("com.example.quern.ExampleConformanceTest");
      Constructor<?> constructor = outer.getDeclaredConstructor();
      constructor.setAccessible(true);
      Object instance = constructor.newInstance();
      for (Class<?> nested : outer.getDeclaredClasses()) {
        assertTrue(nested.isAnnotationPresent(Nested.class), nested.toString());
        Constructor<?> inner = nested.getDeclaredConstructor(outer);
        inner.setAccessible(true);
        tests += tests(inner.newInstance(instance));
      }
    }
    return tests;
  }

  private static long tests(Object conformance) throws Exception {
    long tests = 0;
    for (Method method : conformance.getClass().getMethods()) {
      if (method.isAnnotationPresent(TestFactory.class)) {
        @SuppressWarnings("unchecked") // what a factory of the suite returns
        Stream<DynamicNode> nodes = (Stream<DynamicNode>) method.invoke(conformance);
        tests += nodes.mapToLong(n -> ((DynamicContainer) n).getChildren().count()).sum();
      }
    }
    return tests;
  }

  /// A fault of each operator and of the provider, each with classes beside it that are right.
  private enum Mutant {
    NEWER_SPEC("Provider", "P2"),
    ACCUMULATE_IGNORED("Linear", "L5"),
    SCALE_IGNORED("Attention", "A6"),
    EPSILON_OUTSIDE("RmsNorm", "N1"),
    SINE_SIGN("Rope", "R1"),
    GATE_UP_SWAPPED("SwiGlu", "S1");

    private final String operator;
    private final String rule;

    Mutant(String operator, String rule) {
      this.operator = operator;
      this.rule = rule;
    }

    String className() {
      return Arrays.stream(name().split("_"))
              .map(w -> w.charAt(0) + w.substring(1).toLowerCase(Locale.ROOT))
              .collect(Collectors.joining())
          + "Test";
    }

    String source() {
      Set<String> classes = new TreeSet<>(List.of("Provider", "RmsNorm", operator));
      StringBuilder text =
          new StringBuilder("package com.example.mutants;\n\nclass ")
              .append(className())
              .append(" {\n");
      for (String c : classes) {
        text.append(
            String.format(
                Locale.ROOT,
                """
                  @org.junit.jupiter.api.Nested
                  class %1$s extends dev.quern.conformance.%1$sConformance {
                    @Override
                    protected dev.quern.spi.KernelProvider provider() {
                      return new MutantProvider(Fault.%2$s);
                    }
                  }
                """,
                c,
                name()));
      }
      return text.append("}\n").toString();
    }
  }

  @Test
  void theMutantsAreRedUnderMaven(@TempDir Path dir) throws Exception {
    LeftOut.unlessFull(getClass(), "the mutants under Maven");
    AuthorProject project =
        AuthorProject.ofGuide(dir.resolve("mutants")).versions(FIRST.surefire, FIRST.junit);
    Path sources = Path.of("src/test/java/dev/quern/conformance/mutants");
    try (Stream<Path> files = Files.list(sources)) {
      // All that mutants consist of: the rest of their folder is tests, and one test's program.
      for (Path file :
          files
              .filter(f -> !f.getFileName().toString().matches("\\w+Test.java|OverRead.java"))
              .toList()) {
        project.write(
            MUTANTS + file.getFileName(),
            Files.readString(file)
                .replace("package dev.quern.conformance.mutants;", "package com.example.mutants;"));
      }
    }
    Path support = Path.of("src/test/resources/META-INF/quern/mutant.support");
    project.write(support.toString(), Files.readString(support));
    for (Mutant mutant : Mutant.values()) {
      project.write(MUTANTS + mutant.className() + ".java", mutant.source());
    }
    project.write("src/test/java/com/example/quern/ExampleConformanceTest.java", "");
    AuthorProject.Built built = project.test(OPTIONS);
    assertNotEquals(0, built.exit(), built.log());
    assertEquals(0, built.count(5), () -> "flakes:\n" + built.log());
    for (Mutant mutant : Mutant.values()) {
      String className = "com.example.mutants." + mutant.className() + "$";
      List<String> failed =
          built.tests().stream()
              .filter(t -> t.className().startsWith(className) && t.status().equals("failure"))
              .map(t -> t.className().substring(className.length()) + " " + t.name())
              .toList();
      assertTrue(
          failed.stream().anyMatch(n -> n.startsWith(mutant.operator + " " + mutant.rule + "_")),
          () -> mutant + " survived " + mutant.rule + ": " + failed);
      assertTrue(
          failed.stream().allMatch(n -> n.startsWith(mutant.operator + " ")),
          () -> mutant + " has broken more than itself: " + failed);
    }
  }
}
