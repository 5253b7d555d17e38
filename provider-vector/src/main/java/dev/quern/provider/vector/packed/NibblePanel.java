package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.OFF_HEAP;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.XOR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// Values of 4 bits in a panel: bits `4i .. 4i + 3` of a half of vector c are the value of weight
/// `4c + i` of the half's output ([HalfPairs]).
final class NibblePanel {
  /// As bits: 2^23, whose last bit is a unit, so that or-ing a small integer in adds it.
  static final int TWO_23 = 0x4B00_0000;

  private NibblePanel() {}

  /// Two panels times one row of int8 activations, in int16: four products of a value (0 to 15) and
  /// a value of x (-127 to 127) are at most 7,620 in magnitude, and so need no widening; the bias
  /// of x corrects for the values' offset, exactly. Then they are widened, scaled and added up in
  /// F32.
  ///
  /// One flat loop: where the scales were applied once in 32, in an outer loop, entering and
  /// leaving the inner one cost more than that saved. And a short one: eight products at a time
  /// take a fifth fewer instructions, but with the types of segments that a process of several
  /// models has seen, C2 no longer inlines all of it, and boxes.
  ///
  /// @param panels packed values; the panels are `first` and the next
  /// @param q begins with the row ([Int8Row])
  /// @param s where the panels' sums go, two vectors each, at `sums`; and the scales of the panels'
  ///   weights times those of x at `d0` and `d1`, for 32 inputs two vectors each
  static void dot(
      Panels panels, int first, MemorySegment q, MemorySegment s, long sums, long d0, long d1) {
    MemorySegment w = panels.data();
    long w0 = panels.at(first);
    long w1 = panels.at(panels.next(first));
    int n = panels.inputs() / 4;
    long biasAt = Int8Row.biasAt(panels.inputs());
    FloatVector low0 = FloatVector.zero(F);
    FloatVector high0 = FloatVector.zero(F);
    FloatVector low1 = FloatVector.zero(F);
    FloatVector high1 = FloatVector.zero(F);
    for (int c = 0; c < n; c++) {
      long x = 16L * c;
      IntVector v0 = IntVector.fromMemorySegment(I, w, w0 + c * BYTES, LITTLE_ENDIAN);
      IntVector v1 = IntVector.fromMemorySegment(I, w, w1 + c * BYTES, LITTLE_ENDIAN);
      ShortVector bias =
          IntVector.broadcast(I, q.get(JAVA_INT, biasAt + 4L * c)).reinterpretAsShorts();
      ShortVector x0 = IntVector.broadcast(I, q.get(JAVA_INT, x)).reinterpretAsShorts();
      ShortVector a0 = v0.and(0x000F_000F).reinterpretAsShorts().mul(x0).add(bias);
      ShortVector a1 = v1.and(0x000F_000F).reinterpretAsShorts().mul(x0).add(bias);
      ShortVector x1 = IntVector.broadcast(I, q.get(JAVA_INT, x + 4)).reinterpretAsShorts();
      a0 = v0.lanewise(LSHR, 4).and(0x000F_000F).reinterpretAsShorts().mul(x1).add(a0);
      a1 = v1.lanewise(LSHR, 4).and(0x000F_000F).reinterpretAsShorts().mul(x1).add(a1);
      ShortVector x2 = IntVector.broadcast(I, q.get(JAVA_INT, x + 8)).reinterpretAsShorts();
      a0 = v0.lanewise(LSHR, 8).and(0x000F_000F).reinterpretAsShorts().mul(x2).add(a0);
      a1 = v1.lanewise(LSHR, 8).and(0x000F_000F).reinterpretAsShorts().mul(x2).add(a1);
      ShortVector x3 = IntVector.broadcast(I, q.get(JAVA_INT, x + 12)).reinterpretAsShorts();
      a0 = v0.lanewise(LSHR, 12).and(0x000F_000F).reinterpretAsShorts().mul(x3).add(a0);
      a1 = v1.lanewise(LSHR, 12).and(0x000F_000F).reinterpretAsShorts().mul(x3).add(a1);
      long scale = (c >> 3) * (2 * BYTES);
      // Halves become floats by masks: with the sign bit flipped a sum is 0 .. 65,535, which or-ed
      // into 2^23 is a float, and what is then subtracted takes both off again. All of it is exact.
      IntVector s0 = a0.reinterpretAsInts().lanewise(XOR, 0x8000_8000);
      low0 =
          s0.and(0xFFFF)
              .or(TWO_23)
              .reinterpretAsFloats()
              .sub(0x1p23f + 0x8000)
              .fma(FloatVector.fromMemorySegment(F, s, d0 + scale, LITTLE_ENDIAN), low0);
      high0 =
          s0.lanewise(LSHR, 16)
              .or(TWO_23)
              .reinterpretAsFloats()
              .sub(0x1p23f + 0x8000)
              .fma(FloatVector.fromMemorySegment(F, s, d0 + scale + BYTES, LITTLE_ENDIAN), high0);
      IntVector s1 = a1.reinterpretAsInts().lanewise(XOR, 0x8000_8000);
      low1 =
          s1.and(0xFFFF)
              .or(TWO_23)
              .reinterpretAsFloats()
              .sub(0x1p23f + 0x8000)
              .fma(FloatVector.fromMemorySegment(F, s, d1 + scale, LITTLE_ENDIAN), low1);
      high1 =
          s1.lanewise(LSHR, 16)
              .or(TWO_23)
              .reinterpretAsFloats()
              .sub(0x1p23f + 0x8000)
              .fma(FloatVector.fromMemorySegment(F, s, d1 + scale + BYTES, LITTLE_ENDIAN), high1);
    }
    low0.intoMemorySegment(s, sums, LITTLE_ENDIAN);
    high0.intoMemorySegment(s, sums + BYTES, LITTLE_ENDIAN);
    low1.intoMemorySegment(s, sums + 2 * BYTES, LITTLE_ENDIAN);
    high1.intoMemorySegment(s, sums + 3 * BYTES, LITTLE_ENDIAN);
  }

