package dev.quern.provider.x86.linear;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;

/// Writes a row of weights into its lane of a panel ([PanelLayout]).
record PanelWriter(PanelFormat format, PanelLayout layout, MemorySegment data) {

  /// Writes an output.
  ///
  /// @param panelAt where the panel begins in data
  /// @param lane the output within it
  void write(WeightMatrix m, long row, long panelAt, int lane) {
    int perSource = m.format().blockElements() / PanelLayout.BLOCK;
    long source = row * m.format().rowBytes(m.inputs());
    long end = source + m.format().rowBytes(m.inputs());
    long to = panelAt;
    for (; source < end; source += m.format().blockBytes()) {
      if (layout.hasHeads()) {
        data.set(JAVA_SHORT, to + 2L * lane, (short) format.head().of(m.data(), source, 0));
        if (layout.minimum()) {
          short minimum = (short) format.headMinimum().of(m.data(), source, 0);
          data.set(JAVA_SHORT, to + layout.headMinimumsAt() + 2L * lane, minimum);
        }
        to += layout.headBytes();
      }
      for (int n = 0; n < perSource; n++) {
        writeBlock(m.data(), source, n, to, lane);
        to += layout.blockBytes();
      }
    }
  }

  private void writeBlock(MemorySegment m, long source, int n, long to, int lane) {
    for (int g = 0; g < layout.groups(); g++) {
      int scale = format.scale().of(m, source, n * layout.groups() + g);
      setScale(to + layout.scalesAt(g), lane, scale);
    }
    if (layout.minimum()) {
      setScale(to + layout.minimumsAt(), lane, format.minimum().of(m, source, n));
    }
    int first = 0; // plane
    int second = 0;
    for (int j = 0; j < layout.storedWords(); j++) {
      int word = format.words().of(m, source, n, j);
      if (layout.bits() < 8) {
        int other = format.words().of(m, source, n, j + 4);
        first |= plane(word, j, 0) | plane(other, j + 4, 0);
        second |= plane(word, j, 1) | plane(other, j + 4, 1);
        word = word & 0x0F0F_0F0F | (other & 0x0F0F_0F0F) << 4;
      }
      data.set(JAVA_INT, to + layout.wordsAt(j) + 4L * lane, word);
    }
    for (int p = 0; p < layout.planes(); p++) {
      data.set(JAVA_INT, to + layout.planeAt(p) + 4L * lane, p == 0 ? first : second);
    }
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
