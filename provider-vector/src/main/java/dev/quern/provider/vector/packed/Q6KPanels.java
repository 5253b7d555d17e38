package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.I16;
import static dev.quern.provider.vector.lanes.Lanes.I64;
import static dev.quern.provider.vector.lanes.Lanes.OFF_HEAP;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// Panels of Q6_K: 6-bit values; for every 16 an int8 scale; for every 256 an F16 factor.
///
/// ```
/// panel = low four bits [inputs / 4] (as in NibblePanel)
///       | high two bits [inputs / 8], bits 2i, 2i+1 of a half = those of weight 8c + i
///       | scales [inputs / 32], a half = that of the first 16 | of the second << 8
///       | d [inputs / 256] ([HalfPairs] of f16)
/// ```
public record Q6KPanels() implements PanelFormat {
  private static final int BLOCK = 256;
  private static final int OFFSET = 32;

  @Override
  public String dotName() {
    return "q6_k-panel-dot";
  }

  @Override
  public Numerics dotNumerics() {
    return Numerics.INT8_SYM_32;
  }

  @Override
  public int offset() {
    return OFFSET;
  }

  @Override
  public long panelBytes(int inputs) {
    return factorsAt(inputs) + inputs / BLOCK * BYTES;
  }

  private static long twosAt(int inputs) {
    return inputs / 4 * BYTES;
  }

  private static long scalesAt(int inputs) {
    return twosAt(inputs) + inputs / 8 * BYTES;
  }

  private static long factorsAt(int inputs) {
    return scalesAt(inputs) + inputs / GROUP * BYTES;
  }

  @Override
  public void pack(WeightMatrix m, int row, MemorySegment data, long panelAt, int column) {
    MemorySegment w = m.data();
    long source = BlockFormat.Q6_K.rowBytes(m.inputs()) * row;
    long nibbles = panelAt + HalfPairs.offset(column);
    long twos = nibbles + twosAt(m.inputs());
    long scales = nibbles + scalesAt(m.inputs());
    long factors = nibbles + factorsAt(m.inputs());
    for (int b = 0; b < m.inputs() / BLOCK; b++, source += BlockFormat.Q6_K.blockBytes()) {
      data.set(I16, factors + b * BYTES, w.get(I16, source + 208));
      for (int j = 0; j < 8; j++) { // 32 weights: quarter j % 4 of half j / 4
        int quarter = j % 4;
        long low = source + 64 * (j / 4) + 32 * (quarter % 2);
        long high = source + 128 + 32 * (j / 4);
        long eight = 4 * (8L * b + j); // number of the first eight weights
        data.set(I16, scales + (8L * b + j) * BYTES, w.get(I16, source + 192 + 2 * j));
        for (int i = 0; i < 4; i++) {
          long bytes = w.get(I64, low + 8 * i) >>> 4 * (quarter / 2);
          Int4Panels.put(data, Int4Panels.pairUp(bytes), nibbles + (eight + i) * (2 * BYTES));
          data.set(I16, twos + (eight + i) * BYTES, twos(w.get(I64, high + 8 * i) >>> 2 * quarter));
        }
      }
    }
  }

  /// The low two bits of eight bytes, side by side.
  private static short twos(long bytes) {
    long x = bytes & 0x0303_0303_0303_0303L;
    x = (x | x >>> 6) & 0x000F_000F_000F_000FL;
    x = (x | x >>> 12) & 0x0000_00FF_0000_00FFL;
    return (short) (x | x >>> 24);
  }

  @Override
  public long dotScratchBytes(int inputs) {
    return scaleBytes(inputs);
  }

  /// Of scales and factors of `n` weights.
  private static long scaleBytes(int n) {
    return n / 16 * (2 * BYTES) + Math.ceilDiv(n, BLOCK) * (2 * BYTES);
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
    scales(panels, panel, 0, inputs, s, room);
    HalfPairs.scale(s, room, inputs / 16, 2, x, Int8Row.scalesAt(inputs));
    multiply(panels, panel, x, s, room, sums);
  }

