package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.B;
import static dev.quern.provider.vector.lanes.Lanes.B_PART;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.I16;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.ByteVector.SPECIES_128;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2S;

import dev.quern.data.WeightMatrix;
import dev.quern.provider.vector.lanes.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Weights of 4 bits (SPEC.md, section F), taken apart ([Groups]):
///
/// ```
/// Q4_0      d:f16 | n[16]              low nibble of n[j]: element j, high: element j + 16
///                                      d * (nibble - 8)
/// Q4_1      d:f16 | m:f16 | n[16]      as Q4_0, d * nibble + m
/// IQ4_NL    d:f16 | n[16]              as Q4_0, d * T[nibble]
/// INT4_Bg   n[g/2], scale:bf16         low nibble of n[j]: element 2j, high: element 2j + 1
///                                      scale * (nibble - 8)
/// ```
public final class Blocks4 {
  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;
  private static final int BYTES_0 = 2 + HALF;

  /// Half as many bytes as [Lanes#B_PART], and as many shorts.
  private static final VectorSpecies<Byte> B_HALF =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(B_PART.vectorBitSize() / 2));

  private static final VectorSpecies<Short> S_PART = B_PART.withLanes(short.class);

  /// IQ4_NL's: of nibbles a vector, as they index it.
  private static final ByteVector T =
      ByteVector.fromArray(
          SPECIES_128,
          new byte[] {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113},
          0);

  private Blocks4() {}

  public static void q4_0(WeightMatrix w, int row, int from, int count, MemorySegment g, long at) {
    nibbles(w, Blocks.offset(w, row, from) + 2, count, 8, g, at);
    Blocks.scales(w, row, from, count, g, at);
  }

  public static void q4_1(WeightMatrix w, int row, int from, int count, MemorySegment g, long at) {
    nibbles(w, Blocks.offset(w, row, from) + 4, count, 0, g, at);
    Blocks.scalesAndOffsets(w, row, from, count, g, at);
  }

  public static void iq4_nl(
      WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long n = Blocks.offset(m, row, from) + 2;
    for (int i = 0; i < count / BLOCK; i++) {
      long to = at + (long) BLOCK * i;
      ByteVector b =
          ByteVector.fromMemorySegment(SPECIES_128, w, n + (long) BYTES_0 * i, LITTLE_ENDIAN);
      ByteVector high = b.reinterpretAsShorts().lanewise(LSHR, 4).reinterpretAsBytes();
      b.and((byte) 15).selectFrom(T).intoMemorySegment(g, to, LITTLE_ENDIAN);
      high.and((byte) 15).selectFrom(T).intoMemorySegment(g, to + HALF, LITTLE_ENDIAN);
    }
    Blocks.scales(m, row, from, count, g, at);
  }

  /// @param n offset of the first block's nibbles
  /// @param bias what is subtracted
  private static void nibbles(
      WeightMatrix m, long n, int count, int bias, MemorySegment g, long at) {
    MemorySegment w = m.data();
    int bytes = m.format().blockBytes();
    for (int i = 0; i < count / BLOCK; i++) {
      long to = at + (long) BLOCK * i;
      ByteVector b =
          ByteVector.fromMemorySegment(SPECIES_128, w, n + (long) bytes * i, LITTLE_ENDIAN);
      ByteVector high = b.reinterpretAsShorts().lanewise(LSHR, 4).reinterpretAsBytes();
      b.and((byte) 15).sub((byte) bias).intoMemorySegment(g, to, LITTLE_ENDIAN);
      high.and((byte) 15).sub((byte) bias).intoMemorySegment(g, to + HALF, LITTLE_ENDIAN);
    }
  }

  /// Multiplies two rows of Q4_0, straight from their blocks, where there are vectors of L bytes.
  public static void dotQ4_0(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long r0 = Blocks.offset(m, row0, 0);
    long r1 = Blocks.offset(m, row1, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int i = 0; i < m.inputs() / BLOCK; i++) {
      long b0 = r0 + (long) BYTES_0 * i;
      long b1 = r1 + (long) BYTES_0 * i;
      FloatVector d0 = FloatVector.broadcast(F, Float.float16ToFloat(w.get(I16, b0)));
      FloatVector d1 = FloatVector.broadcast(F, Float.float16ToFloat(w.get(I16, b1)));
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, xAt + 128L * i, LITTLE_ENDIAN);
      FloatVector y0 =
          FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 4 * HALF, LITTLE_ENDIAN);
      ByteVector n00 = ByteVector.fromMemorySegment(B, w, b0 + 2, LITTLE_ENDIAN);
      IntVector i00 = (IntVector) n00.convertShape(ZERO_EXTEND_B2I, I, 0);
      FloatVector p0 = ((FloatVector) i00.and(15).sub(8).convert(I2F, 0)).mul(x0);
      p0 = ((FloatVector) i00.lanewise(LSHR, 4).sub(8).convert(I2F, 0)).fma(y0, p0);
      ByteVector n10 = ByteVector.fromMemorySegment(B, w, b1 + 2, LITTLE_ENDIAN);
      IntVector i10 = (IntVector) n10.convertShape(ZERO_EXTEND_B2I, I, 0);
      FloatVector p1 = ((FloatVector) i10.and(15).sub(8).convert(I2F, 0)).mul(x0);
      p1 = ((FloatVector) i10.lanewise(LSHR, 4).sub(8).convert(I2F, 0)).fma(y0, p1);
      if (L == 8) {
        FloatVector x1 = FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 4 * L, LITTLE_ENDIAN);
        FloatVector y1 =
            FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 4 * HALF + 4 * L, LITTLE_ENDIAN);
        ByteVector n01 = ByteVector.fromMemorySegment(B, w, b0 + 2 + L, LITTLE_ENDIAN);
        IntVector i01 = (IntVector) n01.convertShape(ZERO_EXTEND_B2I, I, 0);
        p0 = ((FloatVector) i01.and(15).sub(8).convert(I2F, 0)).fma(x1, p0);
        p0 = ((FloatVector) i01.lanewise(LSHR, 4).sub(8).convert(I2F, 0)).fma(y1, p0);
        ByteVector n11 = ByteVector.fromMemorySegment(B, w, b1 + 2 + L, LITTLE_ENDIAN);
        IntVector i11 = (IntVector) n11.convertShape(ZERO_EXTEND_B2I, I, 0);
        p1 = ((FloatVector) i11.and(15).sub(8).convert(I2F, 0)).fma(x1, p1);
        p1 = ((FloatVector) i11.lanewise(LSHR, 4).sub(8).convert(I2F, 0)).fma(y1, p1);
      }
      a0 = p0.fma(d0, a0);
      a1 = p1.fma(d1, a1);
    }
    a0.intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
  }

  /// Multiplies two rows of IQ4_NL, straight from their blocks, where there are vectors of L bytes.
  public static void dotIq4_nl(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long r0 = Blocks.offset(m, row0, 0);
    long r1 = Blocks.offset(m, row1, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int i = 0; i < m.inputs() / BLOCK; i++) {
      long b0 = r0 + (long) BYTES_0 * i;
      long b1 = r1 + (long) BYTES_0 * i;
      FloatVector d0 = FloatVector.broadcast(F, Float.float16ToFloat(w.get(I16, b0)));
      FloatVector d1 = FloatVector.broadcast(F, Float.float16ToFloat(w.get(I16, b1)));
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, xAt + 128L * i, LITTLE_ENDIAN);
      FloatVector y0 =
          FloatVector.fromMemorySegment(F, x, xAt + 128L * i + 4 * HALF, LITTLE_ENDIAN);
      ByteVector n0 = ByteVector.fromMemorySegment(SPECIES_128, w, b0 + 2, LITTLE_ENDIAN);
      ByteVector h0 = n0.reinterpretAsShorts().lanewise(LSHR, 4).reinterpretAsBytes();
      ByteVector t0 = n0.and((byte) 15).selectFrom(T);
      ByteVector u0 = h0.and((byte) 15).selectFrom(T);
      ByteVector n1 = ByteVector.fromMemorySegment(SPECIES_128, w, b1 + 2, LITTLE_ENDIAN);
      ByteVector h1 = n1.reinterpretAsShorts().lanewise(LSHR, 4).reinterpretAsBytes();
      ByteVector t1 = n1.and((byte) 15).selectFrom(T);
      ByteVector u1 = h1.and((byte) 15).selectFrom(T);
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

  public static void int4(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    pairs(m.data(), Blocks.offset(m, row, from), count, g, at);
    MemorySegment scales = m.scales();
    // Groups of a block, as a shift: a division would take as long as all the rest.
    int shift = Integer.numberOfTrailingZeros(m.format().blockElements() / Groups.GROUP);
    long first = 2 * Blocks.index(m, row, from);
    for (int i = 0; i < count / Groups.GROUP; i++) {
      short d = scales.get(I16, first + 2L * (i >> shift));
      g.set(F32, at + Groups.SCALES + 4L * i, Float.intBitsToFloat(d << 16));
    }
  }

  /// Bytes to two elements each: a byte becomes a short, whose upper byte takes the upper nibble.
  private static void pairs(MemorySegment w, long n, int count, MemorySegment g, long at) {
    for (int i = 0; i < count; i += B_PART.length()) {
      ByteVector b = ByteVector.fromMemorySegment(B_HALF, w, n + i / 2, LITTLE_ENDIAN);
      ShortVector s = (ShortVector) b.convertShape(ZERO_EXTEND_B2S, S_PART, 0);
      ByteVector both = s.or(s.lanewise(LSHL, 4)).reinterpretAsBytes();
      both.and((byte) 15).sub((byte) 8).intoMemorySegment(g, at + i, LITTLE_ENDIAN);
    }
  }
}
