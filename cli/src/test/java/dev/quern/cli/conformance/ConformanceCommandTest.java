package dev.quern.cli.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.cli.Quern;
import dev.quern.cli.SwiGluJar;
import dev.quern.cli.TinyFolder;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `quern conformance` in this JVM: on the scalar provider, and on JARs that were compiled a moment
/// ago.
class ConformanceCommandTest {
  @TempDir static Path folder;

  private static Path good;
  private static Path wrong;

  @BeforeAll
  static void compileProviders() throws IOException {
    good = SwiGluJar.named("good").build(folder);
    wrong = SwiGluJar.named("wrong").factor("1.01f").build(folder);
  }

  @Test
  void aProviderThatKeepsTheSpecificationPasses() throws IOException {
    Path reports = folder.resolve("reports");
    Quern result =
        conformance("--provider scalar --operator swiglu,rope --tries 2 --report " + reports);
    assertEquals(0, result.code(), result.out() + result.err());
    assertTrue(result.out().contains("PASSED: scalar keeps the specification"), result.out());
    assertTrue(result.out().contains("2 tries for each rule and format, seed 1"), result.out());
    assertFalse(result.out().contains("linear"), result.out());
    JsonNode json = new ObjectMapper().readTree(reports.resolve("report.json").toFile());
    assertTrue(json.get("green").asBoolean());
    assertEquals(2, json.at("/tested/tries").asInt());
    assertTrue(Files.readString(reports.resolve("report.html")).contains("scalar"));
    assertTrue(Files.readString(reports.resolve("junit.xml")).contains("S1_exact [F32]"));
    assertTrue(result.err().lines().allMatch(l -> l.startsWith("quern: wrote ")), result.err());
  }

  @Test
  void whereAReportCantGoIsSaidBeforeTheSuiteRuns() throws IOException {
    Path file = Files.writeString(folder.resolve("a-file"), "precious");
    Quern result = conformance("--provider scalar --report " + file);
    assertEquals(1, result.code(), result.out());
    assertEquals(1, result.err().lines().count(), result.err());
    assertTrue(result.err().contains("--report: " + file + ", expected a folder"), result.err());
    assertEquals("precious", Files.readString(file));
    Path reports = Files.createDirectories(folder.resolve("linked"));
    Files.createSymbolicLink(reports.resolve("report.json"), file);
    Quern linked = conformance("--provider scalar --report " + reports);
    assertEquals(1, linked.code(), linked.out());
    assertTrue(linked.err().contains("report.json is a symbolic link to"), linked.err());
    assertEquals("precious", Files.readString(file));
  }

  @Test
  void aJarWithOneProviderNeedsNoName() {
    Quern result = conformance("--tries 2 --jar " + good);
    assertEquals(0, result.code(), result.out() + result.err());
    assertTrue(result.out().contains("good unknown, " + good), result.out());
    assertTrue(result.out().contains("linear     F32 exact-f32"), result.out());
    assertTrue(
        result.out().contains("not implemented"), "declined with its reason: " + result.out());
    assertTrue(result.out().contains("kinds of spec: 1 accepted"), result.out());
  }

  @Test
  void aWrongProviderFailsAndItsFailureIsReplayed() {
    Quern result = conformance("--tries 2 --operator swiglu --jar " + wrong);
    assertEquals(1, result.code(), result.out());
    assertTrue(result.out().contains("S1 broken by provider wrong: swiglu F32"), result.out());
    assertTrue(
        result.out().contains("FAILED: wrong does not keep the specification"), result.out());
    String command =
        result
            .out()
            .lines()
            .map(String::strip)
            .filter(l -> l.startsWith("replay "))
            .findFirst()
            .orElseThrow()
            .replaceFirst("replay +\\./quern conformance ", "");
    assertTrue(command.contains("--jar " + wrong), command);
    Quern replayed = conformance(command);
    assertEquals(1, replayed.code(), replayed.out());
    assertEquals(
        1, replayed.out().split("broken by provider wrong", -1).length - 1, replayed.out());
    assertEquals(
        0, conformance(command.replace("wrong", "good")).code(), "the same case, done right");
  }

