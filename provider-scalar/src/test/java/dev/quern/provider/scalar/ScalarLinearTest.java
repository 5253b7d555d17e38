package dev.quern.provider.scalar;

import static dev.quern.provider.scalar.Buffers.assertMarkersIntact;
import static dev.quern.provider.scalar.Buffers.assertSameBits;
import static dev.quern.provider.scalar.Buffers.assertWithin;
import static dev.quern.provider.scalar.LinearReference.U;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.scalar.LinearReference.Quantized;
import dev.quern.provider.scalar.LinearReference.Sums;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleSupplier;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/// SPEC.md, section L, for every format and numerics of the scalar provider.
class ScalarLinearTest {

  /// One call. `stack` holds the outputs of each stacked matrix.
  record Case(
      BlockFormat format,
      Numerics numerics,
      List<Integer> stack,
      int inputs,
      int rows,
      int pad,
      boolean accumulate,
      int parallelism,
      Activations activations,
      long seed) {

    LinearKernel kernel(List<WeightMatrix> stacked) {
      int outputs = stack.stream().mapToInt(Integer::intValue).sum();
      return Kernels.linear(
          new LinearSpec(format, outputs, inputs, accumulate, Set.of(numerics)), stacked);
    }

    List<WeightMatrix> weights(Random random, Arena arena) {
      List<WeightMatrix> matrices = new ArrayList<>();
      for (int outputs : stack) {
        matrices.add(TestWeights.random(format, outputs, inputs, random, arena));
      }
      return matrices;
    }
  }

  /// Activations of a call, one after the other.
  enum Activations {
    GAUSSIAN,
    /// Halves up to 127: with 127 itself in a group, quantization meets ties.
    HALVES,
    /// One sign only: the zero point lies at an end.
    POSITIVE,
    NEGATIVE,
    /// Mostly zero, so that whole groups are, and some values that are not normal numbers.
    SPARSE,
    /// Steps overflow and underflow.
    EXTREME;

    DoubleSupplier values(Random random) {
      return switch (this) {
        case GAUSSIAN -> () -> 3 * random.nextGaussian();
        case HALVES -> () -> random.nextInt(8) == 0 ? 127 : random.nextInt(-254, 255) / 2.0;
        case POSITIVE -> () -> Math.abs(random.nextGaussian());
        case NEGATIVE -> () -> -Math.abs(random.nextGaussian());
        case SPARSE -> () -> random.nextInt(100) == 0 ? random.nextGaussian() * 0x1p-120 : 0;
        case EXTREME ->
            () -> random.nextDouble(-1, 1) * (random.nextInt(50) == 0 ? 0x1.8p127 : 0x1p-140);
      };
    }
  }

