package dev.quern.provider.vector.attention;

import static dev.quern.provider.vector.Operands.gaussian;
import static dev.quern.provider.vector.Operands.workspace;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionSpec;
import java.lang.foreign.Arena;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One row far on, where the positions are cut into ranges: farther than the conformance suite
/// goes.
class AttentionTest {
  private static final int KV_HEADS = 2;
  private static final int CAPACITY = 1800;

  @ParameterizedTest
  @CsvSource({
    "511, 4, 64",
    "512, 4, 64",
    "1023, 1, 64",
    "1700, 3, 40",
    "1535, 8, 128",
    "1799, 5, 7"
  })
  void rangesMakeTheSameAsOneSum(int position, int group, int headDim) {
    try (Arena arena = Arena.ofConfined()) {
      int heads = KV_HEADS * group;
      AttentionSpec spec =
          new AttentionSpec(heads, KV_HEADS, headDim, CAPACITY, 0.3f, KvFormat.F32);
      Random random = new Random(position);
      F32Matrix q = gaussian(arena, 1, heads * headDim, random);
      F32Matrix k = gaussian(arena, CAPACITY, KV_HEADS * headDim, random);
      F32Matrix v = gaussian(arena, CAPACITY, KV_HEADS * headDim, random);
      k.set(position / 2, 0, 20); // some range's largest score is far above the others'
      for (int d = 0; position < CAPACITY - 1 && d < KV_HEADS * headDim; d++) {
        k.set(position + 1, d, Float.NaN); // and what lies behind is not looked at
        v.set(position + 1, d, Float.NaN);
      }
      F32Matrix y = apply(spec, q, k, v, position, arena);
      for (int h = 0; h < heads; h++) {
        assertHead(q, k, v, position, h, h / group * headDim, spec, y);
      }

      k.set(position - 3, 0, Float.NaN); // of the first KV head
      F32Matrix damaged = apply(spec, q, k, v, position, arena);
      for (int c = 0; c < heads * headDim; c++) {
        boolean sees = c < group * headDim;
        assertEquals(sees ? Float.NaN : y.get(0, c), damaged.get(0, c), "column " + c);
      }
    }
  }

  private static F32Matrix apply(
      AttentionSpec spec, F32Matrix q, F32Matrix k, F32Matrix v, int position, Arena arena) {
    Attention kernel = new Attention(spec);
    long bytes = KvCache.planeBytes(spec.kv(), KV_HEADS, spec.headDim(), CAPACITY);
    KvCache cache =
        new KvCache(arena.allocate(bytes, 64), arena.allocate(bytes, 64), spec.kv(), CAPACITY);
    Workspace w = workspace(arena, kernel.scratchBytes(CAPACITY, 1));
    kernel.append(k, v, cache, 0, w);
    F32Matrix y = F32Matrix.allocate(arena, 1, spec.heads() * spec.headDim());
    kernel.apply(q, cache, position, y, w);
    return y;
  }

  /// Against the definition, in double precision.
  private static void assertHead(
      F32Matrix q,
      F32Matrix k,
      F32Matrix v,
      int position,
      int head,
      int kvCol,
      AttentionSpec spec,
      F32Matrix y) {
    int col = head * spec.headDim();
    double[] scores = new double[position + 1];
    double max = Double.NEGATIVE_INFINITY;
    for (int t = 0; t <= position; t++) {
      for (int d = 0; d < spec.headDim(); d++) {
        scores[t] += (double) spec.scale() * q.get(0, col + d) * k.get(t, kvCol + d);
      }
      max = Math.max(max, scores[t]);
    }
    double total = 0;
    for (double score : scores) {
      total += Math.exp(score - max);
    }
    for (int d = 0; d < spec.headDim(); d++) {
      double sum = 0;
      double magnitude = 0;
      for (int t = 0; t <= position; t++) {
        double product = Math.exp(scores[t] - max) / total * v.get(t, kvCol + d);
        sum += product;
        magnitude += Math.abs(product);
      }
      double error = Math.abs(y.get(0, col + d) - sum);
      assertTrue(
          error <= 1e-4 * magnitude,
          String.format(Locale.ROOT, "head %d, element %d: off by %g", head, d, error));
    }
  }
}
