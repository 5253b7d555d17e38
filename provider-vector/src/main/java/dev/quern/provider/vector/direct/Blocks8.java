package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.B;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.I16;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.ByteVector.SPECIES_128;
import static jdk.incubator.vector.VectorOperators.B2F;

import dev.quern.data.WeightMatrix;
import dev.quern.provider.vector.lanes.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;

/// Weights of 8 bits (SPEC.md, section F):
///
/// ```
/// Q8_0     d:f16 | q[32]:i8           d * q
/// INT8_C   q:i8, scale:f32 per row    scale * q
/// ```
public final class Blocks8 {
  private static final int BLOCK = 32;
  private static final int BYTES = 2 + BLOCK;

  private Blocks8() {}

  /// Q8_0, taken apart ([Groups]).
  public static void q8_0(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long q = Blocks.offset(m, row, from) + 2;
    for (int i = 0; i < count / BLOCK; i++) {
      long block = q + (long) BYTES * i;
      long to = at + (long) BLOCK * i;
      ByteVector low = ByteVector.fromMemorySegment(SPECIES_128, w, block, LITTLE_ENDIAN);
      ByteVector high = ByteVector.fromMemorySegment(SPECIES_128, w, block + 16, LITTLE_ENDIAN);
      low.intoMemorySegment(g, to, LITTLE_ENDIAN);
      high.intoMemorySegment(g, to + 16, LITTLE_ENDIAN);
    }
    Blocks.scales(m, row, from, count, g, at);
  }

  /// Multiplies two rows of Q8_0, straight from their blocks, where there are vectors of L bytes.
  public static void dotQ8_0(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long r0 = Blocks.offset(m, row0, 0);
    long r1 = Blocks.offset(m, row1, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int i = 0; i < m.inputs() / BLOCK; i++) {
      FloatVector d0 =
          FloatVector.broadcast(F, Float.float16ToFloat(w.get(I16, r0 + (long) BYTES * i)));
      FloatVector d1 =
          FloatVector.broadcast(F, Float.float16ToFloat(w.get(I16, r1 + (long) BYTES * i)));
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, xAt + 128L * i, LITTLE_ENDIAN);
      ByteVector b00 = ByteVector.fromMemorySegment(B, w, r0 + (long) BYTES * i + 2, LITTLE_ENDIAN);
      ByteVector b10 = ByteVector.fromMemorySegment(B, w, r1 + (long) BYTES * i + 2, LITTLE_ENDIAN);
      FloatVector p0 = ((FloatVector) b00.convertShape(B2F, F, 0)).mul(x0);
      FloatVector p1 = ((FloatVector) b10.convertShape(B2F, F, 0)).mul(x0);
      FloatVector x1 = FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 4 * L, LITTLE_ENDIAN);
      ByteVector b01 =
          ByteVector.fromMemorySegment(B, w, r0 + (long) BYTES * i + 2 + L, LITTLE_ENDIAN);
      ByteVector b11 =
          ByteVector.fromMemorySegment(B, w, r1 + (long) BYTES * i + 2 + L, LITTLE_ENDIAN);
      p0 = ((FloatVector) b01.convertShape(B2F, F, 0)).fma(x1, p0);
      p1 = ((FloatVector) b11.convertShape(B2F, F, 0)).fma(x1, p1);
      if (L == 8) {
        FloatVector x2 = FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 8 * L, LITTLE_ENDIAN);
        ByteVector b02 =
            ByteVector.fromMemorySegment(B, w, r0 + (long) BYTES * i + 2 + 2 * L, LITTLE_ENDIAN);
        ByteVector b12 =
            ByteVector.fromMemorySegment(B, w, r1 + (long) BYTES * i + 2 + 2 * L, LITTLE_ENDIAN);
        p0 = ((FloatVector) b02.convertShape(B2F, F, 0)).fma(x2, p0);
        p1 = ((FloatVector) b12.convertShape(B2F, F, 0)).fma(x2, p1);
        FloatVector x3 =
            FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 12 * L, LITTLE_ENDIAN);
        ByteVector b03 =
            ByteVector.fromMemorySegment(B, w, r0 + (long) BYTES * i + 2 + 3 * L, LITTLE_ENDIAN);
        ByteVector b13 =
            ByteVector.fromMemorySegment(B, w, r1 + (long) BYTES * i + 2 + 3 * L, LITTLE_ENDIAN);
        p0 = ((FloatVector) b03.convertShape(B2F, F, 0)).fma(x3, p0);
        p1 = ((FloatVector) b13.convertShape(B2F, F, 0)).fma(x3, p1);
      }
      a0 = p0.fma(d0, a0);
      a1 = p1.fma(d1, a1);
    }
    a0.intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
  }

  public static void decodeInt8(
      WeightMatrix m, int row, int from, int count, MemorySegment s, long to, long room) {
    MemorySegment w = m.data();
    long first = (long) row * m.inputs() + from;
    float scale = m.scales().get(F32, 4L * row);
    int whole = whole(count);
    for (int i = 0; i < whole; i += L) {
      ByteVector b = ByteVector.fromMemorySegment(B, w, first + i, LITTLE_ENDIAN);
      FloatVector q = (FloatVector) b.convertShape(B2F, F, 0);
      q.mul(scale).intoMemorySegment(s, to + 4L * i, LITTLE_ENDIAN);
    }
    for (int i = whole; i < count; i++) {
      s.set(F32, to + 4L * i, scale * w.get(JAVA_BYTE, first + i));
    }
  }

  public static void dotInt8(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    int n = m.inputs();
    long r0 = (long) row0 * n;
    long r1 = (long) row1 * n;
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    int whole = whole(n);
    for (int i = 0; i < whole; i += L) {
      FloatVector xi = FloatVector.fromMemorySegment(F, x, xAt + 4L * i, LITTLE_ENDIAN);
      ByteVector b0 = ByteVector.fromMemorySegment(B, w, r0 + i, LITTLE_ENDIAN);
      ByteVector b1 = ByteVector.fromMemorySegment(B, w, r1 + i, LITTLE_ENDIAN);
      a0 = ((FloatVector) b0.convertShape(B2F, F, 0)).fma(xi, a0);
      a1 = ((FloatVector) b1.convertShape(B2F, F, 0)).fma(xi, a1);
    }
    float d0 = m.scales().get(F32, 4L * row0);
    float d1 = m.scales().get(F32, 4L * row1);
    a0.mul(d0).intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.mul(d1).intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
    for (int i = whole; i < n; i++) {
      float xi = x.get(F32, xAt + 4L * i);
      Floats.add(sums, at, d0 * w.get(JAVA_BYTE, r0 + i) * xi);
      Floats.add(sums, at + Lanes.BYTES, d1 * w.get(JAVA_BYTE, r1 + i) * xi);
    }
  }

  /// How many of n bytes vectors of floats can be made of. There are no vectors of 4 bytes: where L
  /// is 4, 8 are read.
  private static int whole(int n) {
    return Lanes.whole(Math.max(0, n - B.length() + L));
  }
}
