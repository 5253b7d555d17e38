package dev.quern.provider.x86;

import dev.quern.data.F32Matrix;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.util.Optional;

/// RMSNorm, RoPE and SwiGLU whose answers are known: rows of several vectors and a tail.
final class KnownRows {
  private static final int ROWS = 3;
  private static final int WIDTH = 77;
  private static final double F32 = 1e-4; // relative; numbers here are 10 at most

  private KnownRows() {}

  static RmsNormSpec question(RmsNormSpec spec) {
    int groups = Math.min(2, spec.groups());
    int width = groups * Math.min(WIDTH, spec.groupWidth());
    return spec.withGroups(1).withWidth(width).withGroups(groups);
  }

  static RopeSpec question(RopeSpec spec) {
    return spec.withHeads(Math.min(2, spec.heads()));
  }

  static SwiGluSpec question(SwiGluSpec spec) {
    return spec.withWidth(Math.min(WIDTH, spec.width()));
  }

  static Optional<String> wrongRmsNorm(RmsNormSpec spec, Offer.Accepted<RmsNormKernel> offer) {
    int n = spec.groupWidth();
    try (Arena arena = Arena.ofConfined()) {
      F32Matrix x = Known.numbers(arena, ROWS, spec.width(), 1);
      F32Matrix weight = Known.numbers(arena, 1, n, 1000);
      F32Matrix y = F32Matrix.allocate(arena, ROWS, spec.width());
      offer.kernel().apply(x, weight, y, Known.workspace(offer.kernel(), ROWS, arena));
      return each(
          y,
          (r, c) -> {
            double squares = 0;
            for (int i = c - c % n; i < c - c % n + n; i++) {
              squares += (double) x.get(r, i) * x.get(r, i);
            }
            return x.get(r, c) / Math.sqrt(squares / n + spec.epsilon()) * weight.get(0, c % n);
          });
    }
  }

  static Optional<String> wrongRope(RopeSpec spec, Offer.Accepted<RopeKernel> offer) {
    int width = spec.heads() * spec.headDim();
    int half = spec.headDim() / 2;
    try (Arena arena = Arena.ofConfined()) {
      F32Matrix x = Known.numbers(arena, ROWS, width, 1);
      F32Matrix y = Known.numbers(arena, ROWS, width, 1); // in place
      F32Matrix table = Known.numbers(arena, ROWS + 1, spec.headDim(), 1000);
      offer.kernel().apply(y, table, 1, Known.workspace(offer.kernel(), ROWS, arena));
      boolean adjacent = spec.pairing() == RopePairing.ADJACENT;
      return each(
          y,
          (r, c) -> {
            int inHead = c % spec.headDim();
            int pair = adjacent ? inHead / 2 : inHead % half;
            boolean first = adjacent ? inHead % 2 == 0 : inHead < half;
            int step = adjacent ? 1 : half;
            double other = x.get(r, first ? c + step : c - step);
            double sin = table.get(r + 1, half + pair);
            return (double) x.get(r, c) * table.get(r + 1, pair) + (first ? -other : other) * sin;
          });
    }
  }

  static Optional<String> wrongSwiGlu(SwiGluSpec spec, Offer.Accepted<SwiGluKernel> offer) {
    try (Arena arena = Arena.ofConfined()) {
      F32Matrix gate = Known.numbers(arena, ROWS, spec.width(), 1);
      F32Matrix up = Known.numbers(arena, ROWS, spec.width(), 1000);
      F32Matrix y = F32Matrix.allocate(arena, ROWS, spec.width());
      offer.kernel().apply(gate, up, y, Known.workspace(offer.kernel(), ROWS, arena));
      return each(y, (r, c) -> gate.get(r, c) / (1 + Math.exp(-gate.get(r, c))) * up.get(r, c));
    }
  }

  @FunctionalInterface
  private interface Formula {
    double of(int row, int col);
  }

  private static Optional<String> each(F32Matrix y, Formula formula) {
    for (int r = 0; r < y.rows(); r++) {
      for (int c = 0; c < y.columns(); c++) {
        double expected = formula.of(r, c);
        Optional<String> wrong = Known.wrong(y, r, c, expected, F32 * (1 + Math.abs(expected)));
        if (wrong.isPresent()) {
          return wrong;
        }
      }
    }
    return Optional.empty();
  }
}
