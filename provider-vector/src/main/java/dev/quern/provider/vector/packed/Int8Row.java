package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.MAX;

import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// A row of x rounded to int8 in groups of 32 (SPEC.md, L6), laid out for kernels whose lanes are
/// outputs: each value twice in an int, so that a broadcast of the int fills vectors of shorts.
///
/// ```
/// pairs: i32[inputs] = q | q << 16 | bias: i32[inputs / 4] = -offset * sum of 4 q, modulo 2^16, twice
///   | scales: f32[inputs / 32] | sums: f32[inputs / 32] = scale * sum of 32 q
/// ```
final class Int8Row {
  /// Adding it to a float below 2^22 leaves the float's integer part, rounded half to even, in the
  /// low bits.
  private static final float ROUND = 0x1.8p23f;

  private static final int ROUND_BITS = 0x4B40_0000;
  private static final int INFINITE = 0x7F80_0000;

  private Int8Row() {}

  /// Bytes of a row.
  static long bytes(int inputs) {
    return Split.align(sumsAt(inputs) + inputs / 8);
  }

  /// Offset of the biases.
  static long biasAt(int inputs) {
    return 4L * inputs;
  }

  /// Offset of the scales.
  static long scalesAt(int inputs) {
    return 5L * inputs;
  }

  /// Offset of the sums.
  static long sumsAt(int inputs) {
    return scalesAt(inputs) + inputs / 8;
  }

  /// Rounds a row.
  ///
  /// @param x the row at `xAt`
  /// @param inputs its length, a multiple of 32
  /// @param offset what is subtracted from the stored values of the weights
  /// @param q where the result goes, at `qAt`
  /// @return whether all of x is finite; if not, what is written means nothing
  static boolean quantize(
      MemorySegment x, long xAt, int inputs, int offset, MemorySegment q, long qAt) {
    long scales = qAt + scalesAt(inputs);
    int largest = 0;
    for (int g = 0; g < inputs / 32; g++) {
      int max = max(x, xAt + 128L * g);
      largest = Math.max(largest, max);
      float d = Float.intBitsToFloat(max) / 127;
      float r = 1 / d;
      if (Float.isInfinite(r)) { // d is 0, or so small that its reciprocal is not a number
        d = 0;
        r = 0;
      }
      q.set(JAVA_FLOAT, scales + 4L * g, d);
      round(x, xAt + 128L * g, r, q, qAt + 128L * g);
    }
    sums(q, qAt, inputs, offset);
    return largest < INFINITE;
  }

  /// The largest magnitude of 32 floats, as bits: they are ordered as the floats are, NaN last.
  private static int max(MemorySegment x, long at) {
    IntVector max = IntVector.zero(I);
    for (int i = 0; i < 32; i += L) {
      IntVector bits = IntVector.fromMemorySegment(I, x, at + 4L * i, LITTLE_ENDIAN);
      max = bits.and(0x7FFF_FFFF).lanewise(MAX, max);
    }
    return max.reduceLanes(MAX);
  }

  private static void round(MemorySegment x, long at, float r, MemorySegment q, long to) {
    for (int i = 0; i < 32; i += L) {
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LITTLE_ENDIAN);
      IntVector n = v.mul(r).add(ROUND).reinterpretAsInts().sub(ROUND_BITS);
      n.and(0xFFFF).or(n.lanewise(LSHL, 16)).intoMemorySegment(q, to + 4L * i, LITTLE_ENDIAN);
    }
  }

  private static void sums(MemorySegment q, long at, int inputs, int offset) {
    long bias = at + biasAt(inputs);
    long scales = at + scalesAt(inputs);
    long sums = at + sumsAt(inputs);
    for (int g = 0; g < inputs / 32; g++) {
      int sum = 0;
      for (int i = 8 * g; i < 8 * g + 8; i++) {
        long from = at + 16L * i;
        int four =
            (short) q.get(JAVA_INT, from)
                + (short) q.get(JAVA_INT, from + 4)
                + (short) q.get(JAVA_INT, from + 8)
                + (short) q.get(JAVA_INT, from + 12);
        int b = -offset * four;
        q.set(JAVA_INT, bias + 4L * i, b & 0xFFFF | b << 16);
        sum += four;
      }
      q.set(JAVA_FLOAT, sums + 4L * g, q.get(JAVA_FLOAT, scales + 4L * g) * sum);
    }
  }
}
