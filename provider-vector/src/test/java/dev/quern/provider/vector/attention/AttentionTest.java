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
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One row far on, where the positions are cut into ranges: farther than most cases of the
/// conformance suite go.
class AttentionTest {
  private static final int KV_HEADS = 2;
  private static final int CAPACITY = 1800;

  @ParameterizedTest
  @CsvSource({
    "511, 4, 64, 0, 0",
    "512, 4, 64, 0, 0",
    "1023, 1, 64, 0, 0",
    "1700, 3, 40, 0, 0",
    "1535, 8, 128, 0, 0",
    "1799, 5, 7, 0, 0",
    "1700, 3, 40, 0, 30",
    "1535, 2, 64, 513, 0",
    "1536, 2, 64, 513, 0",
    "1700, 2, 64, 1000, 2",
    "1024, 2, 64, 2, 0",
    "1799, 5, 7, 1, 0"
  })
  void rangesMakeTheSameAsOneSum(int position, int group, int headDim, int window, float softCap) {
    try (Arena arena = Arena.ofConfined()) {
      int heads = KV_HEADS * group;
      AttentionSpec spec =
          new AttentionSpec(heads, KV_HEADS, headDim, CAPACITY, 0.3f, KvFormat.F32)
              .withWindow(window)
              .withSoftCap(softCap);
      Random random = new Random(position);
      F32Matrix q = gaussian(arena, 1, heads * headDim, random);
      F32Matrix k = gaussian(arena, CAPACITY, KV_HEADS * headDim, random);
      F32Matrix v = gaussian(arena, CAPACITY, KV_HEADS * headDim, random);
      int first = spec.firstVisible(position);
      k.set((first + position) / 2, 0, 20); // some range's largest score is far above the others'
      for (int d = 0; position < CAPACITY - 1 && d < KV_HEADS * headDim; d++) {
        k.set(position + 1, d, Float.NaN); // and what lies behind is not looked at
        v.set(position + 1, d, Float.NaN);
      }
      for (int t = 0; t < first; t++) {
        for (int d = 0; d < KV_HEADS * headDim; d++) {
          k.set(t, d, Float.NaN); // nor what lies before a window
          v.set(t, d, Float.NaN);
        }
      }
      F32Matrix y = apply(spec, q, k, v, position, arena);
      for (int h = 0; h < heads; h++) {
        assertHead(spec, q, k, v, position, h, y);
      }

      k.set(Math.max(first, position - 3), 0, Float.NaN); // of the first KV head
      F32Matrix damaged = apply(spec, q, k, v, position, arena);
      for (int c = 0; c < heads * headDim; c++) {
        boolean sees = c < group * headDim;
        assertEquals(sees ? Float.NaN : y.get(0, c), damaged.get(0, c), "column " + c);
      }
    }
  }

  /// A row's bits do not depend on the rows of the call, which share tiles.
  @ParameterizedTest
  @CsvSource({"0, 0", "1, 0", "64, 0", "65, 3", "100, 50", "200, 0"})
  void rowsOfABatchAreTheSameInAnother(int window, float softCap) {
    try (Arena arena = Arena.ofConfined()) {
      AttentionSpec spec =
          new AttentionSpec(4, KV_HEADS, 24, CAPACITY, 0.3f, KvFormat.F32)
              .withWindow(window)
              .withSoftCap(softCap);
      Random random = new Random(window);
      F32Matrix q = gaussian(arena, 150, 4 * 24, random);
      F32Matrix k = gaussian(arena, CAPACITY, KV_HEADS * 24, random);
      F32Matrix v = gaussian(arena, CAPACITY, KV_HEADS * 24, random);
      F32Matrix all = apply(spec, q, k, v, 100, arena);
      for (int row = 0; row + 2 <= q.rows(); row += 7) {
        F32Matrix two = apply(spec, q.rowRange(row, row + 2), k, v, 100 + row, arena);
        for (int c = 0; c < all.columns(); c++) {
          assertEquals(all.get(row, c), two.get(0, c), "row " + row + " column " + c);
          assertEquals(all.get(row + 1, c), two.get(1, c), "row " + (row + 1) + " column " + c);
        }
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
    F32Matrix y = F32Matrix.allocate(arena, q.rows(), spec.heads() * spec.headDim());
    kernel.apply(q, cache, position, y, w);
    return y;
  }

  /// Against the definition, in double precision.
  private static void assertHead(
      AttentionSpec spec,
      F32Matrix q,
      F32Matrix k,
      F32Matrix v,
      int position,
      int head,
      F32Matrix y) {
    int col = head * spec.headDim();
    int kvCol = head / (spec.heads() / spec.kvHeads()) * spec.headDim();
    int first = spec.firstVisible(position);
    double[] scores = new double[position + 1];
    Arrays.fill(scores, Double.NEGATIVE_INFINITY);
    double max = Double.NEGATIVE_INFINITY;
    for (int t = first; t <= position; t++) {
      scores[t] = 0;
      for (int d = 0; d < spec.headDim(); d++) {
        scores[t] += (double) spec.scale() * q.get(0, col + d) * k.get(t, kvCol + d);
      }
      if (spec.softCap() > 0) {
        scores[t] = spec.softCap() * Math.tanh(scores[t] / spec.softCap());
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
      for (int t = first; t <= position; t++) {
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
