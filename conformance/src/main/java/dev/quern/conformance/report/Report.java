package dev.quern.conformance.report;

import dev.quern.conformance.Comparison;
import dev.quern.files.NewFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a run of the command has found. All reports are pure functions of it.
///
/// @param environment where and when
/// @param tested the provider that the suite ran on; empty if two were only compared
/// @param comparison where two providers differ; empty if they were not compared
/// @param cost what it took; empty where nobody has measured
/// @since 0.1
/// @stability api
public record Report(
    Environment environment,
    Optional<Tested> tested,
    Optional<Comparison> comparison,
    Optional<Cost> cost) {
  private static final String HTML = "report.html";
  private static final String JSON = "report.json";
  private static final String JUNIT = "junit.xml";

  /// A report without what it took.
  public Report(Environment environment, Optional<Tested> tested, Optional<Comparison> comparison) {
    this(environment, tested, comparison, Optional.empty());
  }

  /// Whether everything is as it must be.
  public boolean green() {
    return tested.map(Tested::green).orElse(true)
        && comparison.map(Comparison::green).orElse(true)
        && (tested.isPresent() || comparison.isPresent());
  }

  /// The summary for a terminal.
  public String text() {
    return TextReport.of(this);
  }

  /// Before the work, what would fail after it: makes the folder that [#write] will write to.
  ///
  /// @throws IOException if the folder or a file in it can't be written
  public static void prepare(Path folder) throws IOException {
    Files.createDirectories(folder);
    for (Path file : files(folder)) {
      NewFile.check(file, true);
    }
  }

  /// What [#write] may write.
  public static List<Path> files(Path folder) {
    return List.of(folder.resolve(HTML), folder.resolve(JSON), folder.resolve(JUNIT));
  }

  /// Writes `report.html`, `report.json` and, if the suite ran on a provider, `junit.xml`.
  ///
  /// @return the files
  public List<Path> write(Path folder) throws IOException {
    Files.createDirectories(folder);
    List<Path> files = new ArrayList<>();
    files.add(write(folder.resolve(HTML), HtmlReport.of(this)));
    files.add(write(folder.resolve(JSON), JsonReport.of(this)));
    if (tested.isPresent()) {
      files.add(write(folder.resolve(JUNIT), JUnitReport.of(environment, tested.get())));
    }
    return files;
  }

  private static Path write(Path file, String text) throws IOException {
    // Not writeString, which throws at a lone surrogate: a provider's words must not cost the
    // report.
    NewFile.write(file, text.getBytes(StandardCharsets.UTF_8));
    return file;
  }
}
