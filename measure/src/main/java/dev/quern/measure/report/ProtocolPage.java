package dev.quern.measure.report;

import dev.quern.measure.Spread;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// A protocol's report as a page: charts, figures, who ran what, machines and commands.
public final class ProtocolPage {
  private final Report report;

  private ProtocolPage(Report report) {
    this.report = report;
  }

  /// Whether the libraries that draw charts are there; the launcher adds them for commands that
  /// need them.
  public static boolean canDraw() {
    try {
      Class.forName("org.jfree.chart.JFreeChart");
      Class.forName("de.erichseifert.vectorgraphics2d.VectorGraphics2D");
      return true;
    } catch (ClassNotFoundException _) {
      return false; // the caller says so
    }
  }

  /// Why charts have no texts here, in a few words, where [#canDraw]; empty if they have.
  public static Optional<String> missingFonts() {
    return Charts.missingFonts();
  }

  /// The page, as HTML that stands alone.
  public static String html(Report report) {
    ProtocolPage page = new ProtocolPage(report);
    StringBuilder body = new StringBuilder();
    body.append(
        Html.paragraphs(
            List.of(
                String.format(Locale.ROOT, "Protocol executorch: %s.", Protocol.EXECUTORCH.text()),
                "Bars are medians of the runs; a whisker reaches as far as the run that is farthest from the median.")));
    for (Figure figure : Figure.values()) {
      page.chart(figure).ifPresent(svg -> body.append(Html.figure(svg, caption(figure))));
    }
    body.append(Html.section("Figures", page.figures()));
    body.append(Html.section("Who ran what", page.ledgers()));
    body.append(Html.section("Environment", page.environments()));
    body.append(Html.section("Commands", Html.code(report.commands())));
    return Html.page("Quern, measured", body.toString());
  }

  /// The charts below each other, as an SVG document.
  public static String svg(Report report) {
    ProtocolPage page = new ProtocolPage(report);
    List<Charts.Svg> charts = new ArrayList<>();
    for (Figure figure : Figure.values()) {
      page.chart(figure).ifPresent(charts::add);
    }
    return SvgFile.of(charts);
  }

  private static String caption(Figure figure) {
    return String.format(
        Locale.ROOT,
        "%s in %s: %s is better.",
        figure.title(),
        figure.unit(),
        figure.moreIsBetter() ? "more" : "less");
  }

  /// Empty where a run lacks the figure: a missing bar would look like a small one.
  private Optional<Charts.Svg> chart(Figure figure) {
    List<Charts.Bar> bars = new ArrayList<>();
    for (Series series : report.series()) {
      Optional<Spread> spread = series.figure(figure);
      if (spread.isEmpty()) {
        return Optional.empty();
      }
      Spread s = spread.get();
      bars.add(
          new Charts.Bar(
              String.format(Locale.ROOT, "%s: %s", series.label(), number(s.median())),
              s.median(),
              s.min(),
              s.max(),
              bars.size()));
    }
    String id = figure.name().toLowerCase(Locale.ROOT).replace('_', '-');
    return Optional.of(
        Charts.bars(id, figure.title(), figure.unit(), List.of(new Charts.Group("", bars))));
  }

  private String figures() {
    List<String> head = new ArrayList<>(List.of("", "runs>"));
    for (Figure figure : Figure.values()) {
      head.add(String.format(Locale.ROOT, "%s, %s>", figure.title(), figure.unit()));
    }
    List<List<String>> rows = new ArrayList<>();
    Series first = report.series().getFirst();
    for (int i = 0; i < report.series().size(); i++) {
      Series series = report.series().get(i);
      List<String> row = new ArrayList<>(List.of(label(i), "" + series.runs().size()));
      for (Figure figure : Figure.values()) {
        row.add(cell(series.figure(figure), first.figure(figure)));
      }
      rows.add(row);
    }
    return Html.table(head, rows)
        + "<p class=\"note\">Median, [smallest .. largest], ratio to the first row.</p>\n";
  }

  private static String cell(Optional<Spread> figure, Optional<Spread> first) {
    return figure
        .map(f -> {
          String ratio =
              first
                  .map(b -> String.format(Locale.ROOT, "<br>x %.2f", f.median() / b.median()))
                  .orElse("");
          return String.format(
              Locale.ROOT,
              "%s<br>[%s .. %s]%s%s",
              number(f.median()),
              number(f.min()),
              number(f.max()),
              ratio,
              f.stable() ? "" : "<br>unstable");
        })
        .orElse("unknown");
  }

  private String ledgers() {
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < report.series().size(); i++) {
      Ledger ledger = report.series().get(i).ledger();
      for (Ledger.Line line : ledger.lines()) {
        rows.add(
            List.of(
                label(i),
                Html.escaped(line.operator()),
                Html.escaped(line.provider()),
                "" + line.uses(),
                Html.escaped(String.join("; ", line.variants())),
                Html.escaped(line.spec())));
      }
    }
    return Html.table(
            List.of("", "operator", "provider", "kernels>", "variants", "specification"), rows)
        + calls();
  }

  /// How often each operator's kernels were called, which is how the table above is checked.
  private String calls() {
    List<String> lines =
        report.series().stream()
            .map(s ->
                String.format(
                    Locale.ROOT,
                    "Calls while %s was timed: %s.",
                    s.label(),
                    s.ledger().calls().entrySet().stream()
                        .sorted(Map.Entry.comparingByKey())
                        .map(e -> e.getKey() + " " + e.getValue())
                        .collect(Collectors.joining(", "))))
            .toList();
    return Html.paragraphs(lines);
  }

  private String environments() {
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < report.series().size(); i++) {
      Series series = report.series().get(i);
      Run run = series.runs().getFirst();
      rows.add(
          List.of(
              label(i), Html.escaped(run.model()), series.busiest(), Html.escaped(run.machine())));
    }
    return Html.table(List.of("", "model", "load average at most>", "machine and JVM"), rows);
  }

  private String label(int i) {
    return String.format(
        Locale.ROOT,
        "<span class=\"key\" style=\"background:%s\"></span>%s",
        Charts.cssColor(i),
        Html.escaped(report.series().get(i).label()));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%,.2f" : "%,.1f", value);
  }
}