  @Test
  void supportIsDeclaredAndNotGuessed() throws IOException {
    Path silent = SwiGluJar.named("silent").support(null).build(folder);
    Quern missing = conformance("--tries 1 --operator swiglu --jar " + silent);
    assertEquals(1, missing.code(), missing.out());
    assertTrue(missing.out().contains("META-INF/quern/silent.support"), missing.out());
    assertTrue(missing.out().contains("What it accepts here would be declared as"), missing.out());
    assertTrue(missing.out().lines().anyMatch("  swiglu silu"::equals), missing.out());

    Path boasting = SwiGluJar.named("boasting").support("swiglu\nrmsnorm\n").build(folder);
    Quern more = conformance("--tries 1 --operator swiglu,rmsnorm --jar " + boasting);
    assertEquals(1, more.code(), more.out());
    assertTrue(more.out().contains("declined: not implemented"), more.out());

    Path modest = SwiGluJar.named("modest").support("rmsnorm if never\n").build(folder);
    Quern less = conformance("--tries 1 --operator swiglu --jar " + modest);
    assertEquals(1, less.code(), less.out());
    assertTrue(less.out().contains("does not declare it"), less.out());

    Path misspelt = SwiGluJar.named("misspelt").support("swiglu\nlinear Q9_9\n").build(folder);
    Quern unknown = conformance("--tries 1 --operator swiglu --jar " + misspelt);
    assertEquals(1, unknown.code(), unknown.out());
    assertTrue(unknown.out().contains("misspelt.support:2: unknown name 'Q9_9'"), unknown.out());
  }

  @Test
  void aProviderThatAcceptsNothingFails() throws IOException {
    Path lazy = SwiGluJar.named("lazy").declining().support("").build(folder);
    for (String operators : List.of("", "--operator swiglu ")) {
      Quern result = conformance("--tries 1 " + operators + "--jar " + lazy);
      assertEquals(1, result.code(), result.out());
      assertTrue(result.out().contains("FAILED: lazy accepted nothing"), result.out());
    }
    // One operator that it declines, though it has others: nothing was checked either.
    Quern result = conformance("--tries 1 --operator rope --jar " + good);
    assertEquals(1, result.code(), result.out());
  }

  @Test
  void anUnavailableProviderSaysWhyAndWhatHelps() throws IOException {
    Path needy =
        SwiGluJar.named("needy").unavailable("no accelerator", "install one").build(folder);
    for (String name : List.of("", "--provider needy ")) {
      Quern result = conformance(name + "--jar " + needy);
      assertEquals(1, result.code(), result.out());
      assertEquals(
          String.format(
              Locale.ROOT,
              "quern: provider needy (%s) is unavailable: no accelerator. Remedy: install one",
              needy),
          result.err().strip());
      assertEquals("", result.out());
    }
  }

  @Test
  void twoProvidersAreCompared() throws IOException {
    Path reports = folder.resolve("compared");
    Quern result =
        conformance(
            String.format(
                Locale.ROOT,
                "--compare scalar,good --operator swiglu --tries 2 --jar %s --report %s",
                good,
                reports));
    assertEquals(0, result.code(), result.out() + result.err());
    assertTrue(result.out().contains("COMPARED: scalar and good on "), result.out());
    JsonNode json = new ObjectMapper().readTree(reports.resolve("report.json").toFile());
    assertEquals("good", json.at("/comparison/second").asText());
    assertTrue(json.at("/comparison/differences/0/cases").asInt() > 0);

    Quern broken = conformance("--compare scalar,wrong --operator swiglu --tries 2 --jar " + wrong);
    assertEquals(1, broken.code(), broken.out());
    assertTrue(broken.out().contains("BROKEN: wrong is out of its bound"), broken.out());
  }

