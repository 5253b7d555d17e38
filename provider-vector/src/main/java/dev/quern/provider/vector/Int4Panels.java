package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;
import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.I;
import static dev.quern.provider.vector.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Packed weights of the formats with 4-bit values and one scale a block: panels of `2 * L`
/// outputs, whose lanes are outputs. A lane of 32 bits holds two outputs of a panel, `j` in its low
/// half and `L + j` in its high half, so that a vector can be read as L lanes or as 2 L, and
/// nothing ever crosses lanes:
///
/// ```
/// panel   = values | scales
/// values  = [inputs / 4] vectors; bits 4i .. 4i+3 of a half = weight 4c + i of its output, + 8
/// scales  = [inputs / block] vectors; a half = the scale of its output, f16 or bf16
/// ```
///
/// The values of a panel are read in order, by one row of x or by many. What is missing from the
/// last panel is zero: its scales are.
///
/// @param format Q4_0 or INT4_Bg
/// @param outputs rows of the matrices, stacked
/// @param inputs their columns; a multiple of 32
/// @param data all panels
record Int4Panels(BlockFormat format, int outputs, int inputs, MemorySegment data) {
  /// Outputs of a panel.
  static final int OUTPUTS = 2 * L;

  /// Weights that share a scale of x, and of which whole ones make a block of every format.
  static final int GROUP = 32;

  private static final ValueLayout.OfInt I32 = JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 = JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 = JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final long EVERY_SECOND_NIBBLE = 0x0F0F_0F0F_0F0F_0F0FL;
  private static final long EVERY_SECOND_BYTE = 0x00FF_00FF_00FF_00FFL;

  /// Whether this layout is for a format.
  static boolean supports(BlockFormat format) {
    return isQ4_0(format) || format.id().startsWith("INT4_B");
  }

  private static boolean isQ4_0(BlockFormat format) {
    return format.equals(BlockFormat.Q4_0);
  }

  /// Packs matrices, stacked by outputs.
  static Int4Panels pack(
      BlockFormat format,
      int outputs,
      int inputs,
      List<WeightMatrix> stacked,
      SegmentAllocator allocator,
      Workers workers) {
    long bytes =
        Math.multiplyExact((long) Math.ceilDiv(outputs, OUTPUTS), panelBytes(format, inputs));
    Int4Panels panels =
        new Int4Panels(format, outputs, inputs, allocator.allocate(bytes, Split.LINE));
    WeightMatrix[] matrices = stacked.toArray(WeightMatrix[]::new);
    int tasks = Split.tasks(panels.count(), workers);
    workers.run(
        tasks,
        (task, worker) -> {
          int end = (int) Split.begin(panels.count(), task + 1, tasks);
          for (int p = (int) Split.begin(panels.count(), task, tasks); p < end; p++) {
            panels.packPanel(p, matrices);
          }
        });
    return panels;
  }

  /// Panels.
  int count() {
    return Math.ceilDiv(outputs, OUTPUTS);
  }

  /// Offset of a panel's values in bytes.
  long valuesAt(int panel) {
    return panel * panelBytes(format, inputs);
  }

  /// Offset of a panel's scales in bytes.
  long scalesAt(int panel) {
    return valuesAt(panel) + valueBytes(inputs);
  }

  private static long valueBytes(int inputs) {
    return inputs / 4 * BYTES;
  }

  private static long panelBytes(BlockFormat format, int inputs) {
    return valueBytes(inputs) + format.blocksPerRow(inputs) * BYTES;
  }

  private void packPanel(int panel, WeightMatrix[] matrices) {
    int first = 0; // output of the matrix's first row
    for (WeightMatrix m : matrices) {
      int begin = Math.max(panel * OUTPUTS, first);
      int end = Math.min((panel + 1) * OUTPUTS, first + m.outputs());
      for (int o = begin; o < end; o++) {
        int column = o % OUTPUTS;
        packRow(m, o - first, panel, 4L * (column % L) + 2L * (column / L));
      }
      first += m.outputs();
    }
  }

