package dev.quern.provider.scalar;

import static dev.quern.provider.scalar.Buffers.assertMarkersIntact;
import static dev.quern.provider.scalar.Buffers.assertSameBits;
import static dev.quern.provider.scalar.Buffers.assertWithin;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.op.Activation;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import java.lang.foreign.Arena;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// SPEC.md, sections N, R and S.
class ScalarRowOperatorsTest {
  private static final double U = 0x1p-24;
  private static final float[] BAD = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};

  private final ScalarProvider provider = new ScalarProvider();

  @Property(tries = 200)
  void rmsNormIsWithinN1(
      @ForAll @IntRange(min = 1, max = 5) int rows,
      @ForAll @IntRange(min = 1, max = 200) int width,
      @ForAll @IntRange(min = 0, max = 3) int pad,
      @ForAll @IntRange(min = -50, max = 50) int exponent,
      @ForAll boolean inPlace,
      @ForAll @IntRange(min = 1, max = 4) int parallelism,
      @ForAll long seed) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(seed);
      float epsilon = random.nextBoolean() ? 1e-5f : 0;
      F32Matrix x = Buffers.gaussian(arena, rows, width, pad, random);
      forEach(x, (r, i) -> x.set(r, i, Math.scalb(x.get(r, i), exponent)));
      F32Matrix weight = Buffers.gaussian(arena, 1, width, 0, random);
      F32Matrix before = Buffers.copy(arena, x);
      F32Matrix y = inPlace ? x : Buffers.marked(arena, rows, width, 3);
      rmsNorm(arena, epsilon, x, weight, y, Buffers.shuffled(parallelism, seed));

      assertMarkersIntact(y);
      for (int r = 0; r < rows; r++) {
        double mean = 0;
        for (int i = 0; i < width; i++) {
          mean += (double) before.get(r, i) * before.get(r, i) / width;
        }
        for (int i = 0; i < width; i++) {
          double exact = before.get(r, i) / Math.sqrt(mean + epsilon) * weight.get(0, i);
          double bound = (width / 2.0 + 8) * U * Math.abs(exact) + 0x1p-126;
          assertWithin(bound, exact, y.get(r, i), "row " + r + " column " + i);
        }
        F32Matrix alone = Buffers.marked(arena, 1, width, 1);
        rmsNorm(arena, epsilon, before.rowRange(r, r + 1), weight, alone, Workers.sequential());
        assertSameBits(Buffers.row(y, r), Buffers.row(alone, 0), "row " + r + " alone");
      }
    }
  }

  @Property(tries = 50)
  void rmsNormOfANonFiniteRowIsNaN(
      @ForAll @IntRange(min = 1, max = 40) int width, @ForAll long seed) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(seed);
      F32Matrix x = Buffers.gaussian(arena, 3, width, 1, random);
      F32Matrix weight = Buffers.gaussian(arena, 1, width, 0, random);
      F32Matrix clean = Buffers.marked(arena, 3, width, 0);
      rmsNorm(arena, 1e-5f, x, weight, clean, Workers.sequential());
      x.set(1, random.nextInt(width), BAD[random.nextInt(3)]);
      F32Matrix y = Buffers.marked(arena, 3, width, 0);
      rmsNorm(arena, 1e-5f, x, weight, y, Workers.sequential());
      forEach(
          y,
          (r, i) -> {
            if (r == 1) {
              assertTrue(Float.isNaN(y.get(r, i)));
            } else {
              assertEquals(clean.get(r, i), y.get(r, i));
            }
          });
    }
  }

  @Test
  void rmsNormOfZeros() {
    try (Arena arena = Arena.ofConfined()) {
      F32Matrix x = Buffers.filled(arena, 1, 8, 0, () -> 0);
      F32Matrix weight = Buffers.filled(arena, 1, 8, 0, () -> 3);
      F32Matrix y = Buffers.marked(arena, 1, 8, 0);
      rmsNorm(arena, 1e-6f, x, weight, y, Workers.sequential());
      forEach(y, (r, i) -> assertEquals(0f, y.get(r, i)));
      rmsNorm(arena, 0, x, weight, y, Workers.sequential());
      forEach(y, (r, i) -> assertTrue(Float.isNaN(y.get(r, i))));
    }
  }

  /// Means of 12.5 and of 2, and one weight.
  @Test
  void rmsNormOfGroups() {
    try (Arena arena = Arena.ofConfined()) {
      float[] values = {3, 4, 0, 2};
      F32Matrix x = Buffers.marked(arena, 1, 4, 0);
      forEach(x, (r, i) -> x.set(r, i, values[i]));
      F32Matrix weight = Buffers.filled(arena, 1, 2, 0, () -> 1);
      weight.set(0, 1, 10);
      F32Matrix y = Buffers.marked(arena, 1, 4, 0);
      RmsNormKernel kernel =
          Kernels.accepted(
              provider.rmsNorm(RmsNormSpec.of(4, 0).withGroups(2)), Numerics.EXACT_F32);
      kernel.apply(x, weight, y, Buffers.workspace(arena, kernel, 1, Workers.sequential()));
      float[] expected = {
        (float) (3 / Math.sqrt(12.5)),
        (float) (40 / Math.sqrt(12.5)),
        0,
        (float) (20 / Math.sqrt(2))
      };
      forEach(y, (r, i) -> assertEquals(expected[i], y.get(r, i), 1e-6f));
    }
  }

  @Property(tries = 200)
  void ropeIsWithinR1(
      @ForAll @IntRange(min = 1, max = 4) int rows,
      @ForAll @IntRange(min = 1, max = 4) int heads,
      @ForAll @IntRange(min = 1, max = 20) int pairs,
      @ForAll @IntRange(min = 0, max = 3) int pad,
      @ForAll RopePairing pairing,
      @ForAll @IntRange(min = 1, max = 4) int parallelism,
      @ForAll long seed) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(seed);
      int headDim = 2 * pairs;
      int first = random.nextInt(3);
      F32Matrix x = Buffers.gaussian(arena, rows, heads * headDim, pad, random);
      F32Matrix table = Buffers.gaussian(arena, first + rows + 1, headDim, 2, random);
      F32Matrix before = Buffers.copy(arena, x);
      RopeSpec spec = new RopeSpec(heads, headDim, pairing);
      rope(arena, spec, x, table, first, Buffers.shuffled(parallelism, seed));

      assertMarkersIntact(x);
      assertMarkersIntact(table);
      for (int r = 0; r < rows; r++) {
        for (int h = 0; h < heads; h++) {
          for (int j = 0; j < pairs; j++) {
            int ia = h * headDim + (pairing == RopePairing.ADJACENT ? 2 * j : j);
            int ib = h * headDim + (pairing == RopePairing.ADJACENT ? 2 * j + 1 : j + pairs);
            double a = before.get(r, ia);
            double b = before.get(r, ib);
            double cos = table.get(first + r, j);
            double sin = table.get(first + r, pairs + j);
            double boundA = 3 * U * (Math.abs(a * cos) + Math.abs(b * sin)) + 0x1p-126;
            double boundB = 3 * U * (Math.abs(a * sin) + Math.abs(b * cos)) + 0x1p-126;
            String what = "row " + r + " head " + h + " pair " + j;
            assertWithin(boundA, a * cos - b * sin, x.get(r, ia), what);
            assertWithin(boundB, a * sin + b * cos, x.get(r, ib), what);
          }
        }
        F32Matrix alone = Buffers.copy(arena, before).rowRange(r, r + 1);
        rope(arena, spec, alone, table, first + r, Workers.sequential());
        assertSameBits(Buffers.row(x, r), Buffers.row(alone, 0), "row " + r + " alone");
      }
    }
  }

  @Property(tries = 50)
  void ropeKeepsANonFiniteElementInItsPair(@ForAll RopePairing pairing, @ForAll long seed) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(seed);
      F32Matrix x = Buffers.gaussian(arena, 2, 16, 1, random);
      // Angles of 0 and 90 degrees among others: a factor 0 must not lose the element.
      F32Matrix table = Buffers.filled(arena, 2, 8, 0, () -> random.nextInt(-1, 2));
      F32Matrix clean = Buffers.copy(arena, x);
      RopeSpec spec = new RopeSpec(2, 8, pairing);
      rope(arena, spec, clean, table, 0, Workers.sequential());
      int col = random.nextInt(16);
      x.set(1, col, BAD[random.nextInt(3)]);
      rope(arena, spec, x, table, 0, Workers.sequential());
      int partner = pairing == RopePairing.ADJACENT ? col ^ 1 : col / 8 * 8 + (col % 8 + 4) % 8;
      forEach(
          x,
          (r, i) -> {
            if (r == 1 && (i == col || i == partner)) {
              assertFalse(Float.isFinite(x.get(r, i)), "column " + i);
            } else {
              assertEquals(clean.get(r, i), x.get(r, i));
            }
          });
    }
  }

  @Property(tries = 200)
  void swiGluIsWithinS1(
      @ForAll @IntRange(min = 1, max = 4) int rows,
      @ForAll @IntRange(min = 1, max = 3000) int width,
      @ForAll @IntRange(min = 0, max = 3) int pad,
      @ForAll @IntRange(min = -20, max = 120) int exponent,
      @ForAll @IntRange(min = 0, max = 2) int place,
      @ForAll @IntRange(min = 1, max = 4) int parallelism,
      @ForAll long seed) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(seed);
      F32Matrix gate = Buffers.gaussian(arena, rows, width, pad, random);
      F32Matrix up = Buffers.gaussian(arena, rows, width, pad + 1, random);
      // From tiny gates to those where exp overflows on either side.
      forEach(gate, (r, i) -> gate.set(r, i, Math.scalb(gate.get(r, i), i % 12)));
      gate.set(0, 0, Math.scalb(gate.get(0, 0), exponent));
      F32Matrix gates = Buffers.copy(arena, gate);
      F32Matrix ups = Buffers.copy(arena, up);
      F32Matrix y = place == 0 ? gate : place == 1 ? up : Buffers.marked(arena, rows, width, 2);
      swiGlu(arena, gate, up, y, Buffers.shuffled(parallelism, seed));

      assertMarkersIntact(y);
      forEach(y, (r, i) -> assertWithinS1(gates.get(r, i), ups.get(r, i), y.get(r, i)));
      F32Matrix alone = Buffers.marked(arena, 1, width, 0);
      F32Matrix lastGates = gates.rowRange(rows - 1, rows);
      swiGlu(arena, lastGates, ups.rowRange(rows - 1, rows), alone, Workers.sequential());
      assertSameBits(Buffers.row(y, rows - 1), Buffers.row(alone, 0), "last row alone");
    }
  }

  @ParameterizedTest
  @ValueSource(
      floats = {0f, -0f, 1e-40f, -87.5f, -88.8f, -100f, -710f, -746f, -1e38f, 89f, 710f, 3e38f})
  void swiGluOfSpecialGates(float gate) {
    for (float up : new float[] {0f, 1f, -2.5f, 1e-30f, 0.75f}) {
      assertWithinS1(gate, up, swiGlu(gate, up));
    }
  }

  @Test
  void swiGluOfNonFiniteElementsIsNotFinite() {
    float[] values = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0, 1, -1, -2e3f};
    for (float gate : values) {
      for (float up : values) {
        boolean finite = Float.isFinite(gate) && Float.isFinite(up);
        assertEquals(finite, Float.isFinite(swiGlu(gate, up)), "gate " + gate + " up " + up);
      }
    }
  }

  /// The formula's numbers, and the ends.
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1, 0.841192",
    "-1, -0.158808",
    "3, 2.9963627",
    "-3, -0.0036373",
    "1e30, 1e30",
    "-1e30, 0",
    "-12, 0",
    "Infinity, Infinity",
    "-Infinity, NaN",
    "NaN, NaN"
  })
  void gelu(float gate, float expected) {
    try (Arena arena = Arena.ofConfined()) {
      F32Matrix gates = Buffers.filled(arena, 1, 1, 0, () -> gate);
      F32Matrix ups = Buffers.filled(arena, 1, 1, 0, () -> 2);
      F32Matrix y = Buffers.marked(arena, 1, 1, 0);
      SwiGluKernel kernel =
          Kernels.accepted(
              provider.swiGlu(SwiGluSpec.of(1).withActivation(Activation.GELU_TANH)),
              Numerics.EXACT_F32);
      kernel.apply(gates, ups, y, Buffers.workspace(arena, kernel, 1, Workers.sequential()));
      assertEquals(2 * expected, y.get(0, 0), 2e-6f);
    }
  }

  private static void assertWithinS1(double gate, double up, float y) {
    double exact = gate / (1 + Math.exp(-gate)) * up;
    double bound = 16 * U * Math.abs(exact) + 0x1p-126 * Math.max(1, Math.abs(up));
    if (Math.abs(exact) <= Float.MAX_VALUE) {
      assertWithin(bound, exact, y, "gate " + gate + " up " + up);
    } else {
      assertEquals((float) exact, y, "gate " + gate + " up " + up);
    }
  }

  /// The element in the middle of a row of ones, which must stay as they are.
  private float swiGlu(float gate, float up) {
    try (Arena arena = Arena.ofConfined()) {
      F32Matrix gates = Buffers.filled(arena, 1, 3, 0, () -> 1);
      F32Matrix ups = Buffers.filled(arena, 1, 3, 0, () -> 1);
      gates.set(0, 1, gate);
      ups.set(0, 1, up);
      F32Matrix y = Buffers.marked(arena, 1, 3, 0);
      swiGlu(arena, gates, ups, y, Workers.sequential());
      assertWithinS1(1, 1, y.get(0, 0));
      assertWithinS1(1, 1, y.get(0, 2));
      return y.get(0, 1);
    }
  }

  private void rmsNorm(
      Arena arena, float epsilon, F32Matrix x, F32Matrix weight, F32Matrix y, Workers workers) {
    RmsNormKernel kernel =
        Kernels.accepted(
            provider.rmsNorm(RmsNormSpec.of(x.columns(), epsilon)), Numerics.EXACT_F32);
    kernel.apply(x, weight, y, Buffers.workspace(arena, kernel, x.rows(), workers));
  }

  private void rope(
      Arena arena, RopeSpec spec, F32Matrix x, F32Matrix table, int first, Workers workers) {
    RopeKernel kernel = Kernels.accepted(provider.rope(spec), Numerics.EXACT_F32);
    kernel.apply(x, table, first, Buffers.workspace(arena, kernel, x.rows(), workers));
  }

  private void swiGlu(Arena arena, F32Matrix gate, F32Matrix up, F32Matrix y, Workers workers) {
    SwiGluKernel kernel =
        Kernels.accepted(provider.swiGlu(SwiGluSpec.of(gate.columns())), Numerics.EXACT_F32);
    kernel.apply(gate, up, y, Buffers.workspace(arena, kernel, gate.rows(), workers));
  }

  private interface Element {
    void accept(int row, int col);
  }

  private static void forEach(F32Matrix m, Element element) {
    for (int r = 0; r < m.rows(); r++) {
      for (int i = 0; i < m.columns(); i++) {
        element.accept(r, i);
      }
    }
  }
}
