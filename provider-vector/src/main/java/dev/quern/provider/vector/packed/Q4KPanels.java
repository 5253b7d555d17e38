package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;
import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.I;
import static dev.quern.provider.vector.Lanes.I16;
import static dev.quern.provider.vector.Lanes.I64;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Panels of Q4_K: 4-bit values; for every 32 a scale and a minimum of 6 bits, here of 8; for every
/// 256 the F16 factors of both.
///
/// ```
/// panel = values [inputs / 4] ([NibblePanel]) | sub-blocks [inputs / 32], a half = scale | minimum << 8
///       | d [inputs / 256] | dmin [inputs / 256] ([HalfPairs] of f16)
/// ```
record Q4KPanels() implements PanelFormat {
  private static final int BLOCK = 256;

  @Override
  public String dotName() {
    return "q4_k-panel-dot";
  }

  @Override
  public Numerics dotNumerics() {
    return Numerics.INT8_SYM_32;
  }

  @Override
  public int offset() {
    return 0;
  }

  @Override
  public long panelBytes(int inputs) {
    return factorsAt(inputs) + 2L * (inputs / BLOCK) * BYTES;
  }

  private static long subBlocksAt(int inputs) {
    return inputs / 4 * BYTES;
  }

  private static long factorsAt(int inputs) {
    return subBlocksAt(inputs) + inputs / GROUP * BYTES;
  }

  @Override
  public void pack(WeightMatrix m, int row, MemorySegment data, long panelAt, int column) {
    int blocks = m.inputs() / BLOCK;
    MemorySegment w = m.data();
    long source = BlockFormat.Q4_K.rowBytes(m.inputs()) * row;
    long values = panelAt + HalfPairs.offset(column);
    long subBlocks = values + subBlocksAt(m.inputs());
    long d = values + factorsAt(m.inputs());
    for (int b = 0; b < blocks; b++, source += BlockFormat.Q4_K.blockBytes()) {
      data.set(I16, d + b * BYTES, w.get(I16, source));
      data.set(I16, d + (blocks + b) * BYTES, w.get(I16, source + 2));
      for (int j = 0; j < 8; j++) {
        data.set(I16, subBlocks + (8 * b + j) * BYTES, scaleAndMinimum(w, source + 4, j));
        long nibbles = source + 16 + 32 * (j / 2);
        for (int i = 0; i < 4; i++) {
          long bytes = w.get(I64, nibbles + 8 * i) >>> 4 * (j % 2);
          Int4Panels.put(
              data, Int4Panels.pairUp(bytes), values + ((8L * b + j) * 8 + 2 * i) * BYTES);
        }
      }
    }
  }

  /// Of sub-block j, from the 12 bytes at `s` (SPEC.md, section F).
  private static short scaleAndMinimum(MemorySegment w, long s, int j) {
    int scale;
    int minimum;
    if (j < 4) {
      scale = w.get(JAVA_BYTE, s + j) & 63;
      minimum = w.get(JAVA_BYTE, s + j + 4) & 63;
    } else {
      int low = w.get(JAVA_BYTE, s + j + 4) & 0xFF;
      scale = low & 15 | (w.get(JAVA_BYTE, s + j - 4) & 0xC0) >> 2;
      minimum = low >> 4 | (w.get(JAVA_BYTE, s + j) & 0xC0) >> 2;
    }
    return (short) (scale | minimum << 8);
  }

  @Override
  public long dotScratchBytes(int inputs) {
    return 2 * scaleBytes(inputs);
  }

  /// Of scales, minima and factors of `n` weights.
  private static long scaleBytes(int n) {
    return minimaAt(n) * 2 + factorBytes(n);
  }

  private static long minimaAt(int n) {
    return n / GROUP * (2 * BYTES);
  }