  /// @param lane offset of the output's half lane in a vector, in bytes
  private void packRow(WeightMatrix m, int row, int panel, long lane) {
    int blocks = format.blocksPerRow(inputs);
    long source = m.format().rowBytes(inputs) * row;
    long values = valuesAt(panel) + lane;
    long scales = scalesAt(panel) + lane;
    if (isQ4_0(format)) {
      for (int b = 0; b < blocks; b++, source += format.blockBytes()) {
        data.set(I16, scales + b * BYTES, m.data().get(I16, source));
        long low = m.data().get(I64, source + 2);
        long high = m.data().get(I64, source + 10);
        long at = values + b * (8 * BYTES);
        put(pairUp(low), at);
        put(pairUp(high), at + 2 * BYTES);
        put(pairUp(low >>> 4), at + 4 * BYTES);
        put(pairUp(high >>> 4), at + 6 * BYTES);
      }
    } else {
      for (int b = 0; b < blocks; b++) {
        data.set(I16, scales + b * BYTES, m.scales().get(I16, 2 * ((long) row * blocks + b)));
      }
      for (int c = 0; c < inputs / 8; c++) { // their order is ours already
        put(m.data().get(I32, source + 4L * c), values + c * (2 * BYTES));
      }
    }
  }

  /// The low nibbles of eight bytes, side by side.
  private static int pairUp(long bytes) {
    long nibbles = bytes & EVERY_SECOND_NIBBLE;
    long pairs = (nibbles | nibbles >>> 4) & EVERY_SECOND_BYTE;
    long quads = pairs | pairs >>> 8;
    return (int) (quads & 0xFFFF | quads >>> 16 & 0xFFFF_0000L);
  }

  /// Eight weights of an output: half a lane of one vector, and of the next.
  private void put(int nibbles, long at) {
    data.set(I16, at, (short) nibbles);
    data.set(I16, at + BYTES, (short) (nibbles >>> 16));
  }

  /// Scales of consecutive groups of a panel as F32, times those of a row of x: for each group a
  /// vector for the low halves and one for the high.
  ///
  /// @param group the first group
  /// @param groups how many
  /// @param x F32 scales of x, one a group
  /// @param xAt offset of the first one
  /// @param dst where they go
  /// @param at offset of the first
  void scales(
      int panel, int group, int groups, MemorySegment x, long xAt, MemorySegment dst, long at) {
    int perBlock = format.blockElements() / GROUP;
    if (isQ4_0(format)) {
      scalesF16(data, scalesAt(panel) + group * BYTES, groups, x, xAt, dst, at);
    } else {
      scalesBf16(data, scalesAt(panel), group, groups, perBlock, x, xAt, dst, at);
    }
  }

  /// The exponent is rebased by a multiplication, which makes subnormals normal. Infinities and NaN
  /// become finite: a damaged weight may give any value in its own column (rule L11).
  private static void scalesF16(
      MemorySegment w,
      long from,
      int groups,
      MemorySegment x,
      long xAt,
      MemorySegment dst,
      long at) {
    for (int g = 0; g < groups; g++) {
      float d = Lanes.scalarF32(x, xAt + 4L * g);
      IntVector s = IntVector.fromMemorySegment(I, w, from + g * BYTES, LITTLE_ENDIAN);
      FloatVector low = s.and(0x7FFF).lanewise(LSHL, 13).reinterpretAsFloats().mul(0x1p112f);
      low.reinterpretAsInts()
          .or(s.and(0x8000).lanewise(LSHL, 16))
          .reinterpretAsFloats()
          .mul(d)
          .intoMemorySegment(dst, at + g * (2 * BYTES), LITTLE_ENDIAN);
      FloatVector high = s.lanewise(LSHR, 3).and(0x7FFF << 13).reinterpretAsFloats().mul(0x1p112f);
      high.reinterpretAsInts()
          .or(s.and(0x8000_0000))
          .reinterpretAsFloats()
          .mul(d)
          .intoMemorySegment(dst, at + g * (2 * BYTES) + BYTES, LITTLE_ENDIAN);
    }
  }

