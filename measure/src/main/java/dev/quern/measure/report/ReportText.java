package dev.quern.measure.report;

import dev.quern.measure.Spread;
import java.util.Locale;
import java.util.Optional;

/// A report for a terminal.
public final class ReportText {
  private ReportText() {}

  /// A table of the figures, then who ran what, then the machines; ends with a line's end.
  public static String of(Report report) {
    StringBuilder text = new StringBuilder();
    int width = report.series().stream().mapToInt(s -> s.label().length()).max().orElse(0);
    line(text, "%s", Protocol.EXECUTORCH.text());
    line(text, "median [smallest .. largest] of the runs; x: ratio to the first row's median%n");
    for (Figure figure : Figure.values()) {
      line(text, "%s, %s", figure.title(), figure.unit());
      Optional<Spread> first = report.series().getFirst().figure(figure);
      for (Series series : report.series()) {
        line(text, "  %-" + width + "s  %s", series.label(), cell(series.figure(figure), first));
      }
    }
    line(text, "%nwho ran what");
    for (Series series : report.series()) {
      line(text, "  %-" + width + "s  %s", series.label(), series.ledger().summary());
    }
    line(text, "%nenvironment");
    report.series().stream()
        .map(s -> s.runs().getFirst().machine())
        .distinct()
        .forEach(machine -> line(text, "  %s", machine));
    for (Series series : report.series()) {
      line(
          text,
          "  %-" + width + "s  load average before a run at most %s",
          series.label(),
          series.busiest());
    }
    return text.toString();
  }

  private static String cell(Optional<Spread> figure, Optional<Spread> first) {
    if (figure.isEmpty()) {
      return "     unknown";
    }
    Spread f = figure.get();
    String spread =
        f.samples().length == 1
            ? "(one run)"
            : format("[%.1f .. %.1f] of %d", f.min(), f.max(), f.samples().length);
    String ratio = first.map(b -> format("%6.2f x", f.median() / b.median())).orElse("        ");
    return format("%12.1f %s  %s%s", f.median(), ratio, spread, f.stable() ? "" : "  UNSTABLE");
  }

  private static void line(StringBuilder text, String format, Object... arguments) {
    text.append(format(format, arguments)).append(System.lineSeparator());
  }

  private static String format(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }
}
