package dev.quern.conformance.rows;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Run;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.Kernel;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.Arrays;
import java.util.List;

/// A kernel of an operator on rows, with its operands.
final class RowRun<C extends Record & Case, K extends Kernel> extends Run {
  private final RowRules<C, K> rules;
  private final C c;
  private RowData data;
  private final Offer.Accepted<K> offer;
  private final RowMatrices matrices;

  private RowRun(RowRules<C, K> rules, C c, RowData data, Offer.Accepted<K> offer, Memory memory) {
    super(memory);
    this.rules = rules;
    this.c = c;
    this.data = data;
    this.offer = offer;
    this.matrices = rules.place(this, c, data);
  }

  /// Takes given operands.
  ///
  /// @throws DeclinedException if the provider declines the spec
  static <C extends Record & Case, K extends Kernel> RowRun<C, K> open(
      RowRules<C, K> rules, C c, RowData data, Candidate target, Memory memory) {
    return new RowRun<>(rules, c, data, DeclinedException.accepted(rules.offer(c, target)), memory);
  }

  /// A matrix that is read only.
  F32Matrix input(String name, float[] values, int columns, int pad) {
    return inputMatrix(name, values, columns, pad);
  }

  /// A matrix that is read and written to.
  F32Matrix inAndOut(String name, float[] values, int columns, int pad) {
    return outputMatrix(name, values, columns, pad, false);
  }

  /// A matrix that is written to.
  F32Matrix output(String name, int rows, int columns, int pad) {
    return outputMatrix(name, new float[rows * columns], columns, pad, true);
  }

  /// A matrix once more, as another object.
  F32Matrix again(F32Matrix m) {
    return view(m);
  }

  @Override
  public K kernel() {
    return offer.kernel();
  }

  @Override
  public List<Variant> variants() {
    return offer.variants();
  }

  @Override
  public int rows() {
    return c.rows();
  }

  @Override
  protected void invoke(Workspace w) {
    rules.apply(offer.kernel(), c, matrices, w);
  }

  @Override
  public Run rowRange(int from, int to) {
    C part = CaseText.with(c, rules.rows(c, from, to));
    return new RowRun<>(rules, part, rules.rows(c, data, from, to), offer, memory());
  }

  @Override
  public Run next(int rows, int more, long seed, Memory memory) {
    C next = CaseText.with(c, rules.next(c, rows, more, seed));
    return new RowRun<>(rules, next, rules.data(next), offer, memory);
  }

  @Override
  protected void reread() {
    data = new RowData(held(matrices.first()), held(matrices.second()));
  }

  @Override
  public String boundRule() {
    return rules.boundRule();
  }

  @Override
  public byte[] rowOf(byte[] result, int r) {
    int rowBytes = Float.BYTES * rules.columns(c);
    return Arrays.copyOfRange(result, r * rowBytes, (r + 1) * rowBytes);
  }

  @Override
  public Judgement withinBounds(byte[] result) {
    return rules.withinBounds(c, data, floats(result));
  }
}
