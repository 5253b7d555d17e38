package dev.quern.conformance.report;

import dev.quern.conformance.CellResult;
import dev.quern.conformance.CoverageTable;
import dev.quern.conformance.catalog.SuiteCatalog;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// How far a run went.
///
/// @param mode what it was told besides tries and seed, in a sentence each: what `--quick` leaves
///   out, how many rounds `--deep` did
/// @param coverage what cases reached
/// @since 0.1
/// @stability api
public record Extent(List<String> mode, CoverageTable coverage) {
  public Extent {
    mode = List.copyOf(mode);
  }

  /// Counts of each check, in the order in which they ran: `L5_exact_f32`.
  static Map<String, Counts> checks(Tested t) {
    Map<String, List<CellResult>> cells = new LinkedHashMap<>();
    for (CellResult c : t.result().cells()) {
      cells.computeIfAbsent(c.testName(), k -> new ArrayList<>()).add(c);
    }
    Map<String, Counts> counts = new LinkedHashMap<>();
    cells.forEach((name, list) -> counts.put(name, Counts.of(list)));
    return counts;
  }

  /// How many rules of SPEC.md had a case that passed or failed.
  static long rules(Tested t) {
    return t.result().cells().stream()
        .filter(c -> c.passes() + c.failures() > 0)
        .map(CellResult::rule)
        .distinct()
        .count();
  }

  /// Rules that no check is named after, with the reason.
  static Map<String, String> untested() {
    return new TreeMap<>(SuiteCatalog.untested());
  }

  /// What was not reached, in words: sizes and pairs of features, checks that had no case to judge
  /// on what the provider accepts, and what of models was too large.
  List<String> notReached(Tested t) {
    List<String> words = new ArrayList<>(coverage.notReached());
    checks(t)
        .forEach((name, counts) -> {
          if (counts.passes() + counts.failures() == 0 && counts.skipped() > 0) {
            words.add(Format.text("%s: all of its %,d cases were skipped", name, counts.skipped()));
          }
        });
    t.models()
        .forEach((m, s) ->
            m.tooLarge()
                .forEach(l ->
                    words.add(
                        Format.text(
                            "%s, %s %s: too large to try: %s",
                            m.model(), m.operator(), m.spec(), l))));
    return words;
  }
}
