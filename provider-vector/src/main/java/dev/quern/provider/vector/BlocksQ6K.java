package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
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
/// So L columns of the four quarters share three loads. There are 64 / L such steps in a block.
final class BlocksQ6K {
  private static final int BLOCK = 256;
  private static final int BYTES = 210;
  private static final int QUARTER = 32;
  private static final int STEPS = 2 * QUARTER / L;
  private static final int HIGH = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

  private BlocksQ6K() {}

  static void decode(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long first = Blocks.offset(w, row, from);
    for (int step = 0; step < count / BLOCK * STEPS; step++) {
      long block = first + (long) (step / STEPS) * BYTES;
      int half = step % STEPS / (STEPS / 2);
      int c = step % (STEPS / 2) * L;
      float d = Lanes.scalarF16(src, block + D);
      long sc = block + SCALES + 8 * half + c / 16;
      IntVector l0 = Lanes.u8(src, block + 64 * half + c);
      IntVector l1 = Lanes.u8(src, block + 64 * half + QUARTER + c);
      IntVector h = Lanes.u8(src, block + HIGH + QUARTER * half + c);
      long to = at + 4L * (BLOCK * (step / STEPS) + BLOCK / 2 * half + c);
      Lanes.store(q0(l0, h).mul(d * src.get(JAVA_BYTE, sc)), dst, to);
      Lanes.store(q1(l1, h).mul(d * src.get(JAVA_BYTE, sc + 2)), dst, to + 4 * QUARTER);
      Lanes.store(q2(l0, h).mul(d * src.get(JAVA_BYTE, sc + 4)), dst, to + 8 * QUARTER);
      Lanes.store(q3(l1, h).mul(d * src.get(JAVA_BYTE, sc + 6)), dst, to + 12 * QUARTER);
    }
  }

  static void dot(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment out, long at) {
    out.set(JAVA_FLOAT, at, dot(m, row0, x, xAt));
    out.set(JAVA_FLOAT, at + 4, dot(m, row1, x, xAt));
  }

  /// One row: four quarters are as many sums as there are registers for.
  private static float dot(WeightMatrix m, int row, MemorySegment x, long xAt) {
    MemorySegment w = m.data();
    long first = Blocks.offset(m, row, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int step = 0; step < m.inputs() / BLOCK * STEPS; step++) {
      long block = first + (long) (step / STEPS) * BYTES;
      int half = step % STEPS / (STEPS / 2);
      int c = step % (STEPS / 2) * L;
      float d = Lanes.scalarF16(w, block + D);
      long sc = block + SCALES + 8 * half + c / 16;
      IntVector l0 = Lanes.u8(w, block + 64 * half + c);
      IntVector l1 = Lanes.u8(w, block + 64 * half + QUARTER + c);
      IntVector h = Lanes.u8(w, block + HIGH + QUARTER * half + c);
      long xs = xAt + 4L * (BLOCK * (step / STEPS) + BLOCK / 2 * half + c);
      a0 = q0(l0, h).mul(d * w.get(JAVA_BYTE, sc)).fma(Lanes.f32(x, xs), a0);
      a1 = q1(l1, h).mul(d * w.get(JAVA_BYTE, sc + 2)).fma(Lanes.f32(x, xs + 4 * QUARTER), a1);
      a0 = q2(l0, h).mul(d * w.get(JAVA_BYTE, sc + 4)).fma(Lanes.f32(x, xs + 8 * QUARTER), a0);
      a1 = q3(l1, h).mul(d * w.get(JAVA_BYTE, sc + 6)).fma(Lanes.f32(x, xs + 12 * QUARTER), a1);
    }
    return Lanes.sum(a0.add(a1));
  }

  private static FloatVector q0(IntVector l, IntVector h) {
    return value(Blocks4.low(l), h.and(3).lanewise(LSHL, 4));
  }

  private static FloatVector q1(IntVector l, IntVector h) {
    return value(Blocks4.low(l), h.and(12).lanewise(LSHL, 2));
  }

  private static FloatVector q2(IntVector l, IntVector h) {
    return value(Blocks4.high(l), h.and(48));
  }

  private static FloatVector q3(IntVector l, IntVector h) {
    return value(Blocks4.high(l), h.lanewise(LSHR, 2).and(48));
  }

  private static FloatVector value(IntVector low, IntVector high) {
    return Lanes.toFloat(low.add(high).sub(32));
  }
}
