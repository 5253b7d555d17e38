package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.I16;
import static dev.quern.provider.vector.lanes.Lanes.I32;
import static dev.quern.provider.vector.lanes.Lanes.I64;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// Panels of Q4_0 and INT4_Bg: 4-bit values, and one scale a block.
///
/// ```
/// panel = values [inputs / 4] ([NibblePanel]) | scales [inputs / block] ([HalfPairs] of f16 or bf16)
/// ```
///
/// @param format Q4_0 or INT4_Bg
public record Int4Panels(BlockFormat format) implements PanelFormat {
  private static final int OFFSET = 8;
  private static final long EVERY_SECOND_NIBBLE = 0x0F0F_0F0F_0F0F_0F0FL;
  private static final long EVERY_SECOND_BYTE = 0x00FF_00FF_00FF_00FFL;

  private boolean isQ4_0() {
    return format.equals(BlockFormat.Q4_0);
  }

  @Override
  public String dotName() {
    return "int4-panel-dot";
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
    return scalesAt(inputs) + format.blocksPerRow(inputs) * BYTES;
  }

  private static long scalesAt(int inputs) {
    return inputs / 4 * BYTES;
  }

  @Override
  public void pack(WeightMatrix m, int row, MemorySegment data, long panelAt, int column) {
    int inputs = m.inputs();
    int blocks = format.blocksPerRow(inputs);
    long source = format.rowBytes(inputs) * row;
    long values = panelAt + HalfPairs.offset(column);
    long scales = values + scalesAt(inputs);
    if (isQ4_0()) {
      for (int b = 0; b < blocks; b++, source += format.blockBytes()) {
        data.set(I16, scales + b * BYTES, m.data().get(I16, source));
        long low = m.data().get(I64, source + 2);
        long high = m.data().get(I64, source + 10);
        long at = values + b * (8 * BYTES);
        put(data, pairUp(low), at);
        put(data, pairUp(high), at + 2 * BYTES);
        put(data, pairUp(low >>> 4), at + 4 * BYTES);
        put(data, pairUp(high >>> 4), at + 6 * BYTES);
      }
    } else {
      for (int b = 0; b < blocks; b++) {
        data.set(I16, scales + b * BYTES, m.scales().get(I16, 2 * ((long) row * blocks + b)));
      }
      for (int c = 0; c < inputs / 8; c++) { // their order is ours already
        put(data, m.data().get(I32, source + 4L * c), values + c * (2 * BYTES));
      }
    }
  }

  /// The low nibbles of eight bytes, side by side.
  static int pairUp(long bytes) {
    long nibbles = bytes & EVERY_SECOND_NIBBLE;
    long pairs = (nibbles | nibbles >>> 4) & EVERY_SECOND_BYTE;
    long quads = pairs | pairs >>> 8;
    return (int) (quads & 0xFFFF | quads >>> 16 & 0xFFFF_0000L);
  }

  /// Eight values of an output: a half of one vector, and of the next.
  static void put(MemorySegment data, int nibbles, long at) {
    data.set(I16, at, (short) nibbles);
    data.set(I16, at + BYTES, (short) (nibbles >>> 16));
  }

  @Override
  public long dotScratchBytes(int inputs) {
    return 2 * scaleBytes(inputs);
  }

  private static long scaleBytes(int inputs) {
    return inputs / GROUP * (2 * BYTES);
  }

  @Override
  public void dot(Panels panels, int first, MemorySegment x, MemorySegment s, long sums) {
    long d0 = sums + 4 * BYTES;
    long d1 = d0 + scaleBytes(panels.inputs());
    scales(panels, first, x, s, d0);
    scales(panels, panels.next(first), x, s, d1);
    NibblePanel.dot(panels, first, x, s, sums, d0, d1);
  }

  /// F32 scales of a panel, times those of x.
  private void scales(Panels panels, int panel, MemorySegment x, MemorySegment s, long to) {
    int groups = panels.inputs() / GROUP;
    scales(panels, panel, 0, groups, s, to);
    HalfPairs.scale(s, to, groups, 1, x, Int8Row.scalesAt(panels.inputs()));
  }

  /// F32 scales of consecutive groups: two vectors each.
  void scales(Panels panels, int panel, int group, int groups, MemorySegment dst, long to) {
    MemorySegment w = panels.data();
    long scales = panels.at(panel) + scalesAt(panels.inputs());
    if (isQ4_0()) {
      HalfPairs.f16(w, scales + group * BYTES, groups, dst, to);
    } else {
      HalfPairs.bf16(w, scales, group, groups, format.blockElements() / GROUP, dst, to);
    }
  }

  @Override
  public long decodeScratchBytes(int n) {
    return 2 * scaleBytes(n);
  }

  @Override
  public void decode(
      Panels panels, int panel, int from, int n, MemorySegment s, long room, long to) {
    int groups = n / GROUP;
    long minima = room + scaleBytes(n);
    scales(panels, panel, from / GROUP, groups, s, room);
    minima(s, room, groups, minima);
    long values = panels.at(panel) + from / 4 * BYTES;
    NibblePanel.decode(panels.data(), values, n / 4, s, room, minima, to);
  }

  /// `8 * scale`: exact, as are `value * scale` and the difference, since a scale has few bits.
  private static void minima(MemorySegment d, long scales, int groups, long to) {
    for (int i = 0; i < 2 * groups; i++) {
      FloatVector.fromMemorySegment(F, d, scales + i * BYTES, LITTLE_ENDIAN)
          .mul(OFFSET)
          .intoMemorySegment(d, to + i * BYTES, LITTLE_ENDIAN);
    }
  }
}