  @Property(tries = 300)
  void exactF32IsWithinL5(@ForAll("exact") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(c.seed);
      List<WeightMatrix> weights = c.weights(random, arena);
      Call call = new Call(c, weights, random, arena);
      float[][] y = call.run(Buffers.shuffled(c.parallelism, c.seed));
      call.forEachOutput((r, o, w, row) -> {
        Sums exact = Sums.of(call.x(r), LinearReference.weights(w, row));
        double bound = (c.inputs + 8) * U * exact.magnitude() + 0x1p-126;
        call.assertOutput(bound, exact.sum(), y[r][o], r, o);
      });
    }
  }

  @Property(tries = 400)
  void int8IsTheIntegerModelBitForBit(@ForAll("int8") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(c.seed);
      List<WeightMatrix> weights = c.weights(random, arena);
      Call call = new Call(c, weights, random, arena);
      float[][] y = call.run(Buffers.shuffled(c.parallelism, c.seed));
      call.forEachOutput((r, o, w, row) -> {
        float model = model(call, r, w, row);
        float expected = c.accumulate ? call.before[r][o] + model : model;
        assertEquals(expected, y[r][o], "row " + r + " output " + o);
      });
    }
  }

  @Property(tries = 300)
  void int8IsWithinL9(@ForAll("int8OfNormalSteps") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(c.seed);
      List<WeightMatrix> weights = c.weights(random, arena);
      Call call = new Call(c, weights, random, arena);
      float[][] y = call.run(Buffers.shuffled(c.parallelism, c.seed));
      call.forEachOutput((r, o, w, row) -> {
        Quantized q = quantized(call, r);
        double[] decoded = LinearReference.weights(w, row);
        Sums rounded = Sums.of(q.values(), decoded);
        // The zero point takes part in the sums of KleidiAI's model.
        double magnitude =
            c.numerics.symmetric() ? rounded.magnitude() : Sums.of(q.parts(), decoded).magnitude();
        double tight = (c.inputs + 8) * U * magnitude + 0x1p-126;
        call.assertOutput(tight, rounded.sum(), y[r][o], r, o);

        double steps = c.numerics.symmetric() ? 0.5 : 1.5;
        double wide = tight;
        for (int i = 0; i < c.inputs; i++) {
          wide += steps * (1 + 0x1p-10) * q.step()[i / q.group()] * Math.abs(decoded[i]);
        }
        call.assertOutput(wide, Sums.of(call.x(r), decoded).sum(), y[r][o], r, o);
      });
    }
  }

  @Property(tries = 200)
  void nonFiniteActivationsMakeTheirRowNaNAndNoOther(@ForAll("any") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(c.seed);
      List<WeightMatrix> weights = c.weights(random, arena);
      Call call = new Call(c, weights, random, arena);
      float[][] clean = call.run(Workers.sequential());

      float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
      int row = random.nextInt(c.rows);
      call.x.set(row, random.nextInt(c.inputs), bad[random.nextInt(3)]);
      float[][] y = call.run(Buffers.shuffled(c.parallelism, c.seed));
      for (int r = 0; r < c.rows; r++) {
        if (r == row) {
          for (float value : y[r]) {
            assertTrue(Float.isNaN(value), "row " + r + " has " + value);
          }
        } else {
          assertSameBits(clean[r], y[r], "row " + r);
        }
      }
    }
  }

  @Property(tries = 200)
  void neitherWorkersNorBatchChangeABit(@ForAll("any") Case c) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(c.seed);
      List<WeightMatrix> weights = c.weights(random, arena);
      Call call = new Call(c, weights, random, arena);
      float[][] expected = call.run(Workers.sequential());
      assertSameBits(expected, call.run(Buffers.shuffled(c.parallelism, c.seed)), "workers");
      for (int r = 0; r < c.rows; r++) {
        F32Matrix x = call.x.rowRange(r, r + 1);
        F32Matrix y = Buffers.filled(arena, 1, call.y.columns(), 1, valuesOf(call.before[r]));
        call.kernel.apply(x, y, Buffers.workspace(arena, call.kernel, 1, Workers.sequential()));
        assertSameBits(expected[r], Buffers.row(y, 0), "row " + r + " alone");
      }
    }
  }

  @Test
  void aBadWeightStaysInItsColumn() {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(5);
      for (Numerics numerics : List.of(Numerics.EXACT_F32, Numerics.INT8_SYM_32)) {
        Case c =
            new Case(
                BlockFormat.Q8_0,
                numerics,
                List.of(3),
                64,
                2,
                0,
                false,
                1,
                Activations.GAUSSIAN,
                5);
        List<WeightMatrix> weights = c.weights(random, arena);
        Call call = new Call(c, weights, random, arena);
        float[][] clean = call.run(Workers.sequential());
        long scaleOfRow1 = weights.getFirst().format().rowBytes(64);
        weights.getFirst().data().set(JAVA_BYTE, scaleOfRow1, (byte) 0xFF);
        weights.getFirst().data().set(JAVA_BYTE, scaleOfRow1 + 1, (byte) 0x7F);
        float[][] y = call.run(Workers.sequential());
        for (int r = 0; r < 2; r++) {
          assertTrue(Float.isNaN(y[r][1]), numerics.id());
          assertEquals(clean[r][0], y[r][0]);
          assertEquals(clean[r][2], y[r][2]);
        }
      }
    }
  }

  /// A kernel with its operands. Each run begins with the same y.
  private static final class Call {
    final Case c;
    final List<WeightMatrix> weights;
    final LinearKernel kernel;
    final Arena arena;
    final F32Matrix x;
    final F32Matrix y;

    /// What y holds before a call: NaN unless the spec accumulates.
    final float[][] before;

    Call(Case c, List<WeightMatrix> weights, Random random, Arena arena) {
      this.c = c;
      this.weights = weights;
      this.arena = arena;
      kernel = c.kernel(weights);
      int outputs = weights.stream().mapToInt(WeightMatrix::outputs).sum();
      x = Buffers.filled(arena, c.rows, c.inputs, c.pad, c.activations.values(random));
      y = Buffers.marked(arena, c.rows, outputs, c.pad + 1);
      before = new float[c.rows][outputs];
      for (float[] row : before) {
        for (int o = 0; o < outputs; o++) {
          row[o] = c.accumulate ? (float) random.nextGaussian() : Float.NaN;
        }
      }
    }

    float[][] run(Workers workers) {
      for (int r = 0; r < y.rows(); r++) {
        for (int o = 0; o < y.columns(); o++) {
          y.set(r, o, before[r][o]);
        }
      }
      float[][] input = Buffers.rows(x);
      kernel.apply(x, y, Buffers.workspace(arena, kernel, c.rows, workers));
      assertMarkersIntact(y);
      assertSameBits(input, Buffers.rows(x), "x is unchanged");
      return Buffers.rows(y);
    }

    double[] x(int row) {
      double[] values = new double[c.inputs];
      for (int i = 0; i < values.length; i++) {
        values[i] = x.get(row, i);
      }
      return values;
    }

    /// Adds what y held before, and one rounding for it.
    void assertOutput(double bound, double expected, float actual, int r, int o) {
      double old = c.accumulate ? before[r][o] : 0;
      double rounding = c.accumulate ? U * Math.abs(actual) : 0;
      assertWithin(bound + rounding, old + expected, actual, "row " + r + " output " + o);
    }

    void forEachOutput(Output check) {
      for (int r = 0; r < c.rows; r++) {
        int o = 0;
        for (WeightMatrix w : weights) {
          for (int row = 0; row < w.outputs(); row++) {
            check.check(r, o++, w, row);
          }
        }
      }
    }

    interface Output {
      void check(int r, int o, WeightMatrix w, int row);
    }
  }

  private static Quantized quantized(Call call, int r) {
    float[] x = Buffers.row(call.x, r);
    return call.c.numerics.symmetric()
        ? LinearReference.symmetric(x, call.c.numerics.groupSize())
        : LinearReference.asymmetric(x);
  }

  private static float model(Call call, int r, WeightMatrix w, int row) {
    Quantized q = quantized(call, r);
    return switch (w.format().id()) {
      case "Q2_K", "Q3_K", "Q6_K" -> LinearReference.int8Sym(q, w, row, 16);
      case "INT8_C" -> LinearReference.kleidiInt8(q, w, row);
      case "INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256" ->
          LinearReference.kleidiInt4(q, w, row, w.format().blockElements());
      default -> LinearReference.int8Sym(q, w, row, 32);
    };
  }

  private static DoubleSupplier valuesOf(float[] values) {
    int[] next = {0};
    return () -> values[next[0]++];
  }

  @Provide
  Arbitrary<Case> exact() {
    return cases(exactKinds()).filter(c -> c.activations != Activations.EXTREME); // sums overflow
  }

  @Provide
  Arbitrary<Case> int8() {
    return cases(int8Kinds());
  }

  /// Without the activations whose step is 0 where they are not: what comes out then is for the
  /// integer model to say.
  @Provide
  Arbitrary<Case> int8OfNormalSteps() {
    return cases(int8Kinds())
        .filter(c -> c.activations != Activations.EXTREME && c.activations != Activations.SPARSE);
  }

  @Provide
  Arbitrary<Case> any() {
    List<Kind> kinds = new ArrayList<>(int8Kinds());
    kinds.addAll(exactKinds());
    return cases(kinds);
  }

  private record Kind(BlockFormat format, Numerics numerics) {}

  private static List<Kind> exactKinds() {
    return BlockFormat.standard().stream().map(f -> new Kind(f, Numerics.EXACT_F32)).toList();
  }

  private static List<Kind> int8Kinds() {
    List<Kind> kinds = new ArrayList<>();
    for (BlockFormat format : BlockFormat.standard()) {
      switch (format.id()) {
        case "F32", "F16", "BF16" -> {}
        case "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K" ->
            kinds.add(new Kind(format, Numerics.INT8_SYM_256));
        case "INT8_C", "INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256" ->
            kinds.add(new Kind(format, Numerics.INT8_ASYM_ROW));
        default -> kinds.add(new Kind(format, Numerics.INT8_SYM_32));
      }
    }
    return kinds;
  }

  private static Arbitrary<Case> cases(List<Kind> kinds) {
    return Combinators.combine(
            Arbitraries.of(kinds),
            Arbitraries.integers().between(1, 5).list().ofMinSize(1).ofMaxSize(3),
            Arbitraries.integers().between(1, 70),
            Arbitraries.integers().between(1, 4),
            Arbitraries.integers().between(0, 3),
            Arbitraries.integers().between(1, 4),
            Arbitraries.of(Activations.values()),
            Arbitraries.longs())
        .as((kind, stack, size, rows, pad, parallelism, activations, seed) -> {
          int block = kind.format.blockElements();
          int inputs = block == 1 ? size : block * Math.max(1, size * 8 / block);
          boolean accumulate = new Random(seed).nextBoolean();
          return new Case(
              kind.format,
              kind.numerics,
              stack,
              inputs,
              rows,
              pad,
              accumulate,
              parallelism,
              activations,
              seed);
        });
  }
}
