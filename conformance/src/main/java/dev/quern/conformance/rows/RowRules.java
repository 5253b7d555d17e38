package dev.quern.conformance.rows;

import dev.quern.Operator;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.Workspace;
import dev.quern.op.Kernel;
import dev.quern.spi.Offer;
import java.util.List;
import java.util.function.Function;

/// What differs between the operators on rows of F32 numbers, which all read two matrices and write
/// rows as wide as those of the first.
///
/// @param <C> the operator's cases
/// @param <K> its kernels
interface RowRules<C extends Record & Case, K extends Kernel> extends OperatorSuite<C> {
  /// Widths of what is called until it is compiled: see
  /// [dev.quern.conformance.rules.CompiledCases].
  List<String> COMPILED_WIDTHS = List.of("width=32", "width=67", "width=2048");

  @Override
  Operator<?, K> operator();

  @Override
  default Offer<K> offer(C c, Candidate target) {
    return OperatorSuite.ask(operator(), c.spec(), target.kernels());
  }

  /// The operands of a case, from its seed.
  RowData data(C c);

  /// Columns of the first matrix, and of the result.
  int columns(C c);

  /// Lays the operands out. The order and the names are those of [Run#describe].
  RowMatrices place(RowRun<C, K> run, C c, RowData data);

  /// Calls a kernel.
  void apply(K kernel, C c, RowMatrices m, Workspace w);

  /// Changes that make it a call of its rows `from` (inclusive) to `to` (exclusive) alone.
  default String rows(C c, int from, int to) {
    return "rows=" + (to - from);
  }

  /// What such a call reads.
  default RowData rows(C c, RowData data, int from, int to) {
    return new RowData(RowData.rows(data.first(), columns(c), from, to), data.second());
  }

  /// Changes that make it another call of the same kernel: see [Run#next].
  String next(C c, int rows, int more, long seed);

  /// The rule that has the error bound.
  String boundRule();

  /// Judges a result by it. What has no finite value is left out: another rule has that.
  ///
  /// @param result `[rows][columns]`
  Judgement withinBounds(C c, RowData data, float[] result);

  @Override
  default Run open(C c, Candidate target, Memory memory) {
    return open(c, data(c), target, memory);
  }

  /// A kernel with given operands.
  ///
  /// @throws dev.quern.conformance.run.DeclinedException if the provider declines the spec
  default RowRun<C, K> open(C c, RowData data, Candidate target, Memory memory) {
    return RowRun.open(this, c, data, target, memory);
  }

  /// Calls a kernel with given operands, and judges the result.
  default Outcome check(C c, RowData data, Candidate target, Function<float[], Judgement> judge) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Run run = open(c, data, target, memory);
      return judge.apply(Run.floats(run.call(workers, Prefill.NAN))).outcome(run::describe);
    }
  }

  /// The same, by the error bound.
  default Outcome check(C c, RowData data, Candidate target) {
    return check(c, data, target, result -> withinBounds(c, data, result));
  }
}