  @Test
  void helpNamesAllOptions() {
    Quern result = conformance("--help");
    assertEquals(0, result.code(), result.err());
    for (String option :
        List.of(
            "--provider",
            "--jar",
            "--operator",
            "--tries",
            "--seed",
            "--replay",
            "--report",
            "--quick",
            "--deep",
            "--hours",
            "--state",
            "--models")) {
      assertTrue(result.out().contains(option), result.out());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "|2|which provider?",
        "--compare scalar|2|--compare=scalar, expected two names",
        "--compare scalar,scalar|2|expected two names",
        "--compare scalar,scalr|1|no provider scalr, found",
        "--provider scalr|1|no provider scalr, found",
        "--provider scalar --operator lineal|1|--operator=lineal, expected some of [provider, linear",
        "--provider scalar --tries -1|1|tries=-1, expected >= 0",
        "--provider scalar --tries x|2|x",
        "--provider scalar --replay nonsense|1|replay 'nonsense', expected RULE/OPERATOR:CASE",
        "--provider scalar --replay S1/lineal:x=1|1|no such operator",
        "--provider scalar --replay S1/swiglu:x=1|1|SwiGluCase",
        "--compare scalar,GOOD --jar absent.jar|1|absent.jar is missing",
        "--provider scalar --quick --deep|2|--quick and --deep, expected one of the two",
        "--provider scalar --quick --replay S1/swiglu:x=1|2|--quick and --replay",
        "--provider scalar --deep --replay S1/swiglu:x=1|2|--deep and --replay",
        "--provider scalar --deep --compare scalar,vector|2|--deep and --compare",
        "--provider scalar --deep|2|expected --report DIR or --state FILE",
        "--provider scalar --hours 3|2|--hours without --deep",
        "--provider scalar --state f|2|--state without --deep",
        "--provider scalar --deep --state f --hours 0|2|--hours=0.0, expected more than 0",
        "--provider scalar --deep --state no-such-folder/f|1|--state: no-such-folder/f: no folder",
        "--compare scalar,vector --models m|2|--models and --compare without --provider",
        "--provider scalar --models m.gguf --replay S1/swiglu:x=1|2|--models and --replay",
        "--provider scalar --models no-such.gguf|1|no-such.gguf",
      })
  void mistakesGetOneClearLine(String arguments, int code, String part) {
    Quern result = conformance(arguments == null ? "" : arguments);
    assertEquals(code, result.code(), result.out() + result.err());
    assertTrue(result.err().contains(part), result.err());
    assertTrue(result.err().startsWith("quern: "), result.err());
    assertFalse(result.err().contains("\tat "), result.err());
    assertEquals("", result.out());
  }

  @Test
  void jarsWithoutOrWithSeveralProvidersAreExplained() throws IOException {
    Path empty =
        SwiGluJar.jar(folder.resolve("empty.jar"), Files.createDirectory(folder.resolve("e")));
    Quern none = conformance("--jar " + empty);
    assertEquals(1, none.code());
    assertTrue(none.err().contains("no provider in [" + empty + "]"), none.err());
    Quern two = conformance(String.format(Locale.ROOT, "--jar %s --jar %s", good, wrong));
    assertEquals(1, two.code());
    assertTrue(two.err().contains("2 providers in"), two.err());
    assertTrue(two.err().contains("good, wrong"), two.err());
    assertEquals(
        0,
        conformance(
                String.format(
                    Locale.ROOT, "--provider good --tries 0 --jar %s --jar %s", good, wrong))
            .code());
    Path broken = Files.writeString(folder.resolve("broken.jar"), "no zip");
    assertEquals(1, conformance("--jar " + broken).code());
  }

