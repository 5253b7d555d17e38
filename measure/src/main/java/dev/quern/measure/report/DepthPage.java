package dev.quern.measure.report;

import dev.quern.measure.BenchPlan;
import dev.quern.measure.BenchResult;
import dev.quern.measure.Spread;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/// What a token costs after more and more context: curve, table, who ran what, machine and command.
public final class DepthPage {
  private final List<BenchResult> results; // by rising depth

  private DepthPage(List<BenchResult> results) {
    this.results = results;
  }

  /// The page, as HTML that stands alone.
  ///
  /// @param results of one model, by rising depth
  /// @param command that made them
  public static String html(List<BenchResult> results, String command) {
    DepthPage page = new DepthPage(results);
    BenchResult last = results.getLast();
    StringBuilder body = new StringBuilder();
    body.append(
        Html.paragraphs(
            List.of(
                String.format(
                    Locale.ROOT,
                    "%s, %d threads, %s context.",
                    last.model(),
                    last.threads(),
                    page.fill()),
                "Points are medians; a whisker reaches from the fastest repetition to the slowest.")));
    for (Charts.Svg chart : page.charts()) {
      body.append(Html.figure(chart, "Time of a token by tokens of context; less is better."));
    }
    body.append(Html.section("Figures", page.table()));
    body.append(Html.section("Who ran what", Html.code(List.of(last.kernels().text()))));
    body.append(
        Html.section(
            "Environment",
            Html.paragraphs(
                List.of(
                    String.format(
                        Locale.ROOT,
                        "%s, %d processors; %s %s",
                        last.environment().cpu(),
                        last.environment().processors(),
                        last.environment().jvm(),
                        String.join(" ", last.environment().jvmOptions()))))));
    body.append(Html.section("Command", Html.code(List.of(command))));
    return Html.page("Cost of a token by context", body.toString());
  }

  /// The charts below each other, as an SVG document.
  public static String svg(List<BenchResult> results) {
    return SvgFile.of(new DepthPage(results).charts());
  }

  private String fill() {
    return results.getLast().plan().fill() == BenchPlan.Fill.NOISE
        ? "random keys and values as"
        : "random tokens as";
  }

  private List<Charts.Svg> charts() {
    List<Charts.Svg> charts = new ArrayList<>();
    curve("decode", "Decode", 0, BenchResult::decodeTokensPerSecond).ifPresent(charts::add);
    curve("prefill", "Prefill", 1, BenchResult::prefillTokensPerSecond).ifPresent(charts::add);
    return charts;
  }

  private Optional<Charts.Svg> curve(
      String id, String title, int color, Function<BenchResult, Optional<Spread>> rate) {
    List<Charts.Point> points = new ArrayList<>();
    for (BenchResult r : results) {
      rate.apply(r)
          .ifPresent(s ->
              points.add(
                  new Charts.Point(
                      r.plan().depth(), 1e3 / s.median(), 1e3 / s.max(), 1e3 / s.min())));
    }
    return points.isEmpty()
        ? Optional.empty()
        : Optional.of(Charts.curve(id, title + ", ms a token", "tokens of context", color, points));
  }

  private String table() {
    return Html.table(
        List.of("depth>", "prefill, ms a token>", "decode, ms a token>", "decode, tokens/s>"),
        results.stream()
            .map(r ->
                List.of(
                    String.format(Locale.ROOT, "%,d", r.plan().depth()),
                    cell(r.prefillTokensPerSecond().map(s -> 1e3 / s.median())),
                    cell(r.decodeTokensPerSecond().map(s -> 1e3 / s.median())),
                    cell(r.decodeTokensPerSecond().map(Spread::median))))
            .toList());
  }

  private static String cell(Optional<Double> value) {
    return value.map(v -> String.format(Locale.ROOT, "%.2f", v)).orElse("none");
  }
}
