package dev.quern.conformance.run;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.SwiGluCase;
import dev.quern.conformance.cases.SwiGluCase.Alias;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Verdict;
import dev.quern.conformance.oracle.Bounds;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.SwiGluKernel;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// A SwiGLU kernel with its operands.
public final class SwiGluRun extends Run {
  /// The operands of a case. A rule may change them before a run is opened.
  ///
  /// @param gate `[rows][width]`
  /// @param up `[rows][width]`; gate itself where the two are one matrix
  public record Data(float[] gate, float[] up) {
    public static Data of(SwiGluCase c) {
      int count = c.rows() * c.width();
      float[] gate = c.gate().fill(count, c.width(), new Mix(c.seed(), "gate"));
      return new Data(
          gate,
          c.alias().oneInput() ? gate : c.up().fill(count, c.width(), new Mix(c.seed(), "up")));
    }
  }

  private final SwiGluCase c;
  private Data data;
  private final Offer.Accepted<SwiGluKernel> offer;
  private final F32Matrix gate;
  private final F32Matrix up;
  private final F32Matrix y;

  private SwiGluRun(SwiGluCase c, Data data, Offer.Accepted<SwiGluKernel> offer, Memory memory) {
    super(memory);
    this.c = c;
    this.data = data;
    this.offer = offer;
    Alias alias = c.alias();
    this.gate =
        operand("gate", data.gate(), c.gatePad(), alias == Alias.GATE || alias == Alias.ALL);
    this.up =
        alias.oneInput() ? view(gate) : operand("up", data.up(), c.upPad(), alias == Alias.UP);
    this.y =
        switch (alias) {
          case NONE, INPUTS ->
              outputMatrix("y", new float[data.up().length], c.width(), c.yPad(), true);
          case GATE, ALL -> view(gate);
          case UP -> view(up);
        };
  }

  private F32Matrix operand(String name, float[] values, int pad, boolean isY) {
    return isY
        ? outputMatrix(name + " and y", values, c.width(), pad, false)
        : inputMatrix(name, values, c.width(), pad);
  }

  /// Takes given operands.
  ///
  /// @throws DeclinedException if the provider declines the spec
  public static SwiGluRun open(SwiGluCase c, Data data, Candidate target, Memory memory) {
    var offer = DeclinedException.accepted(target.provider().swiGlu(c.spec()));
    return new SwiGluRun(c, data, offer, memory);
  }

  @Override
  public SwiGluKernel kernel() {
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
    offer.kernel().apply(gate, up, y, w);
  }

  @Override
  public Run rows(int from, int to) {
    Data rows =
        new Data(
            Arrays.copyOfRange(data.gate(), from * c.width(), to * c.width()),
            Arrays.copyOfRange(data.up(), from * c.width(), to * c.width()));
    return new SwiGluRun(CaseText.with(c, "rows=" + (to - from)), rows, offer, memory());
  }

  @Override
  public Run next(int rows, int more, long seed, Memory memory) {
    SwiGluCase next =
        CaseText.with(
            c,
            String.format(
                Locale.ROOT,
                "rows=%d,gatePad=%d,upPad=%d,yPad=%d,seed=%d",
                rows,
                c.gatePad() + more,
                c.upPad() + more,
                c.yPad() + more,
                seed));
    return new SwiGluRun(next, Data.of(next), offer, memory);
  }

  @Override
  protected void reread() {
    data = new Data(held(gate), held(up));
  }

  @Override
  public String boundRule() {
    return "S1";
  }

  @Override
  public byte[] rowOf(byte[] result, int r) {
    return Arrays.copyOfRange(result, 4 * r * c.width(), 4 * (r + 1) * c.width());
  }

  /// Rule S1. Elements whose gate or up is not finite are left out: rule S3 has them.
  @Override
  public Verdict withinBounds(byte[] result) {
    float[] actual = floats(result);
    Verdict verdict = new Verdict();
    for (int i = 0; i < actual.length; i++) {
      double g = data.gate()[i];
      double u = data.up()[i];
      if (Double.isFinite(g) && Double.isFinite(u)) {
        double exact = g / (1 + Math.exp(-g)) * u;
        verdict.close(
            "y", i / c.width(), i % c.width(), exact, actual[i], Bounds.swiGlu(g, u, exact));
      }
    }
    return verdict;
  }
}
