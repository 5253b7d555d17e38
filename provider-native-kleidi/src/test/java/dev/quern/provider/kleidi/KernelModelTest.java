package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.quern.data.Bf16;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearSpec;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Every row of the table that this CPU and library have, against [KleidiModel]: packed rows byte
/// for byte, results bit for bit. Since the model is one for all rows of a family, so are the bits.
@Tag(ArmHost.TAG)
class KernelModelTest {
  private static final byte FILLER = 0x55;
  private static final long SEED = 20261122;

  /// Asked once: to ask is to open the library and to call it.
  private static final class Library {
    static final boolean ROUNDS_TO_EVEN = ArmHost.kernels("rounding").roundsToEven();
  }

  /// Rows, outputs and inputs of a case.
  private record Shape(int rows, int outputs, int inputs) {}

  @TestFactory
  Stream<DynamicTest> packedRowsAreTheModels() {
    return rows(
        "packed rows",
        pair -> {
          int block = Math.min(32, pair.row().family().formats().getFirst().blockElements());
          for (int rows = 1; rows <= 17; rows++) {
            for (int inputs : block == 1 ? new int[] {1, 31, 77, 256} : new int[] {32, 288}) {
              packedRows(pair, rows, inputs, 0);
              packedRows(pair, rows, inputs, 3);
            }
          }
          packedRows(pair, 2, 8192, 0);
        });
  }

  @TestFactory
  Stream<DynamicTest> resultsAreTheModels() {
    return rows(
        "results",
        pair -> {
          for (BlockFormat format : pair.row().family().formats()) {
            shapes(pair, format).forEach(shape -> results(pair, format, shape));
          }
        });
  }

  private interface Check {
    void check(KernelPair pair);
  }

  /// A test for each row that can run here.
  private static Stream<DynamicTest> rows(String what, Check check) {
    LoadedKernels kernels = ArmHost.kernels(what + " against the model");
    List<KernelPair> pairs = kernels.allPairs();
    assertFalse(pairs.isEmpty(), "no row of the table runs here");
    return pairs.stream()
        .map(p -> DynamicTest.dynamicTest(what + " " + p.gemm().name(), () -> check.check(p)));
  }

  /// Every number of rows up to 17, tails of every kind, short rows and long ones.
  private static Stream<Shape> shapes(KernelPair pair, BlockFormat format) {
    int nr = (int) pair.tiling().nr();
    int block = format.blockElements();
    int some = block == 1 ? 77 : Math.max(block, 96 / block * block);
    Stream<Shape> rows = IntStream.rangeClosed(1, 17).mapToObj(m -> new Shape(m, nr + 3, some));
    Stream<Shape> tails =
        IntStream.rangeClosed(1, nr).mapToObj(n -> new Shape(1 + n % 2, n, Math.max(32, block)));
    int several = block == 1 ? 333 : 3 * block;
    return Stream.of(
            rows,
            tails,
            Stream.of(
                new Shape(1, 2 * nr + 1, several),
                new Shape(33, 2 * nr + 1, several),
                new Shape(1, 3, 2048),
                new Shape(5, 3, 8192)))
        .flatMap(s -> s);
  }

  private static void packedRows(KernelPair pair, int rows, int inputs, int gap) {
    Random random = new Random(SEED + rows);
    try (Arena arena = Arena.ofConfined()) {
      F32Matrix x = x(arena, rows, inputs, gap, random);
      PackedRows packed = PackedRows.of(pair, rows == 1 ? pair.gemv() : pair.gemm(), inputs);
      MemorySegment scratch = arena.allocate(packed.bytes(rows), 64).fill(FILLER);
      packed.pack(x, 0, packed.tiles(rows), scratch);

      byte[] expected = packed.u().lhs().isEmpty() ? new byte[0] : packed(pair, packed.u(), x);
      assertArrayEquals(
          expected,
          scratch.asSlice(0, expected.length).toArray(JAVA_BYTE),
          String.format(
              Locale.ROOT,
              "%s: rows=%d, inputs=%d, gap=%d, seed=%d",
              packed.u().name(),
              rows,
              inputs,
              gap,
              SEED + rows));
      for (int r = 0; r < rows; r++) {
        float factor = pair.row().lhs().blocks() ? round(pair, packed.u(), row(x, r)).factor() : 1;
        assertEquals(factor, packed.factor(scratch, rows, r));
      }
    }
  }

  /// The model's packed rows.
  private static byte[] packed(KernelPair pair, KleidiAi.MicroKernel u, F32Matrix x) {
    KleidiAi.Tiling t = u.tiling();
    RowPacking packing = pair.row().lhs();
    if (packing == RowPacking.BF16 || packing == RowPacking.F32_SME) {
      float[][] rows =
          IntStream.range(0, x.rows()).mapToObj(r -> row(x, r)).toArray(float[][]::new);
      return KleidiModel.packedFloats(packing, rows, (int) t.mr());
    }
    KleidiModel.Row[] rows =
        IntStream.range(0, x.rows())
            .mapToObj(r -> round(pair, u, row(x, r)))
            .toArray(KleidiModel.Row[]::new);
    return KleidiModel.packed(
        packing, rows, x.columns(), (int) t.mr(), (int) (t.kr() / t.sr()), FILLER);
  }

