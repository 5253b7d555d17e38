package dev.quern.provider.x86;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;

/// A product whose answer is known: x is such that rounding it to int8 or BF16 changes nothing, and
/// the weights are exact in every format ([KnownWeights]). A kernel may only differ by how F32 sums
/// round.
final class KnownLinear {
  /// Whole panels of 8 and of 16, and one that is not.
  private static final int OUTPUTS = 19;

  /// Different rows of x; more than that repeat them.
  private static final int ROWS = 5;

  /// One call for each: tiles of every height, whole ones and what is left.
  private static final int[] CALLS = {1, 2, 3, 4, 5, 6, 7, 8, 17, 33};

  private static final double F32_SUM = 1e-5;

  /// Two factors that are rounded to the 8 bits of BF16.
  private static final double BF16_SUM = 1.0 / 64;

  private KnownLinear() {}

  /// What is asked in place of a spec: two blocks of the format, or enough inputs for a tail where
  /// there are no blocks.
  static LinearSpec question(LinearSpec spec) {
    BlockFormat format = spec.weights();
    int inputs = format.blockElements() == 1 ? 69 : Math.max(96, 2 * format.blockElements());
    return new LinearSpec(format, OUTPUTS, inputs, spec.accumulate(), spec.tolerated());
  }

  static Optional<String> wrong(LinearSpec spec, Offer.Accepted<LinearPacker> offer) {
    Numerics numerics = offer.variants().getFirst().numerics();
    double unit = numerics.activationBits() == 16 ? BF16_SUM : F32_SUM;
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix w = KnownWeights.of(spec.weights(), OUTPUTS, spec.inputs(), arena);
      float[][] x = new float[ROWS][spec.inputs()];
      double[][] expected = new double[ROWS][OUTPUTS];
      double[][] bounds = new double[ROWS][OUTPUTS];
      float[][] weights = KnownWeights.decoded(w, arena);
      for (int r = 0; r < ROWS; r++) {
        fill(x[r], r, numerics);
        for (int o = 0; o < OUTPUTS; o++) {
          double sum = 0;
          double size = 0;
          for (int i = 0; i < spec.inputs(); i++) {
            double product = (double) x[r][i] * weights[o][i];
            sum += product;
            size += Math.abs(product);
          }
          expected[r][o] = sum + (spec.accumulate() ? held(r, o) : 0);
          bounds[r][o] = unit * (size + 1);
        }
      }
      LinearKernel kernel = offer.kernel().pack(List.of(w), arena, Workers.sequential());
      for (int rows : CALLS) {
        Optional<String> wrong = call(kernel, rows, x, expected, bounds, arena);
        if (wrong.isPresent()) {
          return wrong;
        }
      }
      return Optional.empty();
    }
  }

  private static Optional<String> call(
      LinearKernel kernel,
      int rows,
      float[][] values,
      double[][] expected,
      double[][] bounds,
      Arena arena) {
    F32Matrix x = F32Matrix.allocate(arena, rows, values[0].length);
    F32Matrix y = F32Matrix.allocate(arena, rows, OUTPUTS);
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < values[0].length; i++) {
        x.set(r, i, values[r % ROWS][i]);
      }
      for (int o = 0; o < OUTPUTS; o++) {
        y.set(r, o, held(r % ROWS, o));
      }
    }
    kernel.apply(x, y, Known.workspace(kernel, rows, arena));
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < OUTPUTS; o++) {
        Optional<String> wrong = Known.wrong(y, r, o, expected[r % ROWS][o], bounds[r % ROWS][o]);
        if (wrong.isPresent()) {
          return wrong;
        }
      }
    }
    return Optional.empty();
  }

  private static float held(int row, int output) {
    return Known.number(row * OUTPUTS + output);
  }

  /// Integers, times a power of two: groups of 32 whose largest magnitude is 127, so that SPEC.md's
  /// step d (L6) is that power; under a zero point rows that reach from -55 to 200, so that s (L7)
  /// is, and z is -73.
  private static void fill(float[] x, int row, Numerics numerics) {
    boolean symmetric = numerics.symmetric();
    int lowest = symmetric ? -127 : -55;
    int size = Math.max(32, numerics.groupSize());
    for (int i = 0; i < x.length; i++) {
      int extreme = (KnownWeights.mix(1000L * row + i / 32) & 15) + i / 32 * 32;
      int value = lowest + (KnownWeights.mix(1000L * row + i) & 0x7FFF_FFFF) % (127 - lowest + 1);
      if (i == extreme) {
        value = lowest;
      } else if (i == extreme + 1) {
        value = symmetric ? 127 : 200;
      }
      x[i] = Math.scalb(value, (row + (symmetric ? i / size : 0)) % 3 - 1);
    }
  }
}
