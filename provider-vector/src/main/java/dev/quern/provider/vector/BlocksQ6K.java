package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
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
/// A block has 64 / L steps of L columns of one half.
final class BlocksQ6K {
  private static final int BLOCK = 256;
  private static final int BYTES = 210;
  private static final int QUARTER = 32;
  private static final int STEPS = 2 * QUARTER / L;
  private static final int HIGH = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

  private BlocksQ6K() {}

  /// Half a quarter, of one scale, at a time: with more in one loop C2 boxes vectors.
  static void decode(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long block = Blocks.offset(w, row, from);
    for (int i = 0; i < count; i += BLOCK, block += BYTES) {
      float d = Lanes.scalarF16(src, block + D);
      for (int g = 0; g < 16; g++) {
        int half = g / 8;
        int quarter = g / 2 % 4;
        int c = g % 2 * 16;
        float scale = d * src.get(JAVA_BYTE, block + SCALES + g);
        long low = block + 64 * half + QUARTER * (quarter % 2) + c;
        long high = block + HIGH + QUARTER * half + c;
        int shift = quarter < 2 ? 1 : 16;
        decode(src, low, shift, high, 1 << 2 * quarter, scale, dst, at + 4L * (i + 16 * g));
      }
    }
  }

  /// 16 weights.
  ///
  /// @param lowUnit 1 or 16: the lowest bit of their nibbles
  /// @param highUnit 1, 4, 16 or 64: the lowest bit of their upper bits
  private static void decode(
      MemorySegment src,
      long low,
      int lowUnit,
      long high,
      int highUnit,
      float scale,
      MemorySegment dst,
      long at) {
    float lowScale = 1f / lowUnit;
    float highScale = 16f / highUnit;
    for (int l = 0; l < 16; l += L) {
      FloatVector lows = Lanes.toFloat(Lanes.u8(src, low + l).and(15 * lowUnit));
      FloatVector highs = Lanes.toFloat(Lanes.u8(src, high + l).and(3 * highUnit));
      FloatVector value =
          lows.fma(FloatVector.broadcast(F, lowScale), highs.mul(highScale).sub(32));
      Lanes.store(value.mul(scale), dst, at + 4L * l);
    }
  }

  static void dot(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    dot(m, row0, x, xAt, sums, at);
    dot(m, row1, x, xAt, sums, at + Lanes.BYTES);
  }

  private static void dot(
      WeightMatrix m, int row, MemorySegment x, long xAt, MemorySegment sums, long at) {
    long first = Blocks.offset(m, row, 0);
    int steps = m.inputs() / BLOCK * STEPS;
    dotLow(m.data(), first, steps, x, xAt, sums, at);
    dotHigh(m.data(), first, steps, x, xAt, sums, at);
  }

  /// Quarters 0 and 1.
  private static void dotLow(
      MemorySegment w,
      long first,
      int steps,
      MemorySegment x,
      long xAt,
      MemorySegment sums,
      long at) {
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int step = 0; step < steps; step++) {
      long block = first + (long) (step / STEPS) * BYTES;
      int half = step % STEPS / (STEPS / 2);
      int c = step % (STEPS / 2) * L;
      float d = Lanes.scalarF16(w, block + D);
      long sc = block + SCALES + 8 * half + c / 16;
      IntVector h = Lanes.u8(w, block + HIGH + QUARTER * half + c);
      FloatVector w0 = q0(Lanes.u8(w, block + 64 * half + c), h);
      FloatVector w1 = q1(Lanes.u8(w, block + 64 * half + QUARTER + c), h);
      long xs = xAt + 4L * (BLOCK * (step / STEPS) + BLOCK / 2 * half + c);
      a0 = w0.mul(d * w.get(JAVA_BYTE, sc)).fma(Lanes.f32(x, xs), a0);
      a1 = w1.mul(d * w.get(JAVA_BYTE, sc + 2)).fma(Lanes.f32(x, xs + 4 * QUARTER), a1);
    }
    Lanes.store(a0.add(a1), sums, at);
  }

  /// Quarters 2 and 3, added to the others.
  private static void dotHigh(
      MemorySegment w,
      long first,
      int steps,
      MemorySegment x,
      long xAt,
      MemorySegment sums,
      long at) {
    FloatVector a0 = Lanes.f32(sums, at);
    FloatVector a1 = FloatVector.zero(F);
    for (int step = 0; step < steps; step++) {
      long block = first + (long) (step / STEPS) * BYTES;
      int half = step % STEPS / (STEPS / 2);
      int c = step % (STEPS / 2) * L;
      float d = Lanes.scalarF16(w, block + D);
      long sc = block + SCALES + 8 * half + c / 16;
      IntVector h = Lanes.u8(w, block + HIGH + QUARTER * half + c);
      FloatVector w2 = q2(Lanes.u8(w, block + 64 * half + c), h);
      FloatVector w3 = q3(Lanes.u8(w, block + 64 * half + QUARTER + c), h);
      long xs = xAt + 4L * (BLOCK * (step / STEPS) + BLOCK / 2 * half + c);
      a0 = w2.mul(d * w.get(JAVA_BYTE, sc + 4)).fma(Lanes.f32(x, xs + 8 * QUARTER), a0);
      a1 = w3.mul(d * w.get(JAVA_BYTE, sc + 6)).fma(Lanes.f32(x, xs + 12 * QUARTER), a1);
    }
    Lanes.store(a0.add(a1), sums, at);
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
