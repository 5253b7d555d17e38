package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.Schedule.Order;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.Workers;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Rule P21: rows at once, cut into calls of all kinds, and one by one, with other workers each
/// time, give the same bits, over all variants of the offer.
public record InvarianceRule<C extends Record & Case>(OperatorSuite<C> suite) {
  /// Rows beyond those from which the last variant runs.
  private static final int MORE = 3;

  /// Workers of a call, at most.
  private static final int WORKERS = 9;

  public Outcome check(C c, Candidate target) {
    if (!(suite.offer(c, target) instanceof Offer.Accepted<?> offer) || !promised(offer)) {
      return new Outcome.Skip("its variants are not all declared invariant");
    }
    int rows = Math.max(c.rows(), offer.variants().getLast().minRows() + MORE);
    C wide = CaseText.with(c, "rows=" + rows);
    try (Memory memory = new CanaryMemory()) {
      Run run = suite.open(wide, target, memory);
      byte[] batch = run.call(Workers.sequential(), Prefill.NAN);
      Judgement verdict = new Judgement();
      Mix mix = new Mix(c.seed(), CaseText.write(c));
      for (List<Integer> cuts : cuts(rows, offer.variants(), mix)) {
        compare(verdict, run, batch, cuts, mix);
      }
      return verdict.outcome(run::describe);
    }
  }

  public static boolean promised(Offer.Accepted<?> offer) {
    return offer.variants().stream().allMatch(Variant::invariant);
  }

  /// Where rows are cut: one by one, just before and at each variant's first number of rows, and
  /// anywhere.
  private static List<List<Integer>> cuts(int rows, List<Variant> variants, Mix mix) {
    List<List<Integer>> cuts = new ArrayList<>();
    cuts.add(every(rows, 1));
    for (Variant v : variants) {
      cuts.add(every(rows, v.minRows()));
      cuts.add(every(rows, Math.max(1, v.minRows() - 1)));
    }
    List<Integer> drawn = new ArrayList<>();
    for (int at = 0; at < rows; at += 1 + mix.below(rows)) {
      drawn.add(at);
    }
    drawn.add(rows);
    cuts.add(drawn);
    return cuts.stream().distinct().toList();
  }

  private static List<Integer> every(int rows, int step) {
    List<Integer> cuts = new ArrayList<>();
    for (int at = 0; at < rows; at += step) {
      cuts.add(at);
    }
    cuts.add(rows);
    return cuts;
  }

  private static void compare(
      Judgement verdict, Run run, byte[] batch, List<Integer> cuts, Mix mix) {
    for (int i = 1; i < cuts.size(); i++) {
      int from = cuts.get(i - 1);
      int to = cuts.get(i);
      Run part = run.rowRange(from, to);
      Schedule schedule = new Schedule(1 + mix.below(WORKERS), Order.SHUFFLED);
      try (TestWorkers workers = TestWorkers.of(schedule, mix.below(1000))) {
        byte[] result = part.call(workers, Prefill.NAN);
        for (int r = from; r < to; r++) {
          String when =
              String.format(Locale.ROOT, "row %d in a call of rows %d to %d", r, from, to - 1);
          Calls.same(verdict, when, run, run.rowOf(batch, r), part.rowOf(result, r - from));
        }
      }
    }
  }
}
