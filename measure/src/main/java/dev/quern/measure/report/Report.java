package dev.quern.measure.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A report that may be shown: of every run it is known what computed it.
///
/// @param commands how the runs were made
/// @param series by label, in the order of the first runs
public record Report(List<String> commands, List<Series> series) {
  public Report {
    commands = List.copyOf(commands);
    series = List.copyOf(series);
  }

  /// Puts runs together; those of different files are never one series.
  ///
  /// @throws ReportException if runs of one label were computed by different kernels
  public static Report of(List<ReportFile> files) {
    Map<String, List<Run>> byLabel = new LinkedHashMap<>();
    for (ReportFile file : files) {
      String suffix = files.size() == 1 ? "" : String.format(Locale.ROOT, " [%s]", file.name());
      for (Run run : file.runs()) {
        byLabel.computeIfAbsent(run.label() + suffix, _ -> new ArrayList<>()).add(run);
      }
    }
    List<Series> series = new ArrayList<>();
    byLabel.forEach((label, runs) -> series.add(new Series(label, runs)));
    return new Report(files.stream().map(ReportFile::command).toList(), series);
  }
}
