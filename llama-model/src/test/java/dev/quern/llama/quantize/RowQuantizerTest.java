package dev.quern.llama.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/// Rounding and decoding again.
class RowQuantizerTest {
  /// What a weight may be off by, relative to the largest of its block (or row) by magnitude: half
  /// a step of the format's integers, and where both ends of a range are not used alike the whole
  /// step that clips the wrong end; and the scale's rounding.
  private static final Map<BlockFormat, Double> BOUNDS =
      Map.of(
          BlockFormat.F16, 0x1p-11,
          BlockFormat.BF16, 0x1p-8,
          BlockFormat.Q8_0, 0.5 / 127 + 0x1p-10,
          BlockFormat.Q4_0, 1.0 / 8 + 0x1p-10,
          BlockFormat.INT8_C, 0.5 / 127 + 0x1p-20);

  /// Half a step of F16's subnormal numbers, as a scale of integers up to 127.
  private static final double SUBNORMAL = 127 * 0x1p-25;

  @Property
  void nothingIsOffByMoreThanItsStep(
      @ForAll("bounded") BlockFormat format, @ForAll long seed, @ForAll("sizes") float size) {
    Random random = new Random(seed);
    float[] x = gaussian(random, 512, size);
    float[] y = roundTrip(format, x);
    int block = format.equals(BlockFormat.INT8_C) ? x.length : format.blockElements();
    for (int b = 0; b < x.length; b += block) {
      double largest = 0;
      for (int i = b; i < b + block; i++) {
        largest = Math.max(largest, Math.abs(x[i]));
      }
      for (int i = b; i < b + block; i++) {
        double bound = largest * BOUNDS.get(format) + SUBNORMAL;
        assertEquals(
            x[i],
            y[i],
            bound,
            String.format(Locale.ROOT, "%s, element %d of %s", format, i, largest));
      }
    }
  }

  /// The relative root mean square on normal weights, measured and rounded up in the second digit.
  @Test
  void theMeanErrorIsThatOfTheFormat() {
    Map<BlockFormat, Double> expected =
        Map.of(
            BlockFormat.Q4_0, 0.089,
            BlockFormat.INT4_B32, 0.082,
            BlockFormat.INT4_B64, 0.091,
            BlockFormat.INT4_B128, 0.098,
            BlockFormat.INT4_B256, 0.106,
            BlockFormat.Q6_K, 0.018,
            BlockFormat.Q8_0, 0.0056);
    float[] x = gaussian(new Random(1), 1 << 16, 0.02f);
    expected.forEach((format, bound) -> {
      double error = relativeError(x, roundTrip(format, x));
      assertTrue(error < bound, format + ": " + error);
      assertTrue(error > 0.9 * bound, format + ": " + error + ", so the bound is too wide");
    });
  }

  /// The search over scales is never worse than ggml's single choice, but for BF16 in place of F16.
  @Property
  void int4BlocksOf32AreBetterThanQ4_0(@ForAll long seed, @ForAll("sizes") float size) {
    float[] x = gaussian(new Random(seed), 2048, size);
    double int4 = relativeError(x, roundTrip(BlockFormat.INT4_B32, x));
    double q4 = relativeError(x, roundTrip(BlockFormat.Q4_0, x));
    assertTrue(int4 < q4, int4 + " against " + q4);
  }

  /// No other scale gives an error that is much smaller. The search has a few steps only; the worst
  /// of 20,000 blocks was 1.30 times the least, where one number lay far outside.
  @Property(tries = 50)
  void int4ScalesAreNearlyTheBestThereAre(
      @ForAll("groups") int group, @ForAll long seed, @ForAll("sizes") float size) {
    float[] x = gaussian(new Random(seed), group, size);
    double actual = squaredError(x, roundTrip(BlockFormat.byId("INT4_B" + group).get(), x));
    double least = Double.POSITIVE_INFINITY;
    float largest = 0;
    for (float v : x) {
      largest = Math.max(largest, Math.abs(v));
    }
    for (double steps = 4; steps < 10; steps += 0.01) {
      for (int sign = -1; sign <= 1; sign += 2) {
        double scale = sign * largest / steps;
        double error = 0;
        for (float v : x) {
          double e = v - scale * Math.clamp(Math.rint(v / scale), -8, 7);
          error += e * e;
        }
        least = Math.min(least, error);
      }
    }
    assertTrue(
        actual <= 1.5 * least, String.format(Locale.ROOT, "%g, and %g is possible", actual, least));
  }

