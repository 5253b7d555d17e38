package dev.quern.conformance.run;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.RopeCase;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Verdict;
import dev.quern.conformance.oracle.Bounds;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// A RoPE kernel with its operands.
public final class RopeRun extends Run {
  /// The operands of a case. A rule may change them before a run is opened.
  ///
  /// @param x `[rows][heads * headDim]`
  /// @param table `[positions][headDim]`; the rows that the call must not use are NaN
  public record Data(float[] x, float[] table) {
    /// The table of seed 1 is the usual one; others are turned by an angle, so that no two are
    /// alike.
    public static Data of(RopeCase c) {
      double turned = c.seed() == 1 ? 0 : new Mix(c.seed(), "table").uniform();
      int cols = c.heads() * c.headDim();
      int positions = c.firstPosition() + c.rows() + c.spare();
      float[] table = new float[Math.multiplyExact(positions, c.headDim())];
      Arrays.fill(table, Float.NaN);
      for (int r = 0; r < c.rows(); r++) {
        int position = c.firstPosition() + r;
        for (int j = 0; j < c.halfDim(); j++) {
          double angle = turned + position * StrictMath.pow(10_000, -(double) j / c.halfDim());
          table[position * c.headDim() + j] = (float) StrictMath.cos(angle);
          table[position * c.headDim() + c.halfDim() + j] = (float) StrictMath.sin(angle);
        }
      }
      return new Data(c.x().fill(c.rows() * cols, cols, new Mix(c.seed(), "x")), table);
    }
  }

  private final RopeCase c;
  private Data data;
  private final Offer.Accepted<RopeKernel> offer;
  private final F32Matrix x;
  private final F32Matrix table;

  private RopeRun(RopeCase c, Data data, Offer.Accepted<RopeKernel> offer, Memory memory) {
    super(memory);
    this.c = c;
    this.data = data;
    this.offer = offer;
    this.x = outputMatrix("x", data.x(), c.heads() * c.headDim(), c.xPad(), false);
    this.table = inputMatrix("table", data.table(), c.headDim(), c.tablePad());
  }

  /// Takes given operands.
  ///
  /// @throws DeclinedException if the provider declines the spec
  public static RopeRun open(RopeCase c, Data data, Candidate target, Memory memory) {
    var offer = DeclinedException.accepted(target.provider().rope(c.spec()));
    return new RopeRun(c, data, offer, memory);
  }

  @Override
  public RopeKernel kernel() {
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
    offer.kernel().apply(x, table, c.firstPosition(), w);
  }

  @Override
  public Run rows(int from, int to) {
    int cols = c.heads() * c.headDim();
    RopeCase alone =
        CaseText.with(
            c,
            String.format(
                Locale.ROOT,
                "rows=%d,firstPosition=%d,spare=%d",
                to - from,
                c.firstPosition() + from,
                c.spare() + c.rows() - to));
    float[] rows = Arrays.copyOfRange(data.x(), from * cols, to * cols);
    return new RopeRun(alone, new Data(rows, data.table()), offer, memory());
  }

  @Override
  public Run next(int rows, int more, long seed, Memory memory) {
    RopeCase next =
        CaseText.with(
            c,
            String.format(
                Locale.ROOT,
                "rows=%d,firstPosition=%d,xPad=%d,tablePad=%d,seed=%d",
                rows,
                c.firstPosition() + more,
                c.xPad() + more,
                c.tablePad() + more,
                seed));
    return new RopeRun(next, Data.of(next), offer, memory);
  }

  @Override
  protected void reread() {
    data = new Data(held(x), held(table));
  }

  @Override
  public String boundRule() {
    return "R1";
  }

  @Override
  public byte[] rowOf(byte[] result, int r) {
    int rowBytes = 4 * c.heads() * c.headDim();
    return Arrays.copyOfRange(result, r * rowBytes, (r + 1) * rowBytes);
  }

  /// Column of the first element of a pair; its second is [#partner] of it.
  public static int first(RopeCase c, int head, int pair) {
    return head * c.headDim() + (c.pairing() == RopePairing.ADJACENT ? 2 * pair : pair);
  }

  /// Column of the second element of the pair that begins at a column.
  public static int partner(RopeCase c, int first) {
    return first + (c.pairing() == RopePairing.ADJACENT ? 1 : c.halfDim());
  }

  /// Rules R1 to R3. Pairs with a non-finite element are left out: rule R4 has them.
  @Override
  public Verdict withinBounds(byte[] result) {
    float[] actual = floats(result);
    Verdict verdict = new Verdict();
    int cols = c.heads() * c.headDim();
    for (int r = 0; r < c.rows(); r++) {
      int angles = (c.firstPosition() + r) * c.headDim();
      for (int pair = 0; pair < c.heads() * c.halfDim(); pair++) {
        int j = pair % c.halfDim();
        int first = first(c, pair / c.halfDim(), j);
        int second = partner(c, first);
        double cos = data.table()[angles + j];
        double sin = data.table()[angles + c.halfDim() + j];
        double a = data.x()[r * cols + first];
        double b = data.x()[r * cols + second];
        if (Double.isFinite(a) && Double.isFinite(b)) {
          float newA = actual[r * cols + first];
          float newB = actual[r * cols + second];
          verdict.close("x", r, first, a * cos - b * sin, newA, Bounds.rope(a, b, cos, sin));
          verdict.close("x", r, second, a * sin + b * cos, newB, Bounds.rope(b, a, cos, sin));
        }
      }
    }
    return verdict;
  }
}
