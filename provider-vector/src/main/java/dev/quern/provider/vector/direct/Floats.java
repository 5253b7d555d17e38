package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Halves.FIELDS;
import static dev.quern.provider.vector.lanes.Halves.LIMIT;
import static dev.quern.provider.vector.lanes.Halves.NON_FINITE;
import static dev.quern.provider.vector.lanes.Halves.REBASE;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static dev.quern.provider.vector.lanes.Lanes.S;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;

import dev.quern.data.WeightMatrix;
import dev.quern.provider.vector.lanes.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// F32, F16 and BF16: rows of plain numbers, of any length, so each loop has a scalar tail.
///
/// A binary16 number becomes a float as [dev.quern.provider.vector.lanes.Halves] says. Infinities
/// and NaN get the largest exponent back, made from the integers they came from. To reinterpret the
/// float as an integer would cost every loop of the process that stores floats: the interpreter
/// does it through an array, C2 then expects arrays in [FloatVector#intoMemorySegment] and checks
/// the segment at each store (decoders fell from 4 to 2 G weights/s on AVX2).
///
/// Loops call the Vector API themselves (see [Groups] for why).
public final class Floats {
  private Floats() {}

  public static void decodeF32(
      WeightMatrix w, int row, int from, int count, MemorySegment s, long to, long room) {
    MemorySegment.copy(w.data(), 4 * element(w, row, from), s, to, 4L * count);
  }

  public static void decodeF16(
      WeightMatrix w, int row, int from, int count, MemorySegment s, long to, long room) {
    MemorySegment src = w.data();
    long srcAt = 2 * element(w, row, from);
    int whole = Lanes.whole(count);
    for (int i = 0; i < whole; i += L) {
      ShortVector h = ShortVector.fromMemorySegment(S, src, srcAt + 2L * i, LITTLE_ENDIAN);
      IntVector b = ((IntVector) h.convertShape(S2I, I, 0)).lanewise(LSHL, 13).and(FIELDS);
      FloatVector v = b.reinterpretAsFloats().mul(REBASE);
      FloatVector n = b.or(NON_FINITE).reinterpretAsFloats();
      FloatVector f = v.blend(n, v.abs().compare(GE, LIMIT));
      f.intoMemorySegment(s, to + 4L * i, LITTLE_ENDIAN);
    }
    for (int i = whole; i < count; i++) {
      s.set(JAVA_FLOAT, to + 4L * i, Lanes.scalarF16(src, srcAt + 2L * i));
    }
  }

  public static void decodeBf16(
      WeightMatrix w, int row, int from, int count, MemorySegment s, long to, long room) {
    MemorySegment src = w.data();
    long srcAt = 2 * element(w, row, from);
    int whole = Lanes.whole(count);
    for (int i = 0; i < whole; i += L) {
      ShortVector h = ShortVector.fromMemorySegment(S, src, srcAt + 2L * i, LITTLE_ENDIAN);
      IntVector b = ((IntVector) h.convertShape(S2I, I, 0)).lanewise(LSHL, 16);
      b.reinterpretAsFloats().intoMemorySegment(s, to + 4L * i, LITTLE_ENDIAN);
    }
    for (int i = whole; i < count; i++) {
      s.set(JAVA_FLOAT, to + 4L * i, Lanes.scalarBf16(src, srcAt + 2L * i));
    }
  }

  public static void dotF32(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long w0 = 4 * element(m, row0, 0);
    long w1 = 4 * element(m, row1, 0);
    int n = m.inputs();
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    int whole = Lanes.whole(n);
    for (int i = 0; i < whole; i += L) {
      FloatVector xi = FloatVector.fromMemorySegment(F, x, xAt + 4L * i, LITTLE_ENDIAN);
      a0 = FloatVector.fromMemorySegment(F, w, w0 + 4L * i, LITTLE_ENDIAN).fma(xi, a0);
      a1 = FloatVector.fromMemorySegment(F, w, w1 + 4L * i, LITTLE_ENDIAN).fma(xi, a1);
    }
    a0.intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
    for (int i = whole; i < n; i++) {
      float xi = x.get(JAVA_FLOAT, xAt + 4L * i);
      add(sums, at, Lanes.scalarF32(w, w0 + 4L * i) * xi);
      add(sums, at + Lanes.BYTES, Lanes.scalarF32(w, w1 + 4L * i) * xi);
    }
  }