  @Test
  void aModelsSpecsAreTestedToo() throws IOException {
    Path one = SharedFiles.file("models/stories260K-Q4_0.gguf");
    Path two = TinyFolder.write(folder.resolve("tiny"));
    Path reports = folder.resolve("models");
    Quern result =
        conformance(
            String.format(
                Locale.ROOT,
                "--provider scalar --operator rope,swiglu,linear --tries 0 --models %s,%s --report %s",
                one,
                two,
                reports));
    assertEquals(0, result.code(), result.out() + result.err());
    assertTrue(
        result.out().contains(String.format(Locale.ROOT, "what %s needs:%n", one)), result.out());
    JsonNode models =
        new ObjectMapper().readTree(reports.resolve("report.json").toFile()).at("/tested/models");
    for (Path model : List.of(one, two)) {
      List<String> operators = new ArrayList<>();
      for (JsonNode m : models) {
        if (m.get("model").asText().equals(model.toString())) {
          operators.add(m.get("operator").asText());
          assertTrue(m.get("passes").asInt() > 0, m.toString());
          assertEquals(0, m.get("failures").asInt(), m.toString());
        }
      }
      assertTrue(operators.containsAll(List.of("rope", "swiglu", "linear")), models.toString());
    }
  }

  @Test
  void whatIsNoModelIsRefusedInOneLineBeforeTheSuiteRuns() throws IOException {
    Path text = Files.writeString(folder.resolve("text.gguf"), "no model");
    for (Path model : List.of(text, folder.resolve("absent.gguf"))) {
      Quern result = conformance("--provider scalar --models " + model);
      assertEquals(1, result.code(), result.out() + result.err());
      assertEquals(1, result.err().lines().count(), result.err());
      assertTrue(result.err().contains(model.toString()), result.err());
      assertEquals("", result.out());
    }
  }

  @Test
  void aQuickRunSaysWhatItLeavesOut() {
    Quern quick = conformance("--provider scalar --operator swiglu --quick");
    assertEquals(0, quick.code(), quick.out() + quick.err());
    assertTrue(quick.out().contains("2 tries for each rule and format"), quick.out());
    assertTrue(quick.out().contains("quick: 2 tries in place of 20"), quick.out());
    Quern told = conformance("--provider scalar --operator swiglu --quick --tries 1");
    assertTrue(told.out().contains("1 tries for each rule and format"), told.out());
  }

  @Test
  void aDeepRunReportsAndIsKept() throws IOException {
    Path reports = folder.resolve("deep");
    String command =
        String.format(
            Locale.ROOT,
            "--provider %%s --operator swiglu --tries 2 --deep --hours 0.0007 --report %s --jar %s --jar %s",
            reports,
            good,
            wrong);
    Quern first = conformance(String.format(Locale.ROOT, command, "good"));
    assertEquals(0, first.code(), first.out() + first.err());
    assertTrue(first.out().contains("deep: round "), first.out());
    assertTrue(Files.exists(reports.resolve("deep.state")));
    JsonNode json = new ObjectMapper().readTree(reports.resolve("report.json").toFile());
    assertTrue(json.at("/environment/seconds").asDouble() >= 2);
    long passes = json.at("/tested/passes").asLong();
    Quern over = conformance(String.format(Locale.ROOT, command, "good"));
    assertTrue(over.err().contains("goes on with deep: round "), over.err());
    assertTrue(over.out().contains(String.format(Locale.ROOT, "%,d passed", passes)), over.out());
    Quern other = conformance(String.format(Locale.ROOT, command, "wrong"));
    assertEquals(1, other.code(), other.out());
    assertTrue(other.err().contains("is the state of another run"), other.err());

    Files.delete(reports.resolve("deep.state"));
    Quern failing = conformance(String.format(Locale.ROOT, command, "wrong"));
    assertEquals(1, failing.code(), failing.out());
    // Once; cases at the sizes of models break it, too, where the hours reach them.
    assertEquals(1, failing.err().split("found as  S1_exact/", -1).length - 1, failing.err());
    assertTrue(failing.out().contains("FAILED: wrong does not keep"), failing.out());
    Quern mixed =
        conformance(
            String.format(
                Locale.ROOT,
                "--provider scalar --deep --report %s --state %s",
                reports,
                reports.resolve("report.json")));
    assertEquals(1, mixed.code(), mixed.out());
    assertTrue(mixed.err().contains("is what --report names"), mixed.err());
  }

  /// @param arguments separated by blanks; paths here have none
  private static Quern conformance(String arguments) {
    return Quern.run(("conformance " + arguments).strip().split(" +"));
  }
}