  /// As [NibblePanel#dot], for one panel: four products of a value (0 to 63) and a value of x are
  /// at most 32,004 in magnitude; what the bias then adds counts modulo 2^16.
  ///
  /// @param q begins with the row
  /// @param s scales at `d`; the sums go to `y`
  private static void multiply(
      Panels panels, int panel, MemorySegment q, MemorySegment s, long d, long y) {
    MemorySegment w = panels.data();
    int inputs = panels.inputs();
    long nibbles = panels.at(panel);
    long twos = nibbles + twosAt(inputs);
    long biasAt = Int8Row.biasAt(inputs);
    int n = inputs / 4;
    FloatVector low = FloatVector.zero(F);
    FloatVector high = FloatVector.zero(F);
    for (int c = 0; c < n; c++) {
      long x = 16L * c;
      IntVector v = IntVector.fromMemorySegment(I, w, nibbles + c * BYTES, LITTLE_ENDIAN);
      IntVector h =
          IntVector.fromMemorySegment(I, w, twos + (c >> 1) * BYTES, LITTLE_ENDIAN)
              .lanewise(LSHR, 8 * (c & 1));
      ShortVector a =
          IntVector.broadcast(I, q.get(JAVA_INT, biasAt + 4L * c)).reinterpretAsShorts();
      ShortVector x0 = IntVector.broadcast(I, q.get(JAVA_INT, x)).reinterpretAsShorts();
      a =
          v.and(0x000F_000F)
              .or(h.lanewise(LSHL, 4).and(0x0030_0030))
              .reinterpretAsShorts()
              .mul(x0)
              .add(a);
      ShortVector x1 = IntVector.broadcast(I, q.get(JAVA_INT, x + 4)).reinterpretAsShorts();
      a =
          v.lanewise(LSHR, 4)
              .and(0x000F_000F)
              .or(h.lanewise(LSHL, 2).and(0x0030_0030))
              .reinterpretAsShorts()
              .mul(x1)
              .add(a);
      ShortVector x2 = IntVector.broadcast(I, q.get(JAVA_INT, x + 8)).reinterpretAsShorts();
      a =
          v.lanewise(LSHR, 8)
              .and(0x000F_000F)
              .or(h.and(0x0030_0030))
              .reinterpretAsShorts()
              .mul(x2)
              .add(a);
      ShortVector x3 = IntVector.broadcast(I, q.get(JAVA_INT, x + 12)).reinterpretAsShorts();
      a =
          v.lanewise(LSHR, 12)
              .and(0x000F_000F)
              .or(h.lanewise(LSHR, 2).and(0x0030_0030))
              .reinterpretAsShorts()
              .mul(x3)
              .add(a);
      IntVector sums = a.reinterpretAsInts();
      long scale = d + (c >> 2) * (2 * BYTES);
      FloatVector l =
          (FloatVector) sums.lanewise(LSHL, 16).lanewise(ASHR, 16).convertShape(I2F, F, 0);
      low = l.fma(FloatVector.fromMemorySegment(F, s, scale, LITTLE_ENDIAN), low);
      FloatVector g = (FloatVector) sums.lanewise(ASHR, 16).convertShape(I2F, F, 0);
      high = g.fma(FloatVector.fromMemorySegment(F, s, scale + BYTES, LITTLE_ENDIAN), high);
    }
    low.intoMemorySegment(s, y, LITTLE_ENDIAN);
    high.intoMemorySegment(s, y + BYTES, LITTLE_ENDIAN);
  }

  /// F32 scales `d * scale` of weights `from` to `from + n`: for 16 of them two vectors.
  private static void scales(
      Panels panels, int panel, int from, int n, MemorySegment dst, long to) {
    MemorySegment w = panels.data();
    long panelAt = panels.at(panel);
    int inputs = panels.inputs();
    long d = to + n / 16 * (2 * BYTES);
    HalfPairs.f16(
        w, panelAt + factorsAt(inputs) + from / BLOCK * BYTES, Math.ceilDiv(n, BLOCK), dst, d);
    multiply(w, panelAt + scalesAt(inputs) + from / GROUP * BYTES, n / GROUP, dst, d, to);
  }

