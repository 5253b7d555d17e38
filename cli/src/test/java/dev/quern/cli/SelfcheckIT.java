package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `quern selfcheck` on providers from outside the build, one of them deliberately wrong.
class SelfcheckIT {
  private static final Path LIB = Path.of(System.getProperty("quern.lib"));
  private static final Path SUITE = Path.of(System.getProperty("quern.conformance.lib"));

  @TempDir Path folder;

  @Test
  void aWrongVariantIsRecordedDeclinedReportedAndForgotten() throws IOException {
    Path jar = SwiGluJar.named("hasty").factor("1.01f").modular(LIB).build(folder);
    Child check = quern(jar, "selfcheck", "--provider", "hasty");
    assertEquals(1, check.code(), check.out() + check.err());
    assertTrue(check.out().contains("WRONG: SwiGluSpec"), check.out());
    assertTrue(check.out().contains("hasty: 0 of 1 variants right"), check.out());
    assertTrue(Files.readString(results()).contains("variant  = plain"), check.out());

    // Behind `scalar` it is never asked; before it, it would run.
    List<String> selection = List.of("-Dquern.provider=hasty,scalar");
    Child explain = quern(selection, jar, "explain");
    assertEquals(0, explain.code(), explain.err());
    assertTrue(explain.out().contains("not hasty: selfcheck found variant plain"), explain.out());
    Child run = quern(selection, jar, "run", "--prompt", "Once upon a time", "--max-tokens", "5");
    assertEquals("Once upon a time, there was", run.out().substring(0, 27), run.err());
    assertEquals(
        1,
        run.err().lines().filter(l -> l.contains("selfcheck found variant plain")).count(),
        run.err());

    Child clear = quern(jar, "selfcheck", "--clear");
    assertEquals(0, clear.code(), clear.err());
    assertFalse(Files.exists(results()));
    assertFalse(quern(selection, jar, "explain").out().contains("not hasty: selfcheck"));
  }

  @Test
  void aRightProviderPassesAndLeavesNoFile() throws IOException {
    Path jar = SwiGluJar.named("right").modular(LIB).build(folder);
    Child check = quern(jar, "selfcheck", "--provider", "right");
    assertEquals(0, check.code(), check.out() + check.err());
    assertTrue(check.out().contains("right: 1 of 1 variants right"), check.out());
    assertFalse(Files.exists(results()));
  }

  @Test
  void aNewJarIsAskedAgain() throws IOException {
    Path jar = SwiGluJar.named("hasty").factor("1.01f").modular(LIB).build(folder);
    assertEquals(1, quern(jar, "selfcheck", "--provider", "hasty").code());
    SwiGluJar.named("hasty").modular(LIB).build(folder);
    Child explain = quern(List.of("-Dquern.provider=hasty,scalar"), jar, "explain");
    assertTrue(explain.out().contains("plain"), explain.out());
    assertFalse(explain.out().contains("not hasty: selfcheck"), explain.out());
  }

  @Test
  void aBrokenResultsFileIsOneClearLine() throws IOException {
    Files.writeString(results(), "nonsense\n");
    Path jar = SwiGluJar.named("right").modular(LIB).build(folder);
    for (List<String> command :
        List.of(List.of("explain"), List.of("selfcheck", "--provider", "right"))) {
      Child child = quern(jar, command.toArray(String[]::new));
      assertEquals(1, child.code(), child.out());
      String message = child.err().replace(Child.INCUBATOR_WARNING, "").strip();
      assertEquals(1, message.lines().count(), message);
      assertTrue(message.startsWith("quern: selfcheck results " + results()), message);
    }
    assertEquals(0, quern(jar, "selfcheck", "--clear").code());
  }

  @Test
  void withoutC2ThereIsNothingToCheck() throws IOException {
    Path jar = SwiGluJar.named("right").modular(LIB).build(folder);
    Child child = quern(List.of("-XX:TieredStopAtLevel=1"), jar, "selfcheck");
    assertEquals(1, child.code(), child.out());
    assertTrue(child.err().contains("errors of the C2 compiler"), child.err());
  }

  @Test
  void anAbsentProviderIsAMistake() throws IOException {
    Path jar = SwiGluJar.named("right").modular(LIB).build(folder);
    Child child = quern(jar, "selfcheck", "--provider", "rihgt");
    assertEquals(1, child.code(), child.out());
    assertTrue(child.err().contains("rihgt"), child.err());
    assertTrue(child.err().contains("right, scalar"), child.err());
  }

  private Path results() {
    return folder.resolve("results");
  }

  private Child quern(Path jar, String... arguments) throws IOException {
    return quern(List.of(), jar, arguments);
  }

  private Child quern(List<String> jvm, Path jar, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(Child.JAVA));
    command.addAll(jvm);
    command.addAll(
        List.of(
            "-Dquern.selfcheck.file=" + results(),
            "-p",
            String.join(File.pathSeparator, LIB.toString(), SUITE.toString(), jar.toString()),
            "--add-modules",
            "dev.quern.conformance",
            Child.NATIVE_ACCESS,
            "-m",
            "dev.quern.cli/dev.quern.cli.Main"));
    command.addAll(List.of(arguments));
    return Child.run(folder, command);
  }
}
