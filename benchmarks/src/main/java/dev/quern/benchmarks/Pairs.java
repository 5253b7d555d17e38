package dev.quern.benchmarks;

import dev.quern.measure.Spread;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// Alternating runs of both engines at one workload: the i-th of one and the i-th of the other ran
/// one after the other, so what the machine did meanwhile is in both.
///
/// @param workload what ran
/// @param model the file's name
/// @param ours Quern's figures, by pair
/// @param theirs llama.cpp's, by pair
record Pairs(Workload workload, String model, List<Double> ours, List<Double> theirs) {
  /// Markdown of the table's head.
  static final String HEAD =
      """
      | workload | model | unit | Quern | llama.cpp | Quern / llama.cpp |
      |---|---|---|---|---|---|
      """;

  Pairs {
    ours = List.copyOf(ours);
    theirs = List.copyOf(theirs);
    if (ours.isEmpty() || ours.size() != theirs.size()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "pairs: %d of ours and %d of theirs, expected as many of both, at least one",
              ours.size(),
              theirs.size()));
    }
  }

  /// The ratio of each pair: the median of these is the result, and not the ratio of the medians.
  Spread ratios() {
    return new Spread(
        IntStream.range(0, ours.size()).mapToDouble(i -> ours.get(i) / theirs.get(i)).toArray());
  }

  /// What a file keeps of them, as of now.
  Result result(String cpu, String cpuClass, String provider, LlamaCppEngine.Build llamaCpp) {
    return new Result(
        Instant.now().truncatedTo(ChronoUnit.SECONDS),
        cpu,
        cpuClass,
        provider,
        workload,
        model,
        Summary.of(spread(ours)),
        Summary.of(spread(theirs)),
        Summary.of(ratios()),
        ours.size(),
        llamaCpp);
  }

  /// A row of Markdown: medians with `[min .. max]`.
  String row() {
    return String.format(
        Locale.ROOT,
        "| %s | %s | %s | %s | %s | **%s** |",
        workload.name(),
        model,
        workload.kind().unitText(),
        text(spread(ours)),
        text(spread(theirs)),
        text(ratios()));
  }

  private static Spread spread(List<Double> figures) {
    return new Spread(figures.stream().mapToDouble(f -> f).toArray());
  }

  private static String text(Spread s) {
    // Three digits tell a few per cent apart in a ratio, and in whole MiB or tok/s.
    int digits = s.max() >= 1000 ? 0 : s.max() >= 100 ? 1 : 2;
    String number = "%." + digits + "f";
    return String.format(
        Locale.ROOT, number + " [" + number + " .. " + number + "]", s.median(), s.min(), s.max());
  }
}
