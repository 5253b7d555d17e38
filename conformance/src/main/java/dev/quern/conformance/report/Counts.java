package dev.quern.conformance.report;

import dev.quern.conformance.CellResult;
import java.util.List;

/// Cases, counted apart: what was declined or skipped is no pass.
///
/// @param passes cases that kept their rule
/// @param failures cases that broke it
/// @param declined cases that the provider declined
/// @param skipped cases of which a rule says nothing here
/// @param worstRatio the worst error against its bound; 0 where nothing has a bound
/// @param worstCase the replay string of that case; empty where nothing has a bound
/// @since 0.1
/// @stability api
public record Counts(
    long passes, long failures, long declined, long skipped, double worstRatio, String worstCase) {
  /// What a skip's reason begins with if the provider declined the spec.
  static final String DECLINED = "declined: ";

  static Counts of(List<CellResult> cells) {
    long passes = 0;
    long failures = 0;
    long declined = 0;
    long skipped = 0;
    double worst = 0;
    String worstCase = "";
    for (CellResult c : cells) {
      passes += c.passes();
      failures += c.failures();
      for (var skip : c.skips().entrySet()) {
        boolean refused = skip.getKey().startsWith(DECLINED);
        declined += refused ? skip.getValue() : 0;
        skipped += refused ? 0 : skip.getValue();
      }
      if (c.worstRatio() > worst) {
        worst = c.worstRatio();
        worstCase = c.worstCase();
      }
    }
    return new Counts(passes, failures, declined, skipped, worst, worstCase);
  }

  /// `failed`, `passed`, `declined` or `skipped`: the first of these that there is a case of.
  String status() {
    return failures > 0 ? "failed" : passes > 0 ? "passed" : declined > 0 ? "declined" : "skipped";
  }
}
