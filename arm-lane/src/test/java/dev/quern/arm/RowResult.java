package dev.quern.arm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What became of one test of a row; a line of the row's results.
///
/// @param millis how long it took; 0 if it only began
/// @param className the test's class
/// @param name the test's name within it
/// @param reason why it failed or was left out; else empty
record RowResult(Status status, long millis, String className, String name, String reason) {
  enum Status {
    BEGUN,
    PASSED,
    SKIPPED,
    FAILED
  }

  static RowResult begun(String className, String name) {
    return new RowResult(Status.BEGUN, 0, className, name, "");
  }

  /// Five columns between tabs.
  String line() {
    return String.join(
        "\t",
        status.name(),
        Long.toString(millis),
        escaped(className),
        escaped(name),
        escaped(reason));
  }

  /// What a row wrote. A test that began and did not end, since its process did, counts as failed.
  ///
  /// @param end how the process ended, for such a test's reason
  static List<RowResult> read(Path file, String end) throws IOException {
    List<RowResult> results = new ArrayList<>();
    RowResult running = null;
    for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
      RowResult result = parse(line);
      if (result.status == Status.BEGUN) {
        running = result;
      } else {
        results.add(result);
        running = null;
      }
    }
    if (running != null) {
      results.add(
          new RowResult(Status.FAILED, 0, running.className, running.name, "no end: " + end));
    }
    return results;
  }

  private static RowResult parse(String line) {
    String[] columns = line.split("\t", -1);
    if (columns.length != 5) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "a row's results: '%s', expected 5 columns", line));
    }
    return new RowResult(
        Status.valueOf(columns[0]),
        Long.parseLong(columns[1]),
        columns[2].translateEscapes(),
        columns[3].translateEscapes(),
        columns[4].translateEscapes());
  }

  private static String escaped(String text) {
    return text.replace("\\", "\\\\")
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace("\t", "\\t");
  }
}
