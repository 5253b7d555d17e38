package dev.quern.provider.x86.linear.panel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.WeightMatrix;
import dev.quern.provider.x86.linear.panel.PanelLayout.Scales;
import java.lang.foreign.MemorySegment;

/// Writes a row of weights into its lane of a panel ([PanelLayout]), in plain Java: what the
/// packing is compared with.
record PanelWriter(PanelBlocks format, PanelLayout layout, MemorySegment data) {

  /// Writes an output.
  ///
  /// @param panelAt where the panel begins in data
  /// @param lane the output within it
  void write(WeightMatrix m, long row, long panelAt, int lane) {
    long to = panelAt;
    double sum = 0; // of the scaled weights
    int blocks = Math.ceilDiv(m.inputs(), PanelLayout.BLOCK);
    for (int b = 0; b < blocks; b++) {
      int first = b * PanelLayout.BLOCK;
      int n = first % m.format().blockElements() / PanelLayout.BLOCK;
      long sourceBlock =
          row * m.format().blocksPerRow(m.inputs()) + first / m.format().blockElements();
      MemorySegment source = m.data();
      long at = sourceBlock * m.format().blockBytes();
      if (first + PanelLayout.BLOCK > m.inputs()) { // a block of a single weight's format
        source = MemorySegment.ofArray(new byte[PanelLayout.BLOCK]);
        MemorySegment.copy(m.data(), at, source, 0, m.inputs() - first);
        at = 0;
      }
      if (layout.hasHeads() && b % layout.blocksPerHead() == 0) {
        writeHead(m, at, sourceBlock, to, lane);
        to += layout.headBytes();
      }
      int values = writeBlock(source, at, n, to, lane) - PanelLayout.BLOCK * format.offset();
      if (layout.scales() == Scales.BF16_HEAD) {
        sum += (double) bf16(m.scales().get(JAVA_SHORT_UNALIGNED, 2 * sourceBlock)) * values;
      } else {
        sum += values;
      }
      to += layout.blockBytes();
    }
    if (layout.wholeRows()) {
      data.set(JAVA_FLOAT, to + 4L * lane, (float) sum);
    }
    if (layout.scales() == Scales.F32_FOOT) {
      float scale = m.scales().get(JAVA_FLOAT_UNALIGNED, 4 * row);
      data.set(JAVA_FLOAT, to + layout.footScalesAt() + 4L * lane, scale);
    }
  }

  private void writeHead(WeightMatrix m, long at, long sourceBlock, long to, int lane) {
    short d =
        layout.scales() == Scales.BF16_HEAD
            ? m.scales().get(JAVA_SHORT_UNALIGNED, 2 * sourceBlock)
            : (short) format.head().of(m.data(), at, 0);
    data.set(JAVA_SHORT, to + 2L * lane, d);
    if (layout.minimum()) {
      short minimum = (short) format.headMinimum().of(m.data(), at, 0);
      data.set(JAVA_SHORT, to + layout.headMinimumsAt() + 2L * lane, minimum);
    }
  }

  private static float bf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /// Writes 32 inputs; the sum of their stored values.
  private int writeBlock(MemorySegment m, long source, int n, long to, int lane) {
    for (int g = 0; g < layout.groups() && layout.scaleBytes() > 0; g++) {
      int scale = format.scale().of(m, source, n * layout.groups() + g);
      setScale(to + layout.scalesAt(g), lane, scale);
    }
    if (layout.minimum()) {
      setScale(to + layout.minimumsAt(), lane, format.minimum().of(m, source, n));
    }
    int sum = 0;
    int first = 0; // plane
    int second = 0;
    for (int j = 0; j < layout.storedWords(); j++) {
      int word = format.words().of(m, source, n, j);
      sum += bytes(word);
      if (layout.bits() < 8) {
        int other = format.words().of(m, source, n, j + 4);
        sum += bytes(other);
        first |= plane(word, j, 0) | plane(other, j + 4, 0);
        second |= plane(word, j, 1) | plane(other, j + 4, 1);
        word = word & 0x0F0F_0F0F | (other & 0x0F0F_0F0F) << 4;
      }
      data.set(JAVA_INT, to + layout.wordsAt(j) + 4L * lane, word);
    }
    for (int p = 0; p < layout.planes(); p++) {
      data.set(JAVA_INT, to + layout.planeAt(p) + 4L * lane, p == 0 ? first : second);
    }
    return sum;
  }

  private static int bytes(int word) {
    return (word & 0xFF) + (word >> 8 & 0xFF) + (word >> 16 & 0xFF) + (word >>> 24);
  }

  /// What word k has in a plane.
  private int plane(int word, int k, int plane) {
    if (plane >= layout.planes() || layout.planeOf(k) != plane) {
      return 0;
    }
    int upper = word & layout.upperBits();
    int left = layout.planeShift(k);
    return left > 0 ? upper >>> left : upper << -left;
  }

  private void setScale(long at, int lane, int value) {
    if (layout.scaleBytes() == Short.BYTES) {
      data.set(JAVA_SHORT, at + 2L * lane, (short) value);
    } else {
      data.set(JAVA_BYTE, at + lane, (byte) value);
    }
  }
}
