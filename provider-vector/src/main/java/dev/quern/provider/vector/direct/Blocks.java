package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.B;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.I16;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.B2F;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;

/// Where blocks lie, and what begins those of 32 weights.
final class Blocks {
  private Blocks() {}

  /// Index in the matrix of the block that weight `from` of a row begins.
  static long index(WeightMatrix w, int row, int from) {
    return ((long) row * w.inputs() + from) / w.format().blockElements();
  }

  /// Its offset in the data plane, in bytes.
  static long offset(WeightMatrix w, int row, int from) {
    BlockFormat format = w.format();
    return index(w, row, from) * format.blockBytes();
  }

  /// The scales of blocks of 32 weights that begin with `d:f16`.
  static void scales(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    floats(m, offset(m, row, from), count, g, at + Groups.SCALES);
  }

  /// As [#scales], of blocks that begin with `d:f16 | m:f16`.
  static void scalesAndOffsets(
      WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    long block = offset(m, row, from);
    floats(m, block, count, g, at + Groups.SCALES);
    floats(m, block + 2, count, g, at + Groups.OFFSETS);
  }

  private static void floats(WeightMatrix m, long block, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    int bytes = m.format().blockBytes();
    for (int i = 0; i < count / 32; i++) {
      float value = Float.float16ToFloat(w.get(I16, block + (long) bytes * i));
      g.set(F32, at + 8L * i, value);
      g.set(F32, at + 8L * i + 4, value);
    }
  }

  /// The scales of blocks of 256 weights: signed bytes, one for each 16 weights, times a number of
  /// the block.
  ///
  /// @param m the blocks
  /// @param d offset of the first block's number, `f16`
  /// @param sign a factor
  /// @param blocks how many
  /// @param g the bytes, `[blocks][16]` at `from`, and room behind them; the scales go to `to`
  static void scales16(
      WeightMatrix m, long d, int sign, int blocks, MemorySegment g, long from, long to) {
    MemorySegment w = m.data();
    int bytes = m.format().blockBytes();
    for (int i = 0; i < blocks; i++) {
      float factor = sign * Float.float16ToFloat(w.get(I16, d + (long) bytes * i));
      ByteVector b0 = ByteVector.fromMemorySegment(B, g, from + 16L * i, LITTLE_ENDIAN);
      FloatVector f0 = ((FloatVector) b0.convertShape(B2F, F, 0)).mul(factor);
      f0.intoMemorySegment(g, to + 64L * i, LITTLE_ENDIAN);
      if (L <= 8) {
        ByteVector b1 = ByteVector.fromMemorySegment(B, g, from + 16L * i + L, LITTLE_ENDIAN);
        FloatVector f1 = ((FloatVector) b1.convertShape(B2F, F, 0)).mul(factor);
        f1.intoMemorySegment(g, to + 64L * i + 4 * L, LITTLE_ENDIAN);
      }
      if (L == 4) {
        ByteVector b2 = ByteVector.fromMemorySegment(B, g, from + 16L * i + 2 * L, LITTLE_ENDIAN);
        FloatVector f2 = ((FloatVector) b2.convertShape(B2F, F, 0)).mul(factor);
        f2.intoMemorySegment(g, to + 64L * i + 8 * L, LITTLE_ENDIAN);
        ByteVector b3 = ByteVector.fromMemorySegment(B, g, from + 16L * i + 3 * L, LITTLE_ENDIAN);
        FloatVector f3 = ((FloatVector) b3.convertShape(B2F, F, 0)).mul(factor);
        f3.intoMemorySegment(g, to + 64L * i + 12 * L, LITTLE_ENDIAN);
      }
    }
  }
}
