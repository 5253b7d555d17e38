package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.L;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Weights of 5 bits (SPEC.md, section F). Nibbles as in Q4_0; bit i of h is the fifth bit of
/// element i:
///
/// ```
/// Q5_0   d:f16 | h:u32 | n[16]            d * (value - 16)
/// Q5_1   d:f16 | m:f16 | h:u32 | n[16]    d * value + m
/// ```
final class Blocks5 {
  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;

  private Blocks5() {}

  static void decodeQ5_0(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long block = Blocks.offset(w, row, from);
    for (int i = 0; i < count; i += BLOCK, block += 6 + HALF) {
      FloatVector d = FloatVector.broadcast(F, Lanes.scalarF16(src, block));
      int h = Lanes.scalarI32(src, block + 2);
      for (int j = 0; j < HALF; j += L) {
        IntVector n = Lanes.u8(src, block + 6 + j);
        IntVector low = value(Blocks4.low(n), h >>> j).sub(16);
        IntVector high = value(Blocks4.high(n), h >>> j + HALF).sub(16);
        Lanes.store(Lanes.toFloat(low).mul(d), dst, at + 4L * (i + j));
        Lanes.store(Lanes.toFloat(high).mul(d), dst, at + 4L * (i + j + HALF));
      }
    }
  }

  static void decodeQ5_1(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long block = Blocks.offset(w, row, from);
    for (int i = 0; i < count; i += BLOCK, block += 8 + HALF) {
      FloatVector d = FloatVector.broadcast(F, Lanes.scalarF16(src, block));
      FloatVector m = FloatVector.broadcast(F, Lanes.scalarF16(src, block + 2));
      int h = Lanes.scalarI32(src, block + 4);
      for (int j = 0; j < HALF; j += L) {
        IntVector n = Lanes.u8(src, block + 8 + j);
        IntVector low = value(Blocks4.low(n), h >>> j);
        IntVector high = value(Blocks4.high(n), h >>> j + HALF);
        Lanes.store(Lanes.toFloat(low).mul(d).add(m), dst, at + 4L * (i + j));
        Lanes.store(Lanes.toFloat(high).mul(d).add(m), dst, at + 4L * (i + j + HALF));
      }
    }
  }

  /// Nibbles with their fifth bits, the first of which is the lowest of `bits`.
  private static IntVector value(IntVector nibbles, int bits) {
    return nibbles.add(Lanes.bits(bits).lanewise(LSHL, 4));
  }
}
