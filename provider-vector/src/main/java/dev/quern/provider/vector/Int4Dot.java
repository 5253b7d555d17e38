package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;
import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.I;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// A panel of packed 4-bit weights times one row of int8 activations, in int16: eight products of a
/// nibble (0 to 15) and a value of x (-127 to 127) are at most 15,240 in magnitude, and so need no
/// widening; -8 times the sum of x corrects for the nibbles' offset, exactly. Then they are
/// widened, scaled and added up in F32. One flat loop: where the scales were applied once in 32, in
/// an outer loop, entering and leaving the inner one cost more than that saved.
final class Int4Dot {
  private static final VectorSpecies<Short> S = F.withLanes(short.class);

  private Int4Dot() {}

  /// @param w packed values ([Int4Panels]) at `wAt`
  /// @param n inputs / 8
  /// @param q the row's values and biases ([Int8Row]) at `qAt` and `biasAt`
  /// @param d scales of weights times those of x at `dAt`, two vectors for 32 inputs
  /// @param y where the panel's sums go, two vectors
  static void dot(
      MemorySegment w,
      long wAt,
      int n,
      MemorySegment q,
      long qAt,
      long biasAt,
      MemorySegment d,
      long dAt,
      MemorySegment y,
      long yAt) {
    FloatVector low = FloatVector.zero(F);
    FloatVector high = FloatVector.zero(F);
    for (int c = 0; c < n; c++) {
      long at = wAt + c * (2 * BYTES);
      long x = qAt + 32L * c;
      ShortVector v = ShortVector.fromMemorySegment(S, w, at, LITTLE_ENDIAN);
      ShortVector a =
          IntVector.broadcast(I, q.get(JAVA_INT, biasAt + 4L * c)).reinterpretAsShorts();
      a =
          v.and((short) 15)
              .mul(IntVector.broadcast(I, q.get(JAVA_INT, x)).reinterpretAsShorts())
              .add(a);
      ShortVector b =
          v.lanewise(LSHR, 4)
              .and((short) 15)
              .mul(IntVector.broadcast(I, q.get(JAVA_INT, x + 4)).reinterpretAsShorts());
      a =
          v.lanewise(LSHR, 8)
              .and((short) 15)
              .mul(IntVector.broadcast(I, q.get(JAVA_INT, x + 8)).reinterpretAsShorts())
              .add(a);
      b =
          v.lanewise(LSHR, 12)
              .mul(IntVector.broadcast(I, q.get(JAVA_INT, x + 12)).reinterpretAsShorts())
              .add(b);
      ShortVector u = ShortVector.fromMemorySegment(S, w, at + BYTES, LITTLE_ENDIAN);
      a =
          u.and((short) 15)
              .mul(IntVector.broadcast(I, q.get(JAVA_INT, x + 16)).reinterpretAsShorts())
              .add(a);
      b =
          u.lanewise(LSHR, 4)
              .and((short) 15)
              .mul(IntVector.broadcast(I, q.get(JAVA_INT, x + 20)).reinterpretAsShorts())
              .add(b);
      a =
          u.lanewise(LSHR, 8)
              .and((short) 15)
              .mul(IntVector.broadcast(I, q.get(JAVA_INT, x + 24)).reinterpretAsShorts())
              .add(a);
      b =
          u.lanewise(LSHR, 12)
              .mul(IntVector.broadcast(I, q.get(JAVA_INT, x + 28)).reinterpretAsShorts())
              .add(b);
      IntVector sums = a.add(b).reinterpretAsInts();
      long scale = dAt + (c >> 2) * (2 * BYTES);
      FloatVector l =
          (FloatVector) sums.lanewise(LSHL, 16).lanewise(ASHR, 16).convertShape(I2F, F, 0);
      low = FloatVector.fromMemorySegment(F, d, scale, LITTLE_ENDIAN).fma(l, low);
      FloatVector h = (FloatVector) sums.lanewise(ASHR, 16).convertShape(I2F, F, 0);
      high = FloatVector.fromMemorySegment(F, d, scale + BYTES, LITTLE_ENDIAN).fma(h, high);
    }
    low.intoMemorySegment(y, yAt, LITTLE_ENDIAN);
    high.intoMemorySegment(y, yAt + BYTES, LITTLE_ENDIAN);
  }
}