  /// Decodes values to F32: `dst[weight][2 * L] = value * scale - min`.
  ///
  /// @param data packed values at `at`, from the first weight that is wanted
  /// @param vectors how many vectors of values
  /// @param s where they go, at `to`; scales at `scales` and minima at `minima`, for 32 weights two
  ///   vectors each
  static void decode(
      MemorySegment data,
      long at,
      int vectors,
      MemorySegment s,
      long scales,
      long minima,
      long to) {
    data = OFF_HEAP.cast(data);
    s = OFF_HEAP.cast(s);
    for (int c = 0; c < vectors; c++) {
      IntVector v = IntVector.fromMemorySegment(I, data, at + c * BYTES, LITTLE_ENDIAN);
      long g = (c >> 3) * (2 * BYTES);
      FloatVector low = FloatVector.fromMemorySegment(F, s, scales + g, LITTLE_ENDIAN);
      FloatVector high = FloatVector.fromMemorySegment(F, s, scales + g + BYTES, LITTLE_ENDIAN);
      FloatVector lowMin = FloatVector.fromMemorySegment(F, s, minima + g, LITTLE_ENDIAN).neg();
      FloatVector highMin =
          FloatVector.fromMemorySegment(F, s, minima + g + BYTES, LITTLE_ENDIAN).neg();
      long o = to + c * (8 * BYTES);
      v.and(15)
          .or(TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f)
          .fma(low, lowMin)
          .intoMemorySegment(s, o, LITTLE_ENDIAN);
      v.lanewise(LSHR, 16)
          .and(15)
          .or(TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f)
          .fma(high, highMin)
          .intoMemorySegment(s, o + 1 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 4)
          .and(15)
          .or(TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f)
          .fma(low, lowMin)
          .intoMemorySegment(s, o + 2 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 20)
          .and(15)
          .or(TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f)
          .fma(high, highMin)
          .intoMemorySegment(s, o + 3 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 8)
          .and(15)
          .or(TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f)
          .fma(low, lowMin)
          .intoMemorySegment(s, o + 4 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 24)
          .and(15)
          .or(TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f)
          .fma(high, highMin)
          .intoMemorySegment(s, o + 5 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 12)
          .and(15)
          .or(TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f)
          .fma(low, lowMin)
          .intoMemorySegment(s, o + 6 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 28)
          .or(TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f)
          .fma(high, highMin)
          .intoMemorySegment(s, o + 7 * BYTES, LITTLE_ENDIAN);
    }
  }
}