  private static void scalesBf16(
      MemorySegment w,
      long from,
      int group,
      int groups,
      int perBlock,
      MemorySegment x,
      long xAt,
      MemorySegment dst,
      long at) {
    for (int g = 0; g < groups; g++) {
      float d = Lanes.scalarF32(x, xAt + 4L * g);
      long block = (group + g) / perBlock;
      IntVector s = IntVector.fromMemorySegment(I, w, from + block * BYTES, LITTLE_ENDIAN);
      s.lanewise(LSHL, 16)
          .reinterpretAsFloats()
          .mul(d)
          .intoMemorySegment(dst, at + g * (2 * BYTES), LITTLE_ENDIAN);
      s.and(0xFFFF_0000)
          .reinterpretAsFloats()
          .mul(d)
          .intoMemorySegment(dst, at + g * (2 * BYTES) + BYTES, LITTLE_ENDIAN);
    }
  }

  /// Decodes weights to F32: `dst[weight][output]`.
  ///
  /// @param at offset of the panel's values, from the first weight that is wanted
  /// @param vectors how many vectors of values
  /// @param scales F32 scales ([#scales]), from the first group that is wanted
  static void decode(
      MemorySegment data,
      long at,
      int vectors,
      MemorySegment scales,
      long scalesAt,
      MemorySegment dst,
      long to) {
    for (int c = 0; c < vectors; c++) {
      IntVector v = IntVector.fromMemorySegment(I, data, at + c * BYTES, LITTLE_ENDIAN);
      long d = scalesAt + (c >> 3) * (2 * BYTES);
      FloatVector low = FloatVector.fromMemorySegment(F, scales, d, LITTLE_ENDIAN);
      FloatVector high = FloatVector.fromMemorySegment(F, scales, d + BYTES, LITTLE_ENDIAN);
      long o = to + c * (8 * BYTES);
      // 0x4B000000 is 2^23, whose last bits are units: or-ing a nibble in adds it.
      v.and(15)
          .or(0x4B00_0000)
          .reinterpretAsFloats()
          .sub(0x1p23f + 8)
          .mul(low)
          .intoMemorySegment(dst, o, LITTLE_ENDIAN);
      v.lanewise(LSHR, 16)
          .and(15)
          .or(0x4B00_0000)
          .reinterpretAsFloats()
          .sub(0x1p23f + 8)
          .mul(high)
          .intoMemorySegment(dst, o + BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 4)
          .and(15)
          .or(0x4B00_0000)
          .reinterpretAsFloats()
          .sub(0x1p23f + 8)
          .mul(low)
          .intoMemorySegment(dst, o + 2 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 20)
          .and(15)
          .or(0x4B00_0000)
          .reinterpretAsFloats()
          .sub(0x1p23f + 8)
          .mul(high)
          .intoMemorySegment(dst, o + 3 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 8)
          .and(15)
          .or(0x4B00_0000)
          .reinterpretAsFloats()
          .sub(0x1p23f + 8)
          .mul(low)
          .intoMemorySegment(dst, o + 4 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 24)
          .and(15)
          .or(0x4B00_0000)
          .reinterpretAsFloats()
          .sub(0x1p23f + 8)
          .mul(high)
          .intoMemorySegment(dst, o + 5 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 12)
          .and(15)
          .or(0x4B00_0000)
          .reinterpretAsFloats()
          .sub(0x1p23f + 8)
          .mul(low)
          .intoMemorySegment(dst, o + 6 * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 28)
          .and(15)
          .or(0x4B00_0000)
          .reinterpretAsFloats()
          .sub(0x1p23f + 8)
          .mul(high)
          .intoMemorySegment(dst, o + 7 * BYTES, LITTLE_ENDIAN);
    }
  }
}
