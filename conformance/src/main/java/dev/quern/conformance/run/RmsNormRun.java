package dev.quern.conformance.run;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.RmsNormCase;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Verdict;
import dev.quern.conformance.oracle.Bounds;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// An RMSNorm kernel with its operands.
public final class RmsNormRun extends Run {
  /// The operands of a case. A rule may change them before a run is opened.
  ///
  /// @param x `[rows][width]`
  /// @param weight `[width]`
  public record Data(float[] x, float[] weight) {
    public static Data of(RmsNormCase c) {
      return new Data(
          c.x().fill(c.rows() * c.width(), c.width(), new Mix(c.seed(), "x")),
          Values.NORMAL.fill(c.width(), c.width(), new Mix(c.seed(), "weight")));
    }
  }

  private final RmsNormCase c;
  private Data data;
  private final Offer.Accepted<RmsNormKernel> offer;
  private final F32Matrix x;
  private final F32Matrix weight;
  private final F32Matrix y;

  private RmsNormRun(RmsNormCase c, Data data, Offer.Accepted<RmsNormKernel> offer, Memory memory) {
    super(memory);
    this.c = c;
    this.data = data;
    this.offer = offer;
    this.weight = inputMatrix("weight", data.weight(), c.width(), 0);
    if (c.inPlace()) {
      this.x = outputMatrix("x and y", data.x(), c.width(), c.xPad(), false);
      this.y = view(x);
    } else {
      this.x = inputMatrix("x", data.x(), c.width(), c.xPad());
      this.y = outputMatrix("y", new float[data.x().length], c.width(), c.yPad(), true);
    }
  }

  /// Takes given operands.
  ///
  /// @throws DeclinedException if the provider declines the spec
  public static RmsNormRun open(RmsNormCase c, Data data, Candidate target, Memory memory) {
    var offer = DeclinedException.accepted(target.provider().rmsNorm(c.spec()));
    return new RmsNormRun(c, data, offer, memory);
  }

  @Override
  public RmsNormKernel kernel() {
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
    offer.kernel().apply(x, weight, y, w);
  }

  @Override
  public Run rows(int from, int to) {
    float[] rows = Arrays.copyOfRange(data.x(), from * c.width(), to * c.width());
    return new RmsNormRun(
        CaseText.with(c, "rows=" + (to - from)), new Data(rows, data.weight()), offer, memory());
  }

  @Override
  public Run next(int rows, int more, long seed, Memory memory) {
    RmsNormCase next =
        CaseText.with(
            c,
            String.format(
                Locale.ROOT,
                "rows=%d,xPad=%d,yPad=%d,seed=%d",
                rows,
                c.xPad() + more,
                c.yPad() + more,
                seed));
    return new RmsNormRun(next, Data.of(next), offer, memory);
  }

  @Override
  protected void reread() {
    data = new Data(held(x), held(weight));
  }

  @Override
  public String boundRule() {
    return "N1";
  }

  @Override
  public byte[] rowOf(byte[] result, int r) {
    return Arrays.copyOfRange(result, 4 * r * c.width(), 4 * (r + 1) * c.width());
  }

  /// Rules N1 and N3. Rows with a non-finite element are left out: rule N2 has them.
  @Override
  public Verdict withinBounds(byte[] result) {
    return withinBounds(result, data.x());
  }

  /// As if x were something else that normalises to the same.
  public Verdict withinBounds(byte[] result, float[] x) {
    float[] y = floats(result);
    Verdict verdict = new Verdict();
    for (int r = 0; r < c.rows(); r++) {
      double squares = 0;
      for (int i = 0; i < c.width(); i++) {
        double xi = x[r * c.width() + i];
        squares += xi * xi;
      }
      double root = Math.sqrt(squares / c.width() + c.epsilon());
      for (int i = 0; i < c.width() && Double.isFinite(root); i++) {
        int at = r * c.width() + i;
        double exact = x[at] / root * data.weight()[i];
        if (Double.isNaN(exact)) {
          verdict.nan("y", r, i, y[at]);
        } else {
          verdict.close("y", r, i, exact, y[at], Bounds.rmsNorm(c.width(), exact));
        }
      }
    }
    return verdict;
  }
}
