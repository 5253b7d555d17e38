package dev.quern.provider.x86;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// A product whose answer is known: x is such that rounding it to int8 or BF16 changes nothing, and
/// the weights are exact in every format ([KnownWeights]). A kernel may only differ by how F32 sums
/// round.
final class KnownLinear {
  /// Whole panels of 8 and of 16, and one that is not.
  private static final int OUTPUTS = 19;

  /// Different rows of x; more than that repeat them.
  private static final int ROWS = 3;

  /// One call for each: tiles of every height, whole ones and what is left.
  private static final int[] CALLS = {1, 2, 3, 4, 5, 6, 7, 8, 33};

  private static final int MOST_ROWS = 33;

  private static final double F32_SUM = 1e-5;

  /// Two factors that are rounded to the 8 bits of BF16.
  private static final double BF16_SUM = 1.0 / 64;

  private KnownLinear() {}

  /// What is asked in place of a spec: two blocks of the format, or enough inputs for a tail where
  /// there are no blocks. Whether it adds to y is no question: both are tried.
  static LinearSpec question(LinearSpec spec) {
    BlockFormat format = spec.weights();
    int inputs = format.blockElements() == 1 ? 69 : Math.max(96, 2 * format.blockElements());
    return spec.withShape(OUTPUTS, inputs).withAccumulate(false);
  }

  /// @param variants of the kernel
  /// @param offers to ask for the kernel that overwrites y and for the one that adds to it
  static Optional<String> wrong(
      LinearSpec spec, List<Variant> variants, Function<LinearSpec, Offer<LinearPacker>> offers) {
    Numerics numerics = variants.getFirst().numerics();
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix w = KnownWeights.of(spec.weights(), OUTPUTS, spec.inputs(), arena);
      float[][] weights = KnownWeights.decoded(w, arena);
      F32Matrix x = F32Matrix.allocate(arena, MOST_ROWS, spec.inputs());
      Sums sums = new Sums(new double[ROWS][OUTPUTS], new double[ROWS][OUTPUTS]);
      for (int r = 0; r < ROWS; r++) {
        float[] row = row(r, spec.inputs(), numerics);
        for (int copy = r; copy < MOST_ROWS; copy += ROWS) {
          MemorySegment.copy(row, 0, x.data(), JAVA_FLOAT, x.offsetBytes(copy, 0), row.length);
        }
        for (int o = 0; o < OUTPUTS; o++) {
          double size = 0;
          for (int i = 0; i < row.length; i++) {
            double product = (double) row[i] * weights[o][i];
            sums.values[r][o] += product;
            size += Math.abs(product);
          }
          sums.sizes[r][o] = size + 1;
        }
      }
      for (boolean adds : new boolean[] {false, true}) {
        LinearSpec asked = spec.withShape(OUTPUTS, spec.inputs()).withAccumulate(adds);
        if (!(offers.apply(asked) instanceof Offer.Accepted<LinearPacker> accepted)) {
          return Optional.of("it declines " + asked);
        }
        LinearKernel kernel = accepted.kernel().pack(List.of(w), arena, Workers.sequential());
        Workspace workspace = Known.workspace(kernel, MOST_ROWS, arena);
        for (int rows : CALLS) {
          Optional<String> wrong =
              call(kernel, x.firstRows(rows), adds, sums, unit(variants, rows), workspace, arena);
          if (wrong.isPresent()) {
            return wrong;
          }
        }
      }
      return Optional.empty();
    }
  }

  /// How far off a call of so many rows may be, of the size of its sum.
  private static double unit(List<Variant> variants, int rows) {
    boolean rounded = false;
    for (Variant variant : variants) {
      if (variant.minRows() <= rows) {
        rounded = variant.numerics().activationBits() == 16;
      }
    }
    return rounded ? BF16_SUM : F32_SUM;
  }

  /// The sums of each row and output.
  ///
  /// @param sizes their products' magnitudes, summed, and 1
  private record Sums(double[][] values, double[][] sizes) {}

  private static Optional<String> call(
      LinearKernel kernel,
      F32Matrix x,
      boolean adds,
      Sums sums,
      double unit,
      Workspace workspace,
      Arena arena) {
    F32Matrix y = F32Matrix.allocate(arena, x.rows(), OUTPUTS);
    float[] held = new float[OUTPUTS];
    for (int o = 0; o < OUTPUTS; o++) {
      held[o] = Known.number(o);
    }
    for (int r = 0; r < x.rows(); r++) {
      MemorySegment.copy(held, 0, y.data(), JAVA_FLOAT, y.offsetBytes(r, 0), OUTPUTS);
    }
    kernel.apply(x, y, workspace);
    for (int r = 0; r < x.rows(); r++) {
      for (int o = 0; o < OUTPUTS; o++) {
        double sum = sums.values[r % ROWS][o] + (adds ? held[o] : 0);
        Optional<String> wrong = Known.wrong(y, r, o, sum, unit * sums.sizes[r % ROWS][o]);
        if (wrong.isPresent()) {
          return wrong;
        }
      }
    }
    return Optional.empty();
  }

  /// Integers, times a power of two: groups of 32 whose largest magnitude is 127, so that SPEC.md's
  /// step d (L6) is that power; under a zero point rows that reach from -55 to 200, so that s (L7)
  /// is, and z is -73.
  private static float[] row(int row, int inputs, Numerics numerics) {
    float[] x = new float[inputs];
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
    return x;
  }
}
