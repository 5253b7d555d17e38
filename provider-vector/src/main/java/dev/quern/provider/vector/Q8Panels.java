package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;
import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.I;
import static dev.quern.provider.vector.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Panels of Q8_0: int8 values, four of an output in a lane, and an F16 scale for every 32.
/// Products are taken in F32, since two of int8 fill a short already.
///
/// ```
/// panel = values [inputs / 4][2]: outputs 0 .. L-1, then L .. 2L-1 | scales [inputs / 32] ([HalfPairs] of f16)
/// ```
record Q8Panels() implements PanelFormat {
  private static final ValueLayout.OfInt I32 = JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 = JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  @Override
  public String dotName() {
    return "q8_0-panel-dot";
  }

  @Override
  public Numerics dotNumerics() {
    return Numerics.EXACT_F32;
  }

  @Override
  public int offset() {
    return 0;
  }

  @Override
  public long panelBytes(int inputs) {
    return scalesAt(inputs) + inputs / GROUP * BYTES;
  }

  private static long scalesAt(int inputs) {
    return inputs / 4 * (2 * BYTES);
  }

  @Override
  public void pack(WeightMatrix m, int row, MemorySegment data, long panelAt, int column) {
    long source = BlockFormat.Q8_0.rowBytes(m.inputs()) * row;
    long values = panelAt + column / L * BYTES + 4L * (column % L);
    long scales = panelAt + scalesAt(m.inputs()) + HalfPairs.offset(column);
    for (int b = 0; b < m.inputs() / GROUP; b++, source += BlockFormat.Q8_0.blockBytes()) {
      data.set(I16, scales + b * BYTES, m.data().get(I16, source));
      for (int i = 0; i < 8; i++) {
        data.set(I32, values + (8L * b + i) * (2 * BYTES), m.data().get(I32, source + 2 + 4 * i));
      }
    }
  }

  @Override
  public long dotScratchBytes(int inputs) {
    return 2 * scaleBytes(inputs);
  }

  private static long scaleBytes(int n) {
    return n / GROUP * (2 * BYTES);
  }

  @Override
  public void dot(
      MemorySegment w,
      long w0,
      long w1,
      int inputs,
      MemorySegment x,
      long xAt,
      MemorySegment scratch,
      long at,
      MemorySegment sums,
      long sumsAt) {
    long second = at + scaleBytes(inputs);
    HalfPairs.f16(w, w0 + scalesAt(inputs), inputs / GROUP, scratch, at);
    HalfPairs.f16(w, w1 + scalesAt(inputs), inputs / GROUP, scratch, second);
    multiply(w, w0, w1, inputs / 4, x, xAt, scratch, at, second, sums, sumsAt);
  }