  private static long factorBytes(int n) {
    return Math.ceilDiv(n, BLOCK) * (4 * BYTES);
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
    scales(w, w0, inputs, 0, inputs, scratch, at);
    HalfPairs.scale(scratch, at, inputs / GROUP, 1, x, xAt + Int8Row.scalesAt(inputs));
    scales(w, w1, inputs, 0, inputs, scratch, second);
    HalfPairs.scale(scratch, second, inputs / GROUP, 1, x, xAt + Int8Row.scalesAt(inputs));
    NibblePanel.dot(
        w,
        w0,
        w1,
        inputs / 4,
        x,
        xAt,
        xAt + Int8Row.biasAt(inputs),
        scratch,
        at,
        second,
        sums,
        sumsAt);
    long xSums = xAt + Int8Row.sumsAt(inputs);
    subtractMinima(scratch, at + minimaAt(inputs), inputs / GROUP, x, xSums, sums, sumsAt);
    subtractMinima(
        scratch, second + minimaAt(inputs), inputs / GROUP, x, xSums, sums, sumsAt + 2 * BYTES);
  }

  /// Subtracts a panel's minima times the sums of x.
  private static void subtractMinima(
      MemorySegment d,
      long minima,
      int groups,
      MemorySegment x,
      long xSums,
      MemorySegment y,
      long to) {
    FloatVector low = FloatVector.fromMemorySegment(F, y, to, LITTLE_ENDIAN);
    FloatVector high = FloatVector.fromMemorySegment(F, y, to + BYTES, LITTLE_ENDIAN);
    for (int g = 0; g < groups; g++) {
      FloatVector sum = FloatVector.broadcast(F, -Lanes.scalarF32(x, xSums + 4L * g));
      long o = minima + g * (2 * BYTES);
      low = sum.fma(FloatVector.fromMemorySegment(F, d, o, LITTLE_ENDIAN), low);
      high = sum.fma(FloatVector.fromMemorySegment(F, d, o + BYTES, LITTLE_ENDIAN), high);
    }
    low.intoMemorySegment(y, to, LITTLE_ENDIAN);
    high.intoMemorySegment(y, to + BYTES, LITTLE_ENDIAN);
  }

  /// F32 scales `d * scale` and minima `dmin * minimum` of weights `from` to `from + n`: for 32 of
  /// them two vectors each.
  private static void scales(
      MemorySegment w, long panelAt, int inputs, int from, int n, MemorySegment dst, long to) {
    int blocks = Math.ceilDiv(n, BLOCK);
    long factors = panelAt + factorsAt(inputs) + from / BLOCK * BYTES;
    long d = to + 2 * minimaAt(n);
    long dmin = d + factorBytes(n) / 2;
    HalfPairs.f16(w, factors, blocks, dst, d);
    HalfPairs.f16(w, factors + inputs / BLOCK * BYTES, blocks, dst, dmin);
    long subBlocks = panelAt + subBlocksAt(inputs) + from / GROUP * BYTES;
    multiply(w, subBlocks, 0, n / GROUP, dst, d, to);
    multiply(w, subBlocks, 8, n / GROUP, dst, dmin, to + minimaAt(n));
  }

  /// The bytes of halves at bit `shift`, times their blocks' factors.
  private static void multiply(
      MemorySegment w, long from, int shift, int groups, MemorySegment d, long factors, long to) {
    for (int g = 0; g < groups; g++) {
      IntVector s =
          IntVector.fromMemorySegment(I, w, from + g * BYTES, LITTLE_ENDIAN).lanewise(LSHR, shift);
      long f = factors + (g >> 3) * (2 * BYTES);
      long o = to + g * (2 * BYTES);
      FloatVector low = (FloatVector) s.and(0xFF).convertShape(I2F, F, 0);
      low.mul(FloatVector.fromMemorySegment(F, d, f, LITTLE_ENDIAN))
          .intoMemorySegment(d, o, LITTLE_ENDIAN);
      FloatVector high = (FloatVector) s.lanewise(LSHR, 16).and(0xFF).convertShape(I2F, F, 0);
      high.mul(FloatVector.fromMemorySegment(F, d, f + BYTES, LITTLE_ENDIAN))
          .intoMemorySegment(d, o + BYTES, LITTLE_ENDIAN);
    }
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
    scales(w, panelAt, inputs, from, n, scratch, at);
    NibblePanel.decode(
        w, panelAt + from / 4 * BYTES, n / 4, scratch, at, at + minimaAt(n), scratch, to);
  }
}