  /// Infinities and NaN are taken for finite numbers of 2^16 and above, and [DamagedHalves] has
  /// found their rows (rule L11): two multiplications, as the packed formats have, cost 14 % here.
  public static void dotF16(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long w0 = 2 * element(m, row0, 0);
    long w1 = 2 * element(m, row1, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    int n = m.inputs();
    int whole = Lanes.whole(n);
    for (int i = 0; i < whole; i += L) {
      FloatVector xi = FloatVector.fromMemorySegment(F, x, xAt + 4L * i, LITTLE_ENDIAN);
      ShortVector h0 = ShortVector.fromMemorySegment(S, w, w0 + 2L * i, LITTLE_ENDIAN);
      IntVector b0 = ((IntVector) h0.convertShape(S2I, I, 0)).lanewise(LSHL, 13).and(FIELDS);
      a0 = b0.reinterpretAsFloats().mul(REBASE).fma(xi, a0);
      ShortVector h1 = ShortVector.fromMemorySegment(S, w, w1 + 2L * i, LITTLE_ENDIAN);
      IntVector b1 = ((IntVector) h1.convertShape(S2I, I, 0)).lanewise(LSHL, 13).and(FIELDS);
      a1 = b1.reinterpretAsFloats().mul(REBASE).fma(xi, a1);
    }
    a0.intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
    for (int i = whole; i < n; i++) {
      float xi = x.get(JAVA_FLOAT, xAt + 4L * i);
      add(sums, at, Lanes.scalarF16(w, w0 + 2L * i) * xi);
      add(sums, at + Lanes.BYTES, Lanes.scalarF16(w, w1 + 2L * i) * xi);
    }
  }

  public static void dotBf16(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long w0 = 2 * element(m, row0, 0);
    long w1 = 2 * element(m, row1, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    int n = m.inputs();
    int whole = Lanes.whole(n);
    for (int i = 0; i < whole; i += L) {
      FloatVector xi = FloatVector.fromMemorySegment(F, x, xAt + 4L * i, LITTLE_ENDIAN);
      ShortVector h0 = ShortVector.fromMemorySegment(S, w, w0 + 2L * i, LITTLE_ENDIAN);
      IntVector b0 = ((IntVector) h0.convertShape(S2I, I, 0)).lanewise(LSHL, 16);
      a0 = b0.reinterpretAsFloats().fma(xi, a0);
      ShortVector h1 = ShortVector.fromMemorySegment(S, w, w1 + 2L * i, LITTLE_ENDIAN);
      IntVector b1 = ((IntVector) h1.convertShape(S2I, I, 0)).lanewise(LSHL, 16);
      a1 = b1.reinterpretAsFloats().fma(xi, a1);
    }
    a0.intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
    for (int i = whole; i < n; i++) {
      float xi = x.get(JAVA_FLOAT, xAt + 4L * i);
      add(sums, at, Lanes.scalarBf16(w, w0 + 2L * i) * xi);
      add(sums, at + Lanes.BYTES, Lanes.scalarBf16(w, w1 + 2L * i) * xi);
    }
  }

  /// Adds what no vector holds to the first lane of a stored one.
  static void add(MemorySegment sums, long at, float value) {
    sums.set(JAVA_FLOAT, at, sums.get(JAVA_FLOAT, at) + value);
  }

  /// Index of a weight in the matrix.
  private static long element(WeightMatrix w, int row, int from) {
    return (long) row * w.inputs() + from;
  }
}
