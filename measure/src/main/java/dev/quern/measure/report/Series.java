package dev.quern.measure.report;

import dev.quern.measure.Spread;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/// All runs of one label.
///
/// @param label model and providers, and where runs come from several files, the file
/// @param runs at least one; all with the same kernels
public record Series(String label, List<Run> runs) {
  public Series {
    runs = List.copyOf(runs);
    Run first = runs.getFirst();
    for (int i = 1; i < runs.size(); i++) {
      String difference = first.ledger().difference(runs.get(i).ledger());
      if (!difference.isEmpty()) {
        throw new ReportException(
            String.format(
                Locale.ROOT,
                "%s: runs 1 and %d differ in what ran (%s), expected the same kernels under one label",
                label,
                i + 1,
                difference));
      }
      if (!first.machine().equals(runs.get(i).machine())) {
        throw new ReportException(
            String.format(
                Locale.ROOT,
                "%s: runs 1 and %d are of different machines (%s and %s), expected one",
                label,
                i + 1,
                first.machine(),
                runs.get(i).machine()));
      }
    }
  }

  /// What computed it.
  public Ledger ledger() {
    return runs.getFirst().ledger();
  }

  /// The highest load average before a run; `unknown` where a system did not tell.
  public String busiest() {
    double busiest = runs.stream().mapToDouble(Run::loadAverage).max().orElse(Double.NaN);
    return Double.isNaN(busiest) ? "unknown" : String.format(Locale.ROOT, "%.2f", busiest);
  }

  /// A figure over all runs; empty unless every run has it.
  public Optional<Spread> figure(Figure figure) {
    List<OptionalDouble> values = runs.stream().map(figure::of).toList();
    return values.stream().allMatch(OptionalDouble::isPresent)
        ? Optional.of(
            new Spread(values.stream().mapToDouble(OptionalDouble::getAsDouble).toArray()))
        : Optional.empty();
  }
}