  private static void results(KernelPair pair, BlockFormat format, Shape shape) {
    long seed = SEED + shape.hashCode();
    Random random = new Random(seed);
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix w = TestWeights.random(format, shape.outputs, shape.inputs, random, arena);
      F32Matrix x = x(arena, shape.rows, shape.inputs, shape.rows % 3, random);
      LinearSpec spec =
          new LinearSpec(
              format, shape.outputs, shape.inputs, false, Set.of(pair.row().family().numerics()));
      KleidiLinear kernel =
          new KleidiLinear(
              spec, pair, PackedWeights.pack(pair, spec, List.of(w), arena, Workers.sequential()));
      F32Matrix y = F32Matrix.allocate(arena, shape.rows, shape.outputs);
      MemorySegment scratch = arena.allocate(kernel.scratchBytes(shape.rows, 1), 64);
      kernel.apply(x, y, new Workspace(scratch, Workers.sequential()));

      KleidiAi.MicroKernel u = shape.rows == 1 ? pair.gemv() : pair.gemm();
      for (int r = 0; r < shape.rows; r++) {
        float[] values = row(x, r);
        ToDoubleFunction<Integer> model = model(pair, u, values, w);
        for (int o = 0; o < shape.outputs; o++) {
          assertEquals(
              model.applyAsDouble(o) + 0d, // zeros of either sign are the same
              y.get(r, o) + 0d,
              pair.row().family() == KernelFamily.ROUNDED_FLOATS ? bf16Bound(values, w, o) : 0,
              String.format(
                  Locale.ROOT,
                  "%s: %s %s, y[%d][%d], seed=%d",
                  u.name(),
                  format,
                  shape,
                  r,
                  o,
                  seed));
        }
      }
    }
  }

  private static KleidiModel.Row round(KernelPair pair, KleidiAi.MicroKernel u, float[] x) {
    boolean vectors = u.tiling().kr() / u.tiling().sr() == 8;
    return switch (pair.row().lhs()) {
      case BLOCKS, BLOCKS_SME -> new KleidiModel(false).blocks(x);
      default -> new KleidiModel(vectors && Library.ROUNDS_TO_EVEN).perRow(x);
    };
  }

  /// The products of a row of x, by output.
  private static ToDoubleFunction<Integer> model(
      KernelPair pair, KleidiAi.MicroKernel u, float[] x, WeightMatrix w) {
    KleidiAi.Tiling t = pair.tiling();
    return switch (pair.row().family()) {
      case FLOATS -> o -> KleidiModel.f32(x, w, o);
      case ROUNDED_FLOATS -> o -> bf16Products(x, w, o).sum();
      case INT4_BLOCKS -> {
        KleidiModel.Row row = round(pair, u, x);
        int chunk = pair.rhs().name().endsWith("_neon") ? 32 : (int) (2 * t.kr() / t.sr());
        yield o -> KleidiModel.int4(row, w, o, chunk);
      }
      case Q4 -> {
        KleidiModel.Row row = round(pair, u, x);
        yield o -> KleidiModel.q4(row, w, o);
      }
      case INT8_CHANNELS -> {
        KleidiModel.Row row = round(pair, u, x);
        yield o -> KleidiModel.int8(row, w, o);
      }
    };
  }

  private static DoubleStream bf16Products(float[] x, WeightMatrix w, int o) {
    return IntStream.range(0, x.length)
        .mapToDouble(i ->
            (double) Bf16.toFloat(Bf16.fromFloat(x[i]))
                * Bf16.toFloat(w.data().get(JAVA_SHORT_UNALIGNED, 2L * ((long) o * x.length + i))));
  }

  /// L13, but for what subnormals add.
  private static double bf16Bound(float[] x, WeightMatrix w, int o) {
    return 0x1p-118 + (x.length + 8) * 0x1p-24 * bf16Products(x, w, o).map(Math::abs).sum();
  }

  /// Rows of every kind in turn: mixed, of one sign, with ties, zeros, small and large.
  private static F32Matrix x(Arena arena, int rows, int inputs, int gap, Random random) {
    F32Matrix x = F32Matrix.allocate(arena, rows, inputs + gap).columnRange(0, inputs);
    x.data().fill((byte) 0x7f); // what lies between rows is huge
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < inputs; i++) {
        float v = (float) random.nextGaussian();
        x.set(
            r,
            i,
            switch ((r + rows) % 9) {
              case 1 -> Math.abs(v) + 1;
              case 2 -> -Math.abs(v) - 1;
              case 3 -> i == 0 ? 127 : Math.round(v * 40) + 0.5f;
              case 4 -> 0;
              case 5 -> v * 1e-6f;
              case 6 -> v * 1e9f;
              case 7 -> i % 32 == 0 ? 1000 * v : v;
              case 8 -> i < 32 ? v / 128 : v / 4096; // F16 scales below the normal ones
              default -> v;
            });
      }
    }
    return x;
  }

  private static float[] row(F32Matrix x, int r) {
    float[] row = new float[x.columns()];
    for (int i = 0; i < row.length; i++) {
      row[i] = x.get(r, i);
    }
    return row;
  }
}
