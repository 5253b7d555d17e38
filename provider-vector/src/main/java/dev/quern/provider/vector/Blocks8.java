package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// Weights of 8 bits (SPEC.md, section F):
///
/// ```
/// Q8_0     d:f16 | q[32]:i8           d * q
/// INT8_C   q:i8, scale:f32 per row    scale * q
/// ```
final class Blocks8 {
  private static final int BLOCK = 32;
  private static final int BYTES = 2 + BLOCK;

  private Blocks8() {}

  static void decodeQ8_0(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long block = Blocks.offset(w, row, from);
    for (int i = 0; i < count; i += BLOCK, block += BYTES) {
      FloatVector d = FloatVector.broadcast(F, Lanes.scalarF16(src, block));
      for (int j = 0; j < BLOCK; j += L) {
        FloatVector q = Lanes.i8ToFloat(src, block + 2 + j);
        Lanes.store(q.mul(d), dst, at + 4L * (i + j));
      }
    }
  }

  static void dotQ8_0(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long row0At = Blocks.offset(m, row0, 0);
    long row1At = Blocks.offset(m, row1, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    int n = m.inputs();
    for (int i = 0; i < n; i += 2 * L) { // one block or a part of one
      long block = (long) (i / BLOCK) * BYTES;
      long b0 = row0At + block;
      long b1 = row1At + block;
      int q = 2 + i % BLOCK;
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, xAt + 4L * i, LITTLE_ENDIAN);
      FloatVector x1 =
          FloatVector.fromMemorySegment(F, x, xAt + 4L * i + Lanes.BYTES, LITTLE_ENDIAN);
      FloatVector s0 = Lanes.i8ToFloat(w, b0 + q).mul(x0);
      FloatVector s1 = Lanes.i8ToFloat(w, b1 + q).mul(x0);
      s0 = Lanes.i8ToFloat(w, b0 + q + L).fma(x1, s0);
      s1 = Lanes.i8ToFloat(w, b1 + q + L).fma(x1, s1);
      a0 = s0.fma(FloatVector.broadcast(F, Lanes.scalarF16(w, b0)), a0);
      a1 = s1.fma(FloatVector.broadcast(F, Lanes.scalarF16(w, b1)), a1);
    }
    a0.intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
  }

  static void decodeInt8(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long q = (long) row * w.inputs() + from;
    float scale = Lanes.scalarF32(w.scales(), 4L * row);
    int whole = Lanes.whole(count);
    for (int i = 0; i < whole; i += L) {
      Lanes.store(Lanes.i8ToFloat(src, q + i).mul(scale), dst, at + 4L * i);
    }
    for (int i = whole; i < count; i++) {
      dst.set(JAVA_FLOAT, at + 4L * i, scale * src.get(JAVA_BYTE, q + i));
    }
  }

  static void dotInt8(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    int n = m.inputs();
    long q0 = (long) row0 * n;
    long q1 = (long) row1 * n;
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    int whole = Lanes.whole(n);
    for (int i = 0; i < whole; i += L) {
      FloatVector xi = FloatVector.fromMemorySegment(F, x, xAt + 4L * i, LITTLE_ENDIAN);
      a0 = Lanes.i8ToFloat(w, q0 + i).fma(xi, a0);
      a1 = Lanes.i8ToFloat(w, q1 + i).fma(xi, a1);
    }
    float d0 = Lanes.scalarF32(m.scales(), 4L * row0);
    float d1 = Lanes.scalarF32(m.scales(), 4L * row1);
    a0.mul(d0).intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.mul(d1).intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
    for (int i = whole; i < n; i++) {
      float xi = x.get(JAVA_FLOAT, xAt + 4L * i);
      Floats.add(sums, at, d0 * w.get(JAVA_BYTE, q0 + i) * xi);
      Floats.add(sums, at + Lanes.BYTES, d1 * w.get(JAVA_BYTE, q1 + i) * xi);
    }
  }
}