  @Property
  void integersComeBackExactly(@ForAll("integers") BlockFormat format, @ForAll long seed) {
    Random random = new Random(seed);
    boolean int8 = format.id().equals("Q8_0") || format.id().equals("INT8_C");
    float[] x = new float[512];
    for (int i = 0; i < x.length; i++) {
      x[i] = 0.25f * (int8 ? random.nextInt(-127, 128) : random.nextInt(-8, 8));
      if (i % 32 == 0) {
        x[i] = 0.25f * (int8 ? 127 : -8);
      }
    }
    assertArrayEquals(x, roundTrip(format, x), format.id());
  }

  @Property
  void zerosStayZeros(@ForAll("all") BlockFormat format) {
    for (float zero : new float[] {0f, -0f}) {
      float[] x = new float[512];
      Arrays.fill(x, zero);
      for (float y : roundTrip(format, x)) {
        assertEquals(0f, Math.abs(y), format.id());
      }
    }
  }

  @Property
  void subnormalWeightsGiveFiniteOnes(@ForAll("all") BlockFormat format, @ForAll long seed) {
    Random random = new Random(seed);
    float[] x = new float[512];
    for (int i = 0; i < x.length; i++) {
      x[i] = Float.MIN_VALUE * random.nextInt(-1000, 1000);
    }
    for (float y : roundTrip(format, x)) {
      assertEquals(0, y, 1e-35, format.id());
    }
  }

  @Test
  void whatDoesNotFitTheScaleIsRefused() {
    float[] x = new float[256];
    x[3] = 1e30f;
    for (BlockFormat format :
        new BlockFormat[] {BlockFormat.F16, BlockFormat.Q8_0, BlockFormat.Q4_0, BlockFormat.Q6_K}) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> roundTrip(format, x));
      assertTrue(e.getMessage().contains("does not fit F16"), e.getMessage());
    }
    for (BlockFormat format :
        new BlockFormat[] {BlockFormat.BF16, BlockFormat.INT4_B32, BlockFormat.INT8_C}) {
      assertEquals(1, roundTrip(format, x)[3] / x[3], 0.01, format.id());
    }
    x[3] = Float.MAX_VALUE;
    assertThrows(IllegalArgumentException.class, () -> roundTrip(BlockFormat.BF16, x));
  }

  @Provide
  Arbitrary<BlockFormat> all() {
    return Arbitraries.of(RowQuantizer.TABLE.keySet());
  }

  @Provide
  Arbitrary<BlockFormat> bounded() {
    return Arbitraries.of(BOUNDS.keySet());
  }

  @Provide
  Arbitrary<BlockFormat> integers() {
    return Arbitraries.of(
        BlockFormat.Q8_0,
        BlockFormat.INT8_C,
        BlockFormat.Q4_0,
        BlockFormat.INT4_B32,
        BlockFormat.INT4_B64,
        BlockFormat.INT4_B128,
        BlockFormat.INT4_B256);
  }

  @Provide
  Arbitrary<Float> sizes() {
    return Arbitraries.of(1e-3f, 0.02f, 1f, 100f);
  }

  @Provide
  Arbitrary<Integer> groups() {
    return Arbitraries.of(32, 64, 128, 256);
  }

  private static float[] gaussian(Random random, int count, float size) {
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = size * (float) random.nextGaussian();
    }
    return x;
  }

  /// Rounds a row to bytes that held something else before, and decodes them.
  static float[] roundTrip(BlockFormat format, float[] x) {
    MemorySegment data = garbage(format.rowBytes(x.length));
    MemorySegment scales = garbage(format.scalePlane().bytes(1, format.blocksPerRow(x.length)));
    RowQuantizer.TABLE.get(format).quantize(x, data, 0, scales, 0);
    float[] y = new float[x.length];
    BlockCodec.of(format)
        .orElseThrow()
        .decodeRow(
            new WeightMatrix(format, data, scales, 1, x.length), 0, MemorySegment.ofArray(y), 0);
    return y;
  }

  private static MemorySegment garbage(long bytes) {
    return MemorySegment.ofArray(new byte[(int) bytes]).fill((byte) 0x5a);
  }

  private static double squaredError(float[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += ((double) x[i] - y[i]) * ((double) x[i] - y[i]);
    }
    return sum;
  }

  private static double relativeError(float[] x, float[] y) {
    return Math.sqrt(squaredError(x, y) / squaredError(x, new float[x.length]));
  }
}
