package dev.quern.provider.x86;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.util.Optional;

/// Attention whose answer is known: six positions at once, then one more.
///
/// @param q a row for each position, as `k` and `v` have
record KnownAttention(AttentionSpec spec, F32Matrix q, F32Matrix k, F32Matrix v) {
  private static final int PREFILL = 6;

  /// What is asked in place of a spec: two key/value heads at most, and few positions.
  static AttentionSpec question(AttentionSpec spec) {
    int kvHeads = Math.min(2, spec.kvHeads());
    return spec.withHeads(kvHeads * (spec.heads() / spec.kvHeads()), kvHeads)
        .withMaxPositions(Math.min(PREFILL + 1, spec.maxPositions()));
  }

  static Optional<String> wrong(AttentionSpec spec, Offer.Accepted<AttentionKernel> offer) {
    int positions = spec.maxPositions();
    int kvHeads = spec.kvHeads();
    int headDim = spec.headDim();
    AttentionKernel kernel = offer.kernel();
    try (Arena arena = Arena.ofConfined()) {
      long plane = KvCache.planeBytes(spec.kv(), kvHeads, headDim, positions);
      KvCache cache =
          new KvCache(arena.allocate(plane, 64), arena.allocate(plane, 64), spec.kv(), positions);
      F32Matrix k = Known.numbers(arena, positions, kvHeads * headDim, 1);
      F32Matrix v = Known.numbers(arena, positions, kvHeads * headDim, 70_000);
      F32Matrix q = Known.numbers(arena, positions, spec.heads() * headDim, 140_000);
      // With these a softmax has several weights that count.
      float soften = 1 / (8 * spec.scale() * headDim);
      for (int r = 0; r < positions; r++) {
        for (int c = 0; c < q.columns(); c++) {
          q.set(r, c, q.get(r, c) * soften);
        }
      }
      KnownAttention known = new KnownAttention(spec, q, k, v);
      kernel.append(k, v, cache, 0, Known.workspace(kernel, positions, arena));
      for (int first = 0; first < positions; first += PREFILL) {
        F32Matrix rows = q.rowRange(first, Math.min(positions, first + PREFILL));
        F32Matrix y = F32Matrix.allocate(arena, rows.rows(), q.columns());
        kernel.apply(rows, cache, first, y, Known.workspace(kernel, rows.rows(), arena));
        for (int r = 0; r < rows.rows(); r++) {
          for (int h = 0; h < spec.heads(); h++) {
            Optional<String> wrong = known.wrong(y, first, r, h);
            if (wrong.isPresent()) {
              return wrong;
            }
          }
        }
      }
      return Optional.empty();
    }
  }

  /// What is wrong with a head of a row of y.
  ///
  /// @param first position of y's first row
  private Optional<String> wrong(F32Matrix y, int first, int row, int head) {
    int position = first + row;
    int headDim = spec.headDim();
    int from = head / (spec.heads() / spec.kvHeads()) * headDim; // column of k and v
    double[] weights = new double[position + 1];
    double largest = Double.NEGATIVE_INFINITY;
    for (int t = 0; t <= position; t++) {
      for (int d = 0; d < headDim; d++) {
        weights[t] +=
            (double) spec.scale() * q.get(position, head * headDim + d) * k.get(t, from + d);
      }
      largest = Math.max(largest, weights[t]);
    }
    double all = 0;
    for (int t = 0; t <= position; t++) {
      weights[t] = Math.exp(weights[t] - largest);
      all += weights[t];
    }
    for (int d = 0; d < headDim; d++) {
      double sum = 0;
      for (int t = 0; t <= position; t++) {
        sum += weights[t] / all * v.get(t, from + d);
      }
      Optional<String> wrong = Known.wrong(y, row, head * headDim + d, sum, 1e-3);
      if (wrong.isPresent()) {
        return wrong;
      }
    }
    return Optional.empty();
  }
}
