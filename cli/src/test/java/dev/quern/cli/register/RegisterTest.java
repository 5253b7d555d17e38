package dev.quern.cli.register;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.register.Verification.Kind;
import dev.quern.cli.register.Verification.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The register in docs/register: what lies there was not edited, holds by itself, and is what its
/// page says. That a suite has changed since makes no report wrong, and a waiver that ends makes no
/// build red: both are printed, and `quern conformance verify` refuses both.
class RegisterTest {
  private static final Path FOLDER = Path.of("../docs/register");
  private static final Path FOREIGN = Path.of("../conformance/foreign/src");

  static List<Path> reports() throws IOException {
    return RegisterPage.reports(FOLDER);
  }

  @ParameterizedTest
  @MethodSource("reports")
  void aReportHoldsByItself(Path report) throws IOException {
    ClaimFile file = ClaimFile.read(report);
    LocalDate made = LocalDate.ofInstant(file.claim().run().when(), ZoneOffset.UTC);
    List<Problem> problems = new ArrayList<>(Verification.of(file, SuiteHash.here(), made));
    if (problems.removeIf(p -> p.kind() == Kind.SUITE)) {
      System.out.printf(
          Locale.ROOT,
          "[quern] RegisterTest: another suite made %s, so the must-pass list is left out; conformance/foreign/renew makes all reports anew%n",
          report.getFileName());
    }
    assertEquals(List.of(), problems);
    LocalDate today = LocalDate.now(ZoneOffset.UTC);
    file.claim().waivers().stream()
        .filter(w -> !w.holds(today))
        .forEach(w -> System.out.printf(Locale.ROOT, "[quern] RegisterTest: over: %s%n", w));
  }

  @Test
  void thePageIsWhatTheReportsSay() throws IOException {
    assertEquals(
        Files.readString(FOLDER.resolve("README.md")),
        RegisterPage.of(FOLDER),
        "./quern conformance register docs/register writes it");
  }

  @Test
  void aReportIsSmall() throws IOException {
    assertFalse(reports().isEmpty());
    for (Path report : reports()) {
      assertTrue(Files.size(report) < 64 << 10, report + ": " + Files.size(report) + " bytes");
    }
  }

  /// They run against libraries that are not here; that they compile is seen everywhere.
  @Test
  void foreignProvidersCompile(@TempDir Path classes) throws IOException {
    List<String> javac = new ArrayList<>(List.of("-proc:none"));
    javac.addAll(List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path")));
    try (Stream<Path> files = Files.walk(FOREIGN)) {
      files.map(Path::toString).filter(f -> f.endsWith(".java")).sorted().forEach(javac::add);
    }
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(System.out, System.err, javac.toArray(String[]::new));
    assertEquals(0, code, "javac " + javac);
  }
}
