package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.ByteVector.SPECIES_128;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.WeightMatrix;
import dev.quern.provider.vector.lanes.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;

/// MXFP4 (SPEC.md, section F), taken apart ([Groups]): blocks of 32 weights with a power of two.
///
/// ```
/// e:u8 | n[16]      low nibble of n[j]: element j, high: element j + 16
///                   2^(e - 128) * E[nibble]
/// ```
public final class BlocksMx {
  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;
  private static final int BYTES = 1 + HALF;

  /// Of nibbles a vector, as they index it: the numbers of E2M1, twice.
  private static final ByteVector E =
      ByteVector.fromArray(
          SPECIES_128, new byte[] {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}, 0);

  /// Scales by e.
  private static final float[] SCALES = new float[256];

  static {
    for (int e = 0; e < 255; e++) {
      SCALES[e] = Math.scalb(1f, e - 128);
    }
    SCALES[255] = Float.NaN;
  }

  private BlocksMx() {}

  public static void mxfp4(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long block = Blocks.offset(m, row, from);
    for (int i = 0; i < count / BLOCK; i++) {
      long to = at + (long) BLOCK * i;
      ByteVector b =
          ByteVector.fromMemorySegment(SPECIES_128, w, block + 1 + (long) BYTES * i, LITTLE_ENDIAN);
      ByteVector high = b.reinterpretAsShorts().lanewise(LSHR, 4).reinterpretAsBytes();
      b.and((byte) 15).selectFrom(E).intoMemorySegment(g, to, LITTLE_ENDIAN);
      high.and((byte) 15).selectFrom(E).intoMemorySegment(g, to + HALF, LITTLE_ENDIAN);
    }
    long scales = at + Groups.SCALES;
    for (int i = 0; i < count / BLOCK; i++) {
      float scale = SCALES[w.get(JAVA_BYTE, block + (long) BYTES * i) & 0xFF];
      g.set(F32, scales + 8L * i, scale);
      g.set(F32, scales + 8L * i + 4, scale);
    }
  }

  /// Multiplies two rows straight from their blocks, where there are vectors of L bytes.
  public static void dotMxfp4(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long r0 = Blocks.offset(m, row0, 0);
    long r1 = Blocks.offset(m, row1, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int i = 0; i < m.inputs() / BLOCK; i++) {
      long b0 = r0 + (long) BYTES * i;
      long b1 = r1 + (long) BYTES * i;
      FloatVector d0 = FloatVector.broadcast(F, SCALES[w.get(JAVA_BYTE, b0) & 0xFF]);
      FloatVector d1 = FloatVector.broadcast(F, SCALES[w.get(JAVA_BYTE, b1) & 0xFF]);
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, xAt + 128L * i, LITTLE_ENDIAN);
      FloatVector y0 =
          FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 4 * HALF, LITTLE_ENDIAN);
      ByteVector n0 = ByteVector.fromMemorySegment(SPECIES_128, w, b0 + 1, LITTLE_ENDIAN);
      ByteVector h0 = n0.reinterpretAsShorts().lanewise(LSHR, 4).reinterpretAsBytes();
      ByteVector t0 = n0.and((byte) 15).selectFrom(E);
      ByteVector u0 = h0.and((byte) 15).selectFrom(E);
      ByteVector n1 = ByteVector.fromMemorySegment(SPECIES_128, w, b1 + 1, LITTLE_ENDIAN);
      ByteVector h1 = n1.reinterpretAsShorts().lanewise(LSHR, 4).reinterpretAsBytes();
      ByteVector t1 = n1.and((byte) 15).selectFrom(E);
      ByteVector u1 = h1.and((byte) 15).selectFrom(E);
      FloatVector p0 = ((FloatVector) t0.convertShape(B2F, F, 0)).mul(x0);
      p0 = ((FloatVector) u0.convertShape(B2F, F, 0)).fma(y0, p0);
      FloatVector p1 = ((FloatVector) t1.convertShape(B2F, F, 0)).mul(x0);
      p1 = ((FloatVector) u1.convertShape(B2F, F, 0)).fma(y0, p1);
      if (L == 8) {
        FloatVector x1 = FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 4 * L, LITTLE_ENDIAN);
        FloatVector y1 =
            FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 4 * HALF + 4 * L, LITTLE_ENDIAN);
        p0 = ((FloatVector) t0.convertShape(B2F, F, 1)).fma(x1, p0);
        p0 = ((FloatVector) u0.convertShape(B2F, F, 1)).fma(y1, p0);
        p1 = ((FloatVector) t1.convertShape(B2F, F, 1)).fma(x1, p1);
        p1 = ((FloatVector) u1.convertShape(B2F, F, 1)).fma(y1, p1);
      }
      a0 = p0.fma(d0, a0);
      a1 = p1.fma(d1, a1);
    }
    a0.intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
  }
}
