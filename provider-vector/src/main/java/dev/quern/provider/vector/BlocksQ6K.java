package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Q6_K (SPEC.md, section F): blocks of 256 weights in two halves of 128.
///
/// ```
/// l[128] | h[64] | sc[16]:i8 | d:f16        (d * sc[e / 16]) * (value - 32), e of the block
///
/// half H, quarter q, column c < 32: element 128H + 32q + c
///   quarter 0  low  nibble of l[64H + c],      bits 0-1 of h[32H + c]
///   quarter 1  low  nibble of l[64H + 32 + c], bits 2-3
///   quarter 2  high nibble of l[64H + c],      bits 4-5
///   quarter 3  high nibble of l[64H + 32 + c], bits 6-7
/// ```
///
/// A step takes L columns of the four quarters of a half, which share three loads; a block has 64 /
/// L steps. Helpers come first in a loop, then the Vector API alone (see [Tile] for why).
final class BlocksQ6K {
  private static final int BLOCK = 256;
  private static final int BYTES = 210;
  private static final int QUARTER = 32;
  private static final int STEPS = 2 * QUARTER / L;
  private static final int HIGH = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

  private BlocksQ6K() {}

  static void decode(WeightMatrix m, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment w = m.data();
    long first = Blocks.offset(m, row, from);
    for (int step = 0; step < count / BLOCK * STEPS; step++) {
      long block = first + (long) (step / STEPS) * BYTES;
      int half = step % STEPS / (STEPS / 2);
      int c = step % (STEPS / 2) * L;
      long sc = block + SCALES + 8 * half + c / 16;
      float d = Lanes.scalarF16(w, block + D);
      IntVector l0 = Lanes.u8(w, block + 64 * half + c);
      IntVector l1 = Lanes.u8(w, block + 64 * half + QUARTER + c);
      IntVector h = Lanes.u8(w, block + HIGH + QUARTER * half + c);
      IntVector q0 = l0.and(15).or(h.and(3).lanewise(LSHL, 4)).sub(32);
      IntVector q1 = l1.and(15).or(h.and(12).lanewise(LSHL, 2)).sub(32);
      IntVector q2 = l0.lanewise(LSHR, 4).or(h.and(48)).sub(32);
      IntVector q3 = l1.lanewise(LSHR, 4).or(h.and(192).lanewise(LSHR, 2)).sub(32);
      FloatVector w0 = (FloatVector) q0.convert(I2F, 0);
      FloatVector w1 = (FloatVector) q1.convert(I2F, 0);
      FloatVector w2 = (FloatVector) q2.convert(I2F, 0);
      FloatVector w3 = (FloatVector) q3.convert(I2F, 0);
      long to = at + 4L * (BLOCK * (step / STEPS) + BLOCK / 2 * half + c);
      w0.mul(d * w.get(JAVA_BYTE, sc)).intoMemorySegment(dst, to, LITTLE_ENDIAN);
      w1.mul(d * w.get(JAVA_BYTE, sc + 2)).intoMemorySegment(dst, to + 4 * QUARTER, LITTLE_ENDIAN);
      w2.mul(d * w.get(JAVA_BYTE, sc + 4)).intoMemorySegment(dst, to + 8 * QUARTER, LITTLE_ENDIAN);
      w3.mul(d * w.get(JAVA_BYTE, sc + 6)).intoMemorySegment(dst, to + 12 * QUARTER, LITTLE_ENDIAN);
    }
  }

  static void dot(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    dot(m, row0, x, xAt, sums, at);
    dot(m, row1, x, xAt, sums, at + Lanes.BYTES);
  }

  /// One row.
  private static void dot(
      WeightMatrix m, int row, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long first = Blocks.offset(m, row, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int step = 0; step < m.inputs() / BLOCK * STEPS; step++) {
      long block = first + (long) (step / STEPS) * BYTES;
      int half = step % STEPS / (STEPS / 2);
      int c = step % (STEPS / 2) * L;
      long sc = block + SCALES + 8 * half + c / 16;
      float d = Lanes.scalarF16(w, block + D);
      IntVector l0 = Lanes.u8(w, block + 64 * half + c);
      IntVector l1 = Lanes.u8(w, block + 64 * half + QUARTER + c);
      IntVector h = Lanes.u8(w, block + HIGH + QUARTER * half + c);
      IntVector q0 = l0.and(15).or(h.and(3).lanewise(LSHL, 4)).sub(32);
      IntVector q1 = l1.and(15).or(h.and(12).lanewise(LSHL, 2)).sub(32);
      IntVector q2 = l0.lanewise(LSHR, 4).or(h.and(48)).sub(32);
      IntVector q3 = l1.lanewise(LSHR, 4).or(h.and(192).lanewise(LSHR, 2)).sub(32);
      FloatVector w0 = (FloatVector) q0.convert(I2F, 0);
      FloatVector w1 = (FloatVector) q1.convert(I2F, 0);
      FloatVector w2 = (FloatVector) q2.convert(I2F, 0);
      FloatVector w3 = (FloatVector) q3.convert(I2F, 0);
      long xs = xAt + 4L * (BLOCK * (step / STEPS) + BLOCK / 2 * half + c);
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, xs, LITTLE_ENDIAN);
      FloatVector x1 = FloatVector.fromMemorySegment(F, x, xs + 4 * QUARTER, LITTLE_ENDIAN);
      FloatVector x2 = FloatVector.fromMemorySegment(F, x, xs + 8 * QUARTER, LITTLE_ENDIAN);
      FloatVector x3 = FloatVector.fromMemorySegment(F, x, xs + 12 * QUARTER, LITTLE_ENDIAN);
      a0 = w0.mul(d * w.get(JAVA_BYTE, sc)).fma(x0, a0);
      a1 = w1.mul(d * w.get(JAVA_BYTE, sc + 2)).fma(x1, a1);
      a0 = w2.mul(d * w.get(JAVA_BYTE, sc + 4)).fma(x2, a0);
      a1 = w3.mul(d * w.get(JAVA_BYTE, sc + 6)).fma(x3, a1);
    }
    a0.add(a1).intoMemorySegment(sums, at, LITTLE_ENDIAN);
  }
}
