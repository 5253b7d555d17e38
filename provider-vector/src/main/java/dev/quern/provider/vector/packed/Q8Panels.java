package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.I16;
import static dev.quern.provider.vector.lanes.Lanes.I32;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static dev.quern.provider.vector.lanes.Lanes.OFF_HEAP;
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
public record Q8Panels() implements PanelFormat {

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
  public void dot(Panels panels, int first, MemorySegment x, MemorySegment s, long sums) {
    long room = sums + 4 * BYTES;
    dot(panels, first, x, s, sums, room);
    dot(panels, panels.next(first), x, s, sums + 2 * BYTES, room);
  }

  private static void dot(
      Panels panels, int panel, MemorySegment x, MemorySegment s, long sums, long room) {
    int inputs = panels.inputs();
    HalfPairs.f16(panels.data(), panels.at(panel) + scalesAt(inputs), inputs / GROUP, s, room);
    multiply(panels, panel, x, s, room, sums);
  }

  /// @param x begins with the row
  /// @param s scales at `d`; the sums go to `y`
  private static void multiply(
      Panels panels, int panel, MemorySegment x, MemorySegment s, long d, long y) {
    MemorySegment w = panels.data();
    long from = panels.at(panel);
    int n = panels.inputs() / 4;
    FloatVector low = FloatVector.zero(F);
    FloatVector high = FloatVector.zero(F);
    for (int c = 0; c < n; c++) {
      long o = from + c * (2 * BYTES);
      long k = 16L * c;
      long scale = d + (c >> 3) * (2 * BYTES);
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
      low = sl.fma(FloatVector.fromMemorySegment(F, s, scale, LITTLE_ENDIAN), low);
      high = sh.fma(FloatVector.fromMemorySegment(F, s, scale + BYTES, LITTLE_ENDIAN), high);
    }
    low.intoMemorySegment(s, y, LITTLE_ENDIAN);
    high.intoMemorySegment(s, y + BYTES, LITTLE_ENDIAN);
  }

  @Override
  public long decodeScratchBytes(int n) {
    return scaleBytes(n);
  }

  @Override
  public void decode(
      Panels panels, int panel, int from, int n, MemorySegment s, long room, long to) {
    MemorySegment w = panels.data();
    long values = panels.at(panel);
    long scales = values + scalesAt(panels.inputs());
    HalfPairs.f16(w, scales + from / GROUP * BYTES, n / GROUP, s, room);
    decode(w, values + from / 4 * (2 * BYTES), n / 4, s, room, to);
  }

  private static void decode(
      MemorySegment w, long from, int n, MemorySegment scratch, long scales, long to) {
    w = OFF_HEAP.cast(w);
    scratch = OFF_HEAP.cast(scratch);
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
