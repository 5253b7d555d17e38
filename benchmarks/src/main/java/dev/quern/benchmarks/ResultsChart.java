package dev.quern.benchmarks;

import dev.quern.measure.report.Charts;
import dev.quern.measure.report.SvgFile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Results as bars: a chart for each workload and model, in it a group for each class of CPU, and
/// in that llama.cpp and each of Quern's providers.
final class ResultsChart {
  private static final String LLAMA_CPP = "llama.cpp";

  /// In the order of the bars, with the index of the colour that each has in all charts.
  private static final Map<String, Integer> COLORS = new LinkedHashMap<>();

  static {
    COLORS.put(LLAMA_CPP, 1);
    COLORS.put("x86", 0);
    COLORS.put("vector", 2);
    COLORS.put("kleidi", 3);
    COLORS.put("scalar", 4);
  }

  private static final int OTHER_COLOR = 5; // providers of others, and several at once

  private static final List<String> ORDER = List.copyOf(COLORS.keySet());

  private static final Comparator<String> BY_ORDER =
      Comparator.<String>comparingInt(p -> ORDER.contains(p) ? ORDER.indexOf(p) : ORDER.size())
          .thenComparing(Comparator.naturalOrder());

  private record Key(Workload workload, String model) {}

  private ResultsChart() {}

  /// An SVG document, whose charts and groups come in the results' order. Of results that are alike
  /// (workload, model, class, provider) the latest counts, and llama.cpp's bar is that of the
  /// latest in its group.
  ///
  /// @throws CompareException if the bars of a group are of several processors
  static String svg(List<Result> results) {
    List<Charts.Svg> charts = new ArrayList<>();
    by(r -> new Key(r.workload(), r.model()), results)
        .forEach((key, those) -> {
          List<Charts.Group> groups =
              by(Result::cpuClass, those).values().stream().map(ResultsChart::group).toList();
          charts.add(
              Charts.bars(
                  "chart" + (charts.size() + 1),
                  key.workload().title() + ", " + key.model(),
                  key.workload().kind().unitText(),
                  groups));
        });
    return SvgFile.of(charts);
  }

  private static <K> Map<K, List<Result>> by(Function<Result, K> key, List<Result> results) {
    return results.stream()
        .collect(Collectors.groupingBy(key, LinkedHashMap::new, Collectors.toList()));
  }

  private static Charts.Group group(List<Result> results) {
    Map<String, Result> latest = new TreeMap<>(BY_ORDER);
    by(Result::provider, results).forEach((provider, those) -> latest.put(provider, latest(those)));
    List<Result> counted = List.copyOf(latest.values());
    Result last = latest(counted);
    requireOneCpu(counted);
    List<Charts.Bar> bars = new ArrayList<>();
    bars.add(bar(LLAMA_CPP, last.theirs(), Optional.empty()));
    counted.forEach(r -> bars.add(bar(r.provider(), r.ours(), Optional.of(r.ratio()))));
    return new Charts.Group(last.cpuClass().isEmpty() ? last.cpu() : last.cpuClass(), bars);
  }

  /// Of results of one moment it is the last.
  private static Result latest(List<Result> results) {
    return results.stream().reduce((a, b) -> b.date().isBefore(a.date()) ? a : b).orElseThrow();
  }

  private static void requireOneCpu(List<Result> group) {
    List<String> cpus = group.stream().map(Result::cpu).distinct().toList();
    if (cpus.size() > 1) {
      Result first = group.getFirst();
      throw new CompareException(
          String.format(
              Locale.ROOT,
              "class '%s', %s, %s: results of %s, expected one processor; measure all providers on one, or give each its own --class",
              first.cpuClass(),
              first.workload().name(),
              first.model(),
              String.join(" and ", cpus)));
    }
  }

  private static Charts.Bar bar(String engine, Summary figure, Optional<Summary> ratio) {
    String label =
        String.format(
            Locale.ROOT,
            "%s: " + (figure.median() < 10 ? "%.2f" : "%.1f") + "%s",
            engine,
            figure.median(),
            ratio
                .map(r -> String.format(Locale.ROOT, " (%.2f × %s)", r.median(), LLAMA_CPP))
                .orElse(""));
    return new Charts.Bar(
        label,
        figure.median(),
        figure.min(),
        figure.max(),
        COLORS.getOrDefault(engine, OTHER_COLOR));
  }
}
