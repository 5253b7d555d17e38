package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.Signals;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// `quern conformance` as it is packaged: the suite lies on a module path of its own.
class ConformanceIT {
  private static final Path LIB = Path.of(System.getProperty("quern.lib"));
  private static final Path SUITE = Path.of(System.getProperty("quern.conformance.lib"));

  @TempDir Path folder;

  @Test
  void theLauncherRunsTheSuiteFromModules() throws IOException {
    Path home = LauncherHome.in(folder);
    Child child =
        Child.run(
            home,
            List.of(
                home.resolve("quern").toString(),
                "-Dquern.conformance.tries=1",
                "conformance",
                "--provider",
                "scalar",
                "--operator",
                "swiglu"));
    assertEquals(0, child.code(), child.out() + child.err());
    assertTrue(child.out().contains("PASSED: scalar keeps the specification"), child.out());
    assertTrue(child.out().contains("1 tries"), child.out());
    assertEquals(Child.INCUBATOR_WARNING, child.err().strip(), "none about native access");
  }

  @Test
  void whatPropertiesSayArrivesInTheRun() throws IOException {
    Path breadcrumb = folder.resolve("case");
    List<String> command =
        new ArrayList<>(
            List.of(
                "-Dquern.conformance.tries=1",
                "-Dquern.conformance.seed=77",
                "-Dquern.conformance.breadcrumb=" + breadcrumb));
    command.addAll(words("--provider", "scalar", "--operator", "swiglu"));
    Child child = java(command.toArray(String[]::new));
    assertEquals(0, child.code(), child.out() + child.err());
    assertTrue(child.out().contains("1 tries for each rule and format, seed 77"), child.out());
    assertTrue(Files.readString(breadcrumb).matches("\\w+/\\w+:.*"), Files.readString(breadcrumb));

    command.set(2, "-Dquern.conformance.breadcrumb=" + folder.resolve("absent/case"));
    Child refused = java(command.toArray(String[]::new));
    assertEquals(1, refused.code(), refused.out());
    assertTrue(refused.err().contains("quern.conformance.breadcrumb: "), refused.err());

    command.set(2, "-Dquern.conformance.replay=S1/swiglu:none");
    Child replayed = java(command.toArray(String[]::new));
    assertEquals(1, replayed.code(), replayed.out());
    assertFalse(replayed.err().contains("\tat "), replayed.err());
  }

  @Test
  void jarsOfBothKindsAreTested() throws IOException {
    Path plain = SwiGluJar.named("plain").build(folder);
    Path modular = SwiGluJar.named("modular").modular(LIB).build(folder);
    for (Path jar : List.of(plain, modular)) {
      Child child = modules("--jar", jar.toString(), "--operator", "swiglu", "--tries", "1");
      assertEquals(0, child.code(), child.out() + child.err());
      assertTrue(child.out().contains(jar.toString()), child.out());
    }
    Child both =
        modules(
            "--jar",
            plain.toString(),
            "--jar",
            modular.toString(),
            "--compare",
            "plain,modular",
            "--operator",
            "swiglu",
            "--tries",
            "1");
    assertEquals(0, both.code(), both.out() + both.err());
    assertTrue(both.out().contains("same bits"), both.out());
  }

  static Stream<String> waysToStop() throws IOException {
    return Stream.concat(Signals.heard("INT", "TERM").stream(), Stream.of("KILL"));
  }

  /// However a run of hours ends, its report is there, and the next one goes on with it.
  @ParameterizedTest
  @MethodSource("waysToStop")
  void aDeepRunThatIsStoppedLeavesAReportAndGoesOn(String signal) throws Exception {
    Path reports = folder.resolve("reports");
    List<String> options =
        List.of("--provider", "scalar", "--operator", "swiglu", "--deep", "--report");
    List<String> command = new ArrayList<>(List.of(Child.JAVA));
    command.addAll(words(options.toArray(String[]::new)));
    command.add(reports.toString());
    Path out = folder.resolve("stopped.out");
    Path err = folder.resolve("stopped.err");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    try {
      // Until a kernel was checked: on a slow machine the first report comes before.
      Path junit = reports.resolve("junit.xml");
      for (int i = 0; i < 1200; i++) {
        if (Files.exists(junit) && Files.readString(junit).contains("S1_")) {
          break;
        }
        Thread.sleep(100);
      }
      new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
      assertTrue(process.waitFor(1, TimeUnit.MINUTES), "it ends");
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertTrue(Files.readString(reports.resolve("report.html")).contains("deep: round "));
    if (!signal.equals("KILL")) {
      assertTrue(Files.readString(out).contains("PASSED: scalar keeps"), Files.readString(out));
      assertTrue(Files.readString(err).contains("quern: stopped; "), Files.readString(err));
      assertFalse(Files.readString(err).contains("\tat "), Files.readString(err));
    }
    List<String> again = new ArrayList<>(options);
    again.addAll(List.of(reports.toString(), "--hours", "0.0001")); // over as soon as it begins
    Child child = java(words(again.toArray(String[]::new)).toArray(String[]::new));
    assertEquals(0, child.code(), child.out() + child.err());
    assertTrue(child.err().contains("quern: goes on with deep: round "), child.err());
  }

  @Test
  void otherCommandsResolveNeitherTheSuiteNorJUnit() throws IOException {
    Child child =
        java(
            "-p",
            LIB + File.pathSeparator + SUITE,
            "--show-module-resolution",
            "-m",
            "dev.quern.cli/dev.quern.cli.Main",
            "--version");
    assertEquals(0, child.code(), child.err());
    for (String module : List.of("dev.quern.conformance", "org.junit", "net.jqwik")) {
      assertFalse(child.out().contains(module), child.out());
    }
  }

  @Test
  void withoutTheSuiteTheCommandSaysWhatToDo() throws IOException {
    Child child =
        java(
            "-p",
            LIB.toString(),
            "-m",
            "dev.quern.cli/dev.quern.cli.Main",
            "conformance",
            "--provider",
            "scalar");
    assertEquals(1, child.code(), child.err());
    assertTrue(child.err().contains("the conformance suite is not on the path"), child.err());
    assertFalse(child.err().contains("\tat "), child.err());
  }

  private Child modules(String... arguments) throws IOException {
    return java(words(arguments).toArray(String[]::new));
  }

  private static List<String> words(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "-p",
                LIB + File.pathSeparator + SUITE,
                "--add-modules",
                "dev.quern.conformance",
                Child.NATIVE_ACCESS + ",dev.quern.conformance",
                "-m",
                "dev.quern.cli/dev.quern.cli.Main",
                "conformance"));
    command.addAll(List.of(arguments));
    return command;
  }

  private Child java(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(Child.JAVA));
    command.addAll(List.of(arguments));
    return Child.run(folder, command);
  }
}
