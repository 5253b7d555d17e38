package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.I16;
import static dev.quern.provider.vector.lanes.Lanes.I64;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import dev.quern.provider.vector.lanes.Lanes;
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
public record Q4KPanels() implements PanelFormat {
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
  public void dot(Panels panels, int first, MemorySegment x, MemorySegment s, long sums) {
    int inputs = panels.inputs();
    long d0 = sums + 4 * BYTES;
    long d1 = d0 + scaleBytes(inputs);
    scales(panels, first, x, s, d0);
    scales(panels, panels.next(first), x, s, d1);
    NibblePanel.dot(panels, first, x, s, sums, d0, d1);
    int groups = inputs / GROUP;
    long xSums = Int8Row.sumsAt(inputs);
    subtractMinima(s, d0 + minimaAt(inputs), groups, x, xSums, sums);
    subtractMinima(s, d1 + minimaAt(inputs), groups, x, xSums, sums + 2 * BYTES);
  }

  /// F32 scales and minima of a panel, the scales times those of x.
  private static void scales(Panels panels, int panel, MemorySegment x, MemorySegment s, long to) {
    int inputs = panels.inputs();
    scales(panels, panel, 0, inputs, s, to);
    HalfPairs.scale(s, to, inputs / GROUP, 1, x, Int8Row.scalesAt(inputs));
  }

  /// Subtracts a panel's minima times the sums of x from what is at `to`.
  private static void subtractMinima(
      MemorySegment s, long minima, int groups, MemorySegment x, long xSums, long to) {
    FloatVector low = FloatVector.fromMemorySegment(F, s, to, LITTLE_ENDIAN);
    FloatVector high = FloatVector.fromMemorySegment(F, s, to + BYTES, LITTLE_ENDIAN);
    for (int g = 0; g < groups; g++) {
      FloatVector sum = FloatVector.broadcast(F, -Lanes.scalarF32(x, xSums + 4L * g));
      long o = minima + g * (2 * BYTES);
      low = sum.fma(FloatVector.fromMemorySegment(F, s, o, LITTLE_ENDIAN), low);
      high = sum.fma(FloatVector.fromMemorySegment(F, s, o + BYTES, LITTLE_ENDIAN), high);
    }
    low.intoMemorySegment(s, to, LITTLE_ENDIAN);
    high.intoMemorySegment(s, to + BYTES, LITTLE_ENDIAN);
  }

  /// F32 scales `d * scale` and minima `dmin * minimum` of weights `from` to `from + n`: for 32 of
  /// them two vectors each.
  private static void scales(
      Panels panels, int panel, int from, int n, MemorySegment dst, long to) {
    MemorySegment w = panels.data();
    long panelAt = panels.at(panel);
    int inputs = panels.inputs();
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
      Panels panels, int panel, int from, int n, MemorySegment s, long room, long to) {
    scales(panels, panel, from, n, s, room);
    long values = panels.at(panel) + from / 4 * BYTES;
    NibblePanel.decode(panels.data(), values, n / 4, s, room, room + minimaAt(n), to);
  }
}
