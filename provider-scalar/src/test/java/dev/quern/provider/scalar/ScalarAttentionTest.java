package dev.quern.provider.scalar;

import static dev.quern.provider.scalar.Buffers.assertMarkersIntact;
import static dev.quern.provider.scalar.Buffers.assertSameBits;
import static dev.quern.provider.scalar.Buffers.assertWithin;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.Numerics;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/// SPEC.md, section A.
class ScalarAttentionTest {
  private static final double U = 0x1p-24;

  /// One call: positions `first .. first + rows - 1` are new.
  record Case(
      int kvHeads,
      int headsPerKvHead,
      int headDim,
      int first,
      int rows,
      KvFormat kv,
      int parallelism,
      long seed) {
    int heads() {
      return kvHeads * headsPerKvHead;
    }

    int positions() {
      return first + rows;
    }

    int capacity() {
      return positions() + 2;
    }
  }

  @Property(tries = 200)
  void isWithinA6(@ForAll("cases") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Call call = new Call(c, arena);
      call.fillCache();
      float[][] y = call.attend(c.first, c.rows, Buffers.shuffled(c.parallelism, c.seed));
      for (int r = 0; r < c.rows; r++) {
        for (int h = 0; h < c.heads(); h++) {
          call.assertWithinA6(r, h, y[r]);
        }
      }
    }
  }

  @Property(tries = 100)
  void appendStoresItsPositionsAndNoOther(@ForAll("cases") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Call call = new Call(c, arena);
      byte[] keys = call.cache.keys().toArray(JAVA_BYTE);
      F32Matrix k = Buffers.gaussian(arena, c.rows, c.kvHeads * c.headDim, 1, new Random(c.seed));
      F32Matrix v = Buffers.gaussian(arena, c.rows, c.kvHeads * c.headDim, 2, new Random(~c.seed));
      k.set(0, 0, 70000); // beyond F16
      v.set(0, 0, Float.NaN);
      var workspace =
          Buffers.workspace(arena, call.kernel, c.rows, Buffers.shuffled(c.parallelism, c.seed));
      call.kernel.append(k, v, call.cache, c.first, workspace);
      assertMarkersIntact(k);
      assertMarkersIntact(v);

      for (int g = 0; g < c.kvHeads; g++) {
        for (int t = 0; t < c.capacity(); t++) {
          for (int d = 0; d < c.headDim; d++) {
            int r = t - c.first;
            if (r >= 0 && r < c.rows) {
              float[] expected = {k.get(r, g * c.headDim + d), v.get(r, g * c.headDim + d)};
              if (c.kv.equals(KvFormat.F16)) {
                expected[0] = Float.float16ToFloat(Float.floatToFloat16(expected[0]));
                expected[1] = Float.float16ToFloat(Float.floatToFloat16(expected[1]));
              }
              float[] stored = {
                (float) call.load(call.cache.keys(), g, t, d),
                (float) call.load(call.cache.values(), g, t, d)
              };
              assertArrayEquals(expected, stored);
            } else {
              int at = (int) call.element(g, t, d) * c.kv.elementBytes();
              for (int b = at; b < at + c.kv.elementBytes(); b++) {
                assertEquals(keys[b], call.cache.keys().get(JAVA_BYTE, b));
              }
            }
          }
        }
      }
    }
  }

  @Property(tries = 100)
  void neitherWorkersNorBatchNorLaterPositionsChangeABit(@ForAll("cases") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Call call = new Call(c, arena); // positions beyond the visible ones are NaN
      call.fillCache();
      float[][] expected = call.attend(c.first, c.rows, Workers.sequential());
      assertSameBits(
          expected,
          call.attend(c.first, c.rows, Buffers.shuffled(c.parallelism, c.seed)),
          "workers");
      for (int r = 0; r < c.rows; r++) {
        F32Matrix y = Buffers.marked(arena, 1, call.y.columns(), 3);
        call.kernel.apply(
            call.q.rowRange(r, r + 1),
            call.cache,
            c.first + r,
            y,
            Buffers.workspace(arena, call.kernel, 1, Workers.sequential()));
        assertSameBits(expected[r], Buffers.row(y, 0), "row " + r + " alone");
      }
    }
  }

  /// Rule A12, of the kernel and of the loop that stands in where a kernel has none: a sequence
  /// between two rows of another.
  @Property(tries = 100)
  void severalSequencesGetWhatEachGetsAlone(@ForAll("cases") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Call one = new Call(c, arena);
      Call two =
          new Call(
              new Case(c.kvHeads, c.headsPerKvHead, c.headDim, 0, c.positions(), c.kv, 1, ~c.seed),
              arena);
      one.fillCache();
      two.fillCache();
      float[][] first = one.attend(c.first, c.rows, Workers.sequential());
      float[][] second = two.attend(0, c.positions(), Workers.sequential());
      int rows = 2 * c.rows + c.positions();
      F32Matrix q = F32Matrix.allocate(arena, rows, one.q.columns());
      for (int r = 0; r < rows; r++) {
        boolean ofTwo = r >= c.rows && r < rows - c.rows;
        F32Matrix from = ofTwo ? two.q : one.q;
        int row = ofTwo ? r - c.rows : r % (c.rows + c.positions());
        for (int i = 0; i < q.columns(); i++) {
          q.set(r, i, from.get(row, i));
        }
      }
      SequenceRows outer = new SequenceRows(c.rows, one.cache, c.first);
      List<SequenceRows> batch =
          List.of(outer, new SequenceRows(c.positions(), two.cache, 0), outer);
      for (AttentionKernel kernel : List.of(one.kernel, oneByOne(one.kernel))) {
        F32Matrix y = Buffers.marked(arena, rows, q.columns(), 2);
        Workers workers = Buffers.shuffled(c.parallelism, c.seed);
        kernel.apply(q, batch, y, Buffers.workspace(arena, kernel, rows, workers));
        assertMarkersIntact(y);
        float[][] all = Buffers.rows(y);
        int end = rows - c.rows;
        assertSameBits(first, Arrays.copyOfRange(all, 0, c.rows), "the first");
        assertSameBits(second, Arrays.copyOfRange(all, c.rows, end), "the second");
        assertSameBits(first, Arrays.copyOfRange(all, end, rows), "the first again");

        F32Matrix k = Buffers.gaussian(arena, 3, c.kvHeads * c.headDim, 1, new Random(c.seed));
        F32Matrix v = Buffers.gaussian(arena, 3, c.kvHeads * c.headDim, 2, new Random(~c.seed));
        Workspace w = Buffers.workspace(arena, kernel, 3, workers);
        Call[] together = {new Call(c, arena), new Call(c, arena)};
        Call[] alone = {new Call(c, arena), new Call(c, arena)};
        int at = c.capacity() - 2;
        kernel.append(
            k,
            v,
            List.of(
                new SequenceRows(1, together[0].cache, at),
                new SequenceRows(2, together[1].cache, at)),
            w);
        one.kernel.append(k.rowRange(0, 1), v.rowRange(0, 1), alone[0].cache, at, w);
        one.kernel.append(k.rowRange(1, 3), v.rowRange(1, 3), alone[1].cache, at, w);
        for (int i = 0; i < 2; i++) {
          assertEquals(-1, alone[i].cache.keys().mismatch(together[i].cache.keys()));
          assertEquals(-1, alone[i].cache.values().mismatch(together[i].cache.values()));
        }
      }
    }
  }

  /// A kernel that knows of one sequence only.
  private static AttentionKernel oneByOne(AttentionKernel kernel) {
    return new AttentionKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
        kernel.append(k, v, cache, position, w);
      }

      @Override
      public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
        kernel.apply(q, cache, first, y, w);
      }
    };
  }

  @Property(tries = 200)
  void nonFiniteElementsReachWhatSeesThemAndNoOther(@ForAll("cases") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(c.seed);
      Call call = new Call(c, arena);
      call.fillCache();
      float[][] clean = call.attend(c.first, c.rows, Workers.sequential());
      int row = random.nextInt(c.rows);
      int head = random.nextInt(c.heads());
      int d = random.nextInt(c.headDim);

      // A query: all of its row and head.
      float old = call.q.get(row, head * c.headDim + d);
      float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
      call.q.set(row, head * c.headDim + d, bad[random.nextInt(3)]);
      float[][] y = call.attend(c.first, c.rows, Workers.sequential());
      call.assertNaNExactly(clean, y, (r, h, e) -> r == row && h == head);
      call.q.set(row, head * c.headDim + d, old);

      // A key: all that sees its position, in all heads of its group.
      int kvHead = random.nextInt(c.kvHeads);
      int t = random.nextInt(c.positions());
      double key = call.load(call.cache.keys(), kvHead, t, d);
      call.store(call.cache.keys(), kvHead, t, d, Float.NaN);
      y = call.attend(c.first, c.rows, Workers.sequential());
      call.assertNaNExactly(
          clean, y, (r, h, e) -> h / c.headsPerKvHead == kvHead && t <= c.first + r);
      call.store(call.cache.keys(), kvHead, t, d, (float) key);

      // A value: that element of all that sees its position.
      call.store(call.cache.values(), kvHead, t, d, Float.NaN);
      y = call.attend(c.first, c.rows, Workers.sequential());
      call.assertNaNExactly(
          clean, y, (r, h, e) -> h / c.headsPerKvHead == kvHead && t <= c.first + r && e == d);
    }
  }

  @Test
  void hugeScoresDoNotOverflow() {
    try (Arena arena = Arena.ofConfined()) {
      Call call = new Call(new Case(1, 1, 4, 3, 1, KvFormat.F32, 1, 7), arena);
      call.fillCache();
      for (int d = 0; d < 4; d++) {
        call.q.set(0, d, 1e30f);
        call.store(call.cache.keys(), 0, 2, d, 1e30f);
      }
      float[][] y = call.attend(3, 1, Workers.sequential());
      for (int d = 0; d < 4; d++) {
        assertEquals((float) call.load(call.cache.values(), 0, 2, d), y[0][d]);
      }
    }
  }

  @Test
  void onePositionGivesItsValue() {
    try (Arena arena = Arena.ofConfined()) {
      Call call = new Call(new Case(2, 2, 5, 0, 1, KvFormat.F16, 2, 3), arena);
      call.fillCache();
      float[][] y = call.attend(0, 1, Workers.sequential());
      for (int i = 0; i < y[0].length; i++) {
        assertEquals((float) call.load(call.cache.values(), i / 10, 0, i % 5), y[0][i]);
      }
    }
  }

  @Provide
  Arbitrary<Case> cases() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 3),
            Arbitraries.integers().between(1, 3),
            Arbitraries.integers().between(1, 17),
            Arbitraries.integers().between(0, 20),
            Arbitraries.integers().between(1, 4),
            Arbitraries.of(KvFormat.F32, KvFormat.F16),
            Arbitraries.integers().between(1, 4),
            Arbitraries.longs())
        .as(Case::new);
  }

  /// A kernel with its operands; the cache is full of NaN at first.
  private static final class Call {
    final Case c;
    final Arena arena;
    final float scale;
    final AttentionKernel kernel;
    final F32Matrix q;
    final F32Matrix y;
    final KvCache cache;

    Call(Case c, Arena arena) {
      this.c = c;
      this.arena = arena;
      scale = (float) (1 / Math.sqrt(c.headDim));
      kernel =
          Kernels.accepted(
              new ScalarProvider()
                  .attention(
                      new AttentionSpec(
                          c.heads(), c.kvHeads, c.headDim, c.capacity(), scale, c.kv)),
              Numerics.EXACT_F32);
      q = Buffers.gaussian(arena, c.rows, c.heads() * c.headDim, 2, new Random(c.seed));
      y = Buffers.marked(arena, c.rows, c.heads() * c.headDim, 1);
      long bytes = KvCache.planeBytes(c.kv, c.kvHeads, c.headDim, c.capacity());
      cache =
          new KvCache(
              arena.allocate(bytes, 64).fill((byte) 0xFF),
              arena.allocate(bytes, 64).fill((byte) 0xFF),
              c.kv,
              c.capacity());
    }

    /// Random keys and values at all visible positions.
    void fillCache() {
      Random random = new Random(c.seed + 1);
      for (int g = 0; g < c.kvHeads; g++) {
        for (int t = 0; t < c.positions(); t++) {
          for (int d = 0; d < c.headDim; d++) {
            store(cache.keys(), g, t, d, (float) random.nextGaussian());
            store(cache.values(), g, t, d, (float) random.nextGaussian());
          }
        }
      }
    }

    float[][] attend(int first, int rows, Workers workers) {
      for (int r = 0; r < rows; r++) {
        for (int i = 0; i < y.columns(); i++) {
          y.set(r, i, Float.NaN);
        }
      }
      kernel.apply(q, cache, first, y, Buffers.workspace(arena, kernel, rows, workers));
      assertMarkersIntact(y);
      assertMarkersIntact(q);
      return Buffers.rows(y);
    }

    void assertWithinA6(int r, int h, float[] y) {
      int g = h / c.headsPerKvHead;
      int p = c.first + r;
      double[] score = new double[p + 1];
      double largest = 0; // Σ_d abs(q*K[t])
      double max = Double.NEGATIVE_INFINITY;
      for (int t = 0; t <= p; t++) {
        double magnitude = 0;
        for (int d = 0; d < c.headDim; d++) {
          double product = q.get(r, h * c.headDim + d) * load(cache.keys(), g, t, d);
          score[t] += scale * product;
          magnitude += Math.abs(product);
        }
        max = Math.max(max, score[t]);
        largest = Math.max(largest, magnitude);
      }
      double sum = 0;
      for (int t = 0; t <= p; t++) {
        score[t] = Math.exp(score[t] - max);
        sum += score[t];
      }
      double e = 4 * U + (c.headDim + 8) * U * scale * largest;
      assertTrue(e <= 0.125);
      for (int d = 0; d < c.headDim; d++) {
        double exact = 0;
        double magnitude = 0;
        for (int t = 0; t <= p; t++) {
          double term = score[t] / sum * load(cache.values(), g, t, d);
          exact += term;
          magnitude += Math.abs(term);
        }
        double bound = (2 * e + (p + 8) * U) * magnitude + 0x1p-126;
        assertWithin(bound, exact, y[h * c.headDim + d], "row " + r + " head " + h + " d " + d);
      }
    }

    void assertNaNExactly(float[][] clean, float[][] y, Sees sees) {
      for (int r = 0; r < c.rows; r++) {
        for (int i = 0; i < y[r].length; i++) {
          String what = "row " + r + " column " + i;
          if (sees.test(r, i / c.headDim, i % c.headDim)) {
            assertTrue(Float.isNaN(y[r][i]), what + " is " + y[r][i]);
          } else {
            assertEquals(clean[r][i], y[r][i], what);
          }
        }
      }
    }

    interface Sees {
      boolean test(int row, int head, int element);
    }

    long element(int kvHead, int t, int d) {
      return ((long) kvHead * c.capacity() + t) * c.headDim + d;
    }

    double load(MemorySegment plane, int kvHead, int t, int d) {
      long i = element(kvHead, t, d);
      return c.kv.equals(KvFormat.F16)
          ? Float.float16ToFloat(plane.getAtIndex(JAVA_SHORT, i))
          : plane.getAtIndex(JAVA_FLOAT, i);
    }

    void store(MemorySegment plane, int kvHead, int t, int d, float value) {
      long i = element(kvHead, t, d);
      if (c.kv.equals(KvFormat.F16)) {
        plane.setAtIndex(JAVA_SHORT, i, Float.floatToFloat16(value));
      } else {
        plane.setAtIndex(JAVA_FLOAT, i, value);
      }
    }
  }
}