  private static void multiply(
      MemorySegment w,
      long w0,
      long w1,
      int n,
      MemorySegment x,
      long xAt,
      MemorySegment d,
      long d0,
      long d1,
      MemorySegment y,
      long yAt) {
    FloatVector low0 = FloatVector.zero(F);
    FloatVector high0 = FloatVector.zero(F);
    FloatVector low1 = FloatVector.zero(F);
    FloatVector high1 = FloatVector.zero(F);
    for (int c = 0; c < n; c++) {
      long o = c * (2 * BYTES);
      long k = xAt + 16L * c;
      FloatVector x0 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, k));
      FloatVector x1 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, k + 4));
      FloatVector x2 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, k + 8));
      FloatVector x3 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, k + 12));
      long scale = (c >> 3) * (2 * BYTES);
      IntVector l0 = IntVector.fromMemorySegment(I, w, w0 + o, LITTLE_ENDIAN);
      FloatVector l00 =
          (FloatVector) l0.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector l01 =
          (FloatVector) l0.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector l02 =
          (FloatVector) l0.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector l03 = (FloatVector) l0.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      low0 =
          l03.fma(x3, l02.fma(x2, l01.fma(x1, l00.mul(x0))))
              .fma(FloatVector.fromMemorySegment(F, d, d0 + scale, LITTLE_ENDIAN), low0);
      IntVector h0 = IntVector.fromMemorySegment(I, w, w0 + o + BYTES, LITTLE_ENDIAN);
      FloatVector h00 =
          (FloatVector) h0.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector h01 =
          (FloatVector) h0.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector h02 =
          (FloatVector) h0.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector h03 = (FloatVector) h0.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      high0 =
          h03.fma(x3, h02.fma(x2, h01.fma(x1, h00.mul(x0))))
              .fma(FloatVector.fromMemorySegment(F, d, d0 + scale + BYTES, LITTLE_ENDIAN), high0);
      IntVector l1 = IntVector.fromMemorySegment(I, w, w1 + o, LITTLE_ENDIAN);
      FloatVector l10 =
          (FloatVector) l1.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector l11 =
          (FloatVector) l1.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector l12 =
          (FloatVector) l1.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector l13 = (FloatVector) l1.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      low1 =
          l13.fma(x3, l12.fma(x2, l11.fma(x1, l10.mul(x0))))
              .fma(FloatVector.fromMemorySegment(F, d, d1 + scale, LITTLE_ENDIAN), low1);
      IntVector h1 = IntVector.fromMemorySegment(I, w, w1 + o + BYTES, LITTLE_ENDIAN);
      FloatVector h10 =
          (FloatVector) h1.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector h11 =
          (FloatVector) h1.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector h12 =
          (FloatVector) h1.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector h13 = (FloatVector) h1.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      high1 =
          h13.fma(x3, h12.fma(x2, h11.fma(x1, h10.mul(x0))))
              .fma(FloatVector.fromMemorySegment(F, d, d1 + scale + BYTES, LITTLE_ENDIAN), high1);
    }
    low0.intoMemorySegment(y, yAt, LITTLE_ENDIAN);
    high0.intoMemorySegment(y, yAt + 1 * BYTES, LITTLE_ENDIAN);
    low1.intoMemorySegment(y, yAt + 2 * BYTES, LITTLE_ENDIAN);
    high1.intoMemorySegment(y, yAt + 3 * BYTES, LITTLE_ENDIAN);
  }

  @Override
  public long decodeScratchBytes(int n) {
    return scaleBytes(n);
  }

  @Override
  public void decode(
      MemorySegment w,
      long panelAt,
      int inputs,
      int from,
      int n,
      MemorySegment scratch,
      long at,
      long to) {
    HalfPairs.f16(w, panelAt + scalesAt(inputs) + from / GROUP * BYTES, n / GROUP, scratch, at);
    decode(w, panelAt + from / 4 * (2 * BYTES), n / 4, scratch, at, to);
  }

  private static void decode(
      MemorySegment w, long from, int n, MemorySegment scratch, long scales, long to) {
    for (int c = 0; c < n; c++) {
      IntVector l = IntVector.fromMemorySegment(I, w, from + c * (2 * BYTES), LITTLE_ENDIAN);
      IntVector h =
          IntVector.fromMemorySegment(I, w, from + c * (2 * BYTES) + BYTES, LITTLE_ENDIAN);
      long g = scales + (c >> 3) * (2 * BYTES);
      FloatVector low = FloatVector.fromMemorySegment(F, scratch, g, LITTLE_ENDIAN);
      FloatVector high = FloatVector.fromMemorySegment(F, scratch, g + BYTES, LITTLE_ENDIAN);
      long o = to + c * (8 * BYTES);
      FloatVector l0 =
          (FloatVector) l.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      l0.mul(low).intoMemorySegment(scratch, o, LITTLE_ENDIAN);
      FloatVector h0 =
          (FloatVector) h.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      h0.mul(high).intoMemorySegment(scratch, o + 1 * BYTES, LITTLE_ENDIAN);
      FloatVector l1 =
          (FloatVector) l.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      l1.mul(low).intoMemorySegment(scratch, o + 2 * BYTES, LITTLE_ENDIAN);
      FloatVector h1 =
          (FloatVector) h.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      h1.mul(high).intoMemorySegment(scratch, o + 3 * BYTES, LITTLE_ENDIAN);
      FloatVector l2 = (FloatVector) l.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      l2.mul(low).intoMemorySegment(scratch, o + 4 * BYTES, LITTLE_ENDIAN);
      FloatVector h2 = (FloatVector) h.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      h2.mul(high).intoMemorySegment(scratch, o + 5 * BYTES, LITTLE_ENDIAN);
      FloatVector l3 = (FloatVector) l.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      l3.mul(low).intoMemorySegment(scratch, o + 6 * BYTES, LITTLE_ENDIAN);
      FloatVector h3 = (FloatVector) h.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      h3.mul(high).intoMemorySegment(scratch, o + 7 * BYTES, LITTLE_ENDIAN);
    }
  }
}
