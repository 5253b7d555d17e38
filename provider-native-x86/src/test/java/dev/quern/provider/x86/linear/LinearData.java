package dev.quern.provider.x86.linear;

import dev.quern.data.Bf16;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.linear.floats.FloatCode;
import dev.quern.provider.x86.linear.floats.FloatLinear;
import dev.quern.provider.x86.linear.int8.Int8Code;
import dev.quern.provider.x86.linear.int8.Int8Linear;
import dev.quern.provider.x86.linear.panel.PanelWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.Set;

/// Random operands of a linear, and a call of it.
public record LinearData(F32Matrix x, WeightMatrix w) {
  /// Weights with every stored value, scales of either sign; rows of very different size, and
  /// zeros.
  public static LinearData random(
      Arena arena, BlockFormat format, int rows, int outputs, int inputs, long seed) {
    Random random = new Random(seed);
    MemorySegment data = arena.allocate(outputs * format.rowBytes(inputs));
    for (long i = 0; i < data.byteSize(); i++) {
      data.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
    floats(format, data, random);
    for (long block = 0; block < data.byteSize(); block += format.blockBytes()) {
      for (int half : halves(format)) {
        short scale = Float.floatToFloat16((float) random.nextGaussian() / 100);
        data.set(ValueLayout.JAVA_SHORT_UNALIGNED, block + half, scale);
      }
    }
    int blocks = format.blocksPerRow(inputs);
    MemorySegment scales = arena.allocate(format.scalePlane().bytes(outputs, blocks));
    for (long at = 0; at < scales.byteSize(); at += format.scalePlane().bytes(1, 1)) {
      int scale = Float.floatToIntBits((float) random.nextGaussian() / 100);
      if (format.equals(BlockFormat.INT8_C)) {
        scales.set(ValueLayout.JAVA_INT_UNALIGNED, at, scale);
      } else {
        scales.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) (scale >> 16));
      }
    }
    F32Matrix x = F32Matrix.allocate(arena, rows, inputs);
    for (int r = 0; r < rows; r++) {
      float size = Math.scalb(1f, random.nextInt(40) - 20);
      for (int i = 0; i < inputs; i++) {
        x.set(r, i, random.nextInt(9) == 0 ? 0 : size * (float) random.nextGaussian());
      }
    }
    return new LinearData(x, new WeightMatrix(format, data, scales, outputs, inputs));
  }

  /// Weights that are floats: finite ones, of very different size.
  private static void floats(BlockFormat format, MemorySegment data, Random random) {
    for (long at = 0; at < data.byteSize(); at += format.blockBytes()) {
      float value = (float) random.nextGaussian() * Math.scalb(1f, random.nextInt(20) - 14);
      switch (format.id()) {
        case "F32" -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, value);
        case "F16" -> data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(value));
        case "BF16" -> data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Bf16.fromFloat(value));
        default -> {
          return;
        }
      }
    }
  }

  /// Where a block's F16 numbers are: SPEC.md, section F.
  private static List<Integer> halves(BlockFormat format) {
    return switch (format.id()) {
      case "Q4_1", "Q5_1", "Q4_K", "Q5_K" -> List.of(0, 2);
      case "Q6_K" -> List.of(208);
      case "INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256", "INT8_C", "F32", "F16", "BF16" ->
          List.of();
      default -> List.of(0);
    };
  }

  /// `y = x·Wᵀ`, over NaN; or added to what y held.
  ///
  /// @param before `[rows][outputs]`; null where nothing is added to
  public F32Matrix apply(Int8Code code, Arena arena, float[][] before) {
    LinearSpec spec =
        new LinearSpec(
            w.format(), w.outputs(), w.inputs(), before != null, Set.of(code.format().numerics()));
    PanelWeights weights = code.pack(spec, List.of(w), arena, Workers.sequential());
    return apply(new Int8Linear(spec, code, weights), arena, before);
  }

  /// The same by rows that are floats.
  public F32Matrix apply(FloatCode code, Arena arena, float[][] before) {
    LinearSpec spec =
        new LinearSpec(
            w.format(), w.outputs(), w.inputs(), before != null, Set.of(Numerics.EXACT_F32));
    LinearKernel kernel = FloatLinear.pack(spec, code, List.of(w), arena, Workers.sequential());
    return apply(kernel, arena, before);
  }

  private F32Matrix apply(LinearKernel kernel, Arena arena, float[][] before) {
    F32Matrix y = F32Matrix.allocate(arena, x.rows(), w.outputs());
    for (int r = 0; r < x.rows(); r++) {
      for (int o = 0; o < w.outputs(); o++) {
        y.set(r, o, before == null ? Float.NaN : before[r][o]);
      }
    }
    MemorySegment scratch = arena.allocate(kernel.scratchBytes(x.rows(), 1), 64);
    scratch.fill((byte) -1); // NaN
    kernel.apply(x, y, new Workspace(scratch, Workers.sequential()));
    return y;
  }
}