  private static void multiply(
      MemorySegment w, long from, int groups, MemorySegment dst, long factors, long to) {
    w = OFF_HEAP.cast(w);
    dst = OFF_HEAP.cast(dst);
    for (int g = 0; g < groups; g++) {
      IntVector s = IntVector.fromMemorySegment(I, w, from + g * BYTES, LITTLE_ENDIAN);
      FloatVector low =
          FloatVector.fromMemorySegment(F, dst, factors + (g >> 3) * (2 * BYTES), LITTLE_ENDIAN);
      FloatVector high =
          FloatVector.fromMemorySegment(
              F, dst, factors + (g >> 3) * (2 * BYTES) + BYTES, LITTLE_ENDIAN);
      long o = to + g * (4 * BYTES);
      FloatVector a = (FloatVector) s.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      a.mul(low).intoMemorySegment(dst, o, LITTLE_ENDIAN);
      FloatVector b = (FloatVector) s.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      b.mul(high).intoMemorySegment(dst, o + BYTES, LITTLE_ENDIAN);
      FloatVector c = (FloatVector) s.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      c.mul(low).intoMemorySegment(dst, o + 2 * BYTES, LITTLE_ENDIAN);
      FloatVector e = (FloatVector) s.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      e.mul(high).intoMemorySegment(dst, o + 3 * BYTES, LITTLE_ENDIAN);
    }
  }

  @Override
  public long decodeScratchBytes(int n) {
    return scaleBytes(n);
  }

  @Override
  public void decode(
      Panels panels, int panel, int from, int n, MemorySegment s, long room, long to) {
    scales(panels, panel, from, n, s, room);
    long nibbles = panels.at(panel);
    long twos = nibbles + twosAt(panels.inputs());
    decode(panels.data(), nibbles + from / 4 * BYTES, twos + from / 8 * BYTES, n / 4, s, room, to);
  }

  private static void decode(
      MemorySegment w,
      long nibbles,
      long twos,
      int vectors,
      MemorySegment scratch,
      long scales,
      long to) {
    w = OFF_HEAP.cast(w);
    scratch = OFF_HEAP.cast(scratch);
    for (int c = 0; c < vectors; c++) {
      IntVector v = IntVector.fromMemorySegment(I, w, nibbles + c * BYTES, LITTLE_ENDIAN);
      IntVector h =
          IntVector.fromMemorySegment(I, w, twos + (c >> 1) * BYTES, LITTLE_ENDIAN)
              .lanewise(LSHR, 8 * (c & 1));
      long g = scales + (c >> 2) * (2 * BYTES);
      FloatVector low = FloatVector.fromMemorySegment(F, scratch, g, LITTLE_ENDIAN);
      FloatVector high = FloatVector.fromMemorySegment(F, scratch, g + BYTES, LITTLE_ENDIAN);
      long o = to + c * (8 * BYTES);
      v.and(15)
          .or(h.lanewise(LSHL, 4).and(0x30))
          .or(NibblePanel.TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f + OFFSET)
          .mul(low)
          .intoMemorySegment(scratch, o, LITTLE_ENDIAN);
      v.lanewise(LSHR, 16)
          .and(15)
          .or(h.lanewise(LSHR, 12).and(0x30))
          .or(NibblePanel.TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f + OFFSET)
          .mul(high)
          .intoMemorySegment(scratch, o + 1 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 4)
          .and(15)
          .or(h.lanewise(LSHL, 2).and(0x30))
          .or(NibblePanel.TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f + OFFSET)
          .mul(low)
          .intoMemorySegment(scratch, o + 2 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 20)
          .and(15)
          .or(h.lanewise(LSHR, 14).and(0x30))
          .or(NibblePanel.TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f + OFFSET)
          .mul(high)
          .intoMemorySegment(scratch, o + 3 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 8)
          .and(15)
          .or(h.and(0x30))
          .or(NibblePanel.TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f + OFFSET)
          .mul(low)
          .intoMemorySegment(scratch, o + 4 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 24)
          .and(15)
          .or(h.lanewise(LSHR, 16).and(0x30))
          .or(NibblePanel.TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f + OFFSET)
          .mul(high)
          .intoMemorySegment(scratch, o + 5 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 12)
          .and(15)
          .or(h.lanewise(LSHR, 2).and(0x30))
          .or(NibblePanel.TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f + OFFSET)
          .mul(low)
          .intoMemorySegment(scratch, o + 6 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 28)
          .and(15)
          .or(h.lanewise(LSHR, 18).and(0x30))
          .or(NibblePanel.TWO_23)
          .reinterpretAsFloats()
          .sub(0x1p23f + OFFSET)
          .mul(high)
          .intoMemorySegment(scratch, o + 7 * BYTES, LITTLE_ENDIAN);
    }
  }
}
