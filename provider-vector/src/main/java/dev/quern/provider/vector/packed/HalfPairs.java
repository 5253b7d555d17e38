package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Halves.REBASE;
import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.provider.vector.lanes.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Vectors of `2 * L` halves that belong to the outputs of a panel: lane `j` of 32 bits holds that
/// of output `j` in its low half, and that of output `L + j` in its high one. Read as L lanes or as
/// 2 L, nothing has to cross lanes.
final class HalfPairs {
  private static final float BACK = 0x1p-112f;

  private HalfPairs() {}

  /// Offset of an output's half in such a vector, in bytes.
  static long offset(int column) {
    return 4L * (column % L) + 2L * (column / L);
  }

  /// Binary16 to F32: for each vector one of the low halves and one of the high. The exponent is
  /// rebased by a multiplication by 2^112, which makes subnormals normal, and what had the largest
  /// exponent, infinities and NaN, comes out at 2^16 or above. A second multiplication makes
  /// infinities of these, and of nothing else, since 65504 * 2^112 is a float; the third is exact
  /// (rule L11).
  static void f16(MemorySegment w, long from, int vectors, MemorySegment dst, long to) {
    for (int i = 0; i < vectors; i++) {
      IntVector s = IntVector.fromMemorySegment(I, w, from + i * BYTES, LITTLE_ENDIAN);
      FloatVector low =
          s.and(0x7FFF).lanewise(LSHL, 13).reinterpretAsFloats().mul(REBASE).mul(REBASE).mul(BACK);
      low.reinterpretAsInts()
          .or(s.and(0x8000).lanewise(LSHL, 16))
          .intoMemorySegment(dst, to + i * (2 * BYTES), LITTLE_ENDIAN);
      FloatVector high =
          s.lanewise(LSHR, 3)
              .and(0x7FFF << 13)
              .reinterpretAsFloats()
              .mul(REBASE)
              .mul(REBASE)
              .mul(BACK);
      high.reinterpretAsInts()
          .or(s.and(0x8000_0000))
          .intoMemorySegment(dst, to + i * (2 * BYTES) + BYTES, LITTLE_ENDIAN);
    }
  }

  /// Bfloat16 to F32, each vector `times` times: for each one of the low halves and one of the
  /// high.
  ///
  /// @param first number of the first result, counted from the vector at `from`
  static void bf16(
      MemorySegment w, long from, int first, int count, int times, MemorySegment dst, long to) {
    for (int i = 0; i < count; i++) {
      long vector = (first + i) / times;
      IntVector s = IntVector.fromMemorySegment(I, w, from + vector * BYTES, LITTLE_ENDIAN);
      s.lanewise(LSHL, 16).intoMemorySegment(dst, to + i * (2 * BYTES), LITTLE_ENDIAN);
      s.and(0xFFFF_0000).intoMemorySegment(dst, to + i * (2 * BYTES) + BYTES, LITTLE_ENDIAN);
    }
  }

  /// Multiplies pairs of vectors by numbers: those of group g by `x[g / perX]`.
  static void scale(MemorySegment data, long at, int groups, int perX, MemorySegment x, long xAt) {
    for (int g = 0; g < groups; g++) {
      float d = Lanes.scalarF32(x, xAt + 4L * (g / perX));
      long o = at + g * (2 * BYTES);
      FloatVector.fromMemorySegment(Lanes.F, data, o, LITTLE_ENDIAN)
          .mul(d)
          .intoMemorySegment(data, o, LITTLE_ENDIAN);
      FloatVector.fromMemorySegment(Lanes.F, data, o + BYTES, LITTLE_ENDIAN)
          .mul(d)
          .intoMemorySegment(data, o + BYTES, LITTLE_ENDIAN);
    }
  }
}
