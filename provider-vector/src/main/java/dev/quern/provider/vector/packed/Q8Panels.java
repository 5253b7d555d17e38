package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;
import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.I;
import static dev.quern.provider.vector.Lanes.I16;
import static dev.quern.provider.vector.Lanes.I32;
import static dev.quern.provider.vector.Lanes.L;
import static dev.quern.provider.vector.Lanes.offHeap;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Panels of Q8_0: int8 values, four of an output in a lane, and an F16 scale for every 32.
/// Products are taken in F32, since two of int8 fill a short already.
///
/// ```
/// panel = values [inputs / 4][2]: outputs 0 .. L-1, then L .. 2L-1 | scales [inputs / 32] ([HalfPairs] of f16)
/// ```
record Q8Panels() implements PanelFormat {

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
    return scaleBytes(inputs);
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
    dot(w, w0, inputs, x, xAt, scratch, at, sums, sumsAt);
    dot(w, w1, inputs, x, xAt, scratch, at, sums, sumsAt + 2 * BYTES);
  }

  private static void dot(
      MemorySegment w,
      long panelAt,
      int inputs,
      MemorySegment x,
      long xAt,
      MemorySegment scratch,
      long at,
      MemorySegment sums,
      long sumsAt) {
    HalfPairs.f16(w, panelAt + scalesAt(inputs), inputs / GROUP, scratch, at);
    multiply(w, panelAt, inputs / 4, x, xAt, scratch, at, sums, sumsAt);
  }

  private static void multiply(
      MemorySegment w,
      long from,
      int n,
      MemorySegment x,
      long xAt,
      MemorySegment d,
      long dAt,
      MemorySegment y,
      long yAt) {
    FloatVector low = FloatVector.zero(F);
    FloatVector high = FloatVector.zero(F);
    for (int c = 0; c < n; c++) {
      long o = from + c * (2 * BYTES);
      long k = xAt + 16L * c;
      long scale = dAt + (c >> 3) * (2 * BYTES);
      IntVector l = IntVector.fromMemorySegment(I, w, o, LITTLE_ENDIAN);
      IntVector h = IntVector.fromMemorySegment(I, w, o + BYTES, LITTLE_ENDIAN);
      FloatVector x0 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, k));
      FloatVector l0 =
          (FloatVector) l.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector sl = l0.mul(x0);
      FloatVector h0 =
          (FloatVector) h.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector sh = h0.mul(x0);
      FloatVector x1 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, k + 4));
      FloatVector l1 =
          (FloatVector) l.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      sl = l1.fma(x1, sl);
      FloatVector h1 =
          (FloatVector) h.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      sh = h1.fma(x1, sh);
      FloatVector x2 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, k + 8));
      FloatVector l2 = (FloatVector) l.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      sl = l2.fma(x2, sl);
      FloatVector h2 = (FloatVector) h.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      sh = h2.fma(x2, sh);
      FloatVector x3 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, k + 12));
      FloatVector l3 = (FloatVector) l.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      sl = l3.fma(x3, sl);
      FloatVector h3 = (FloatVector) h.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      sh = h3.fma(x3, sh);
      low = sl.fma(FloatVector.fromMemorySegment(F, d, scale, LITTLE_ENDIAN), low);
      high = sh.fma(FloatVector.fromMemorySegment(F, d, scale + BYTES, LITTLE_ENDIAN), high);
    }
    low.intoMemorySegment(y, yAt, LITTLE_ENDIAN);
    high.intoMemorySegment(y, yAt + BYTES, LITTLE_ENDIAN);
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
    w = offHeap(w);
    scratch = offHeap(scratch);
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
