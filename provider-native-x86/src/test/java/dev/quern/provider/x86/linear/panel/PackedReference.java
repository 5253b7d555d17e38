package dev.quern.provider.x86.linear.panel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.Bf16;
import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.provider.x86.linear.floats.BlockPanels;
import dev.quern.provider.x86.linear.floats.FloatPanels;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Panels as plain Java writes them, value by value.
///
/// @param data panels
record PackedReference(PackedPanels panels, int blocks, MemorySegment data) {

  /// What is missing from the last panel are rows of zeros.
  static PackedReference of(PackedPanels panels, List<WeightMatrix> stacked, Arena arena) {
    int inputs = stacked.getFirst().inputs();
    int blocks = Math.ceilDiv(inputs, panels.inputs());
    int outputs = stacked.stream().mapToInt(WeightMatrix::outputs).sum();
    int missing = Math.ceilDiv(outputs, panels.outputs()) * panels.outputs() - outputs;
    List<WeightMatrix> all = new ArrayList<>(stacked);
    if (missing > 0) {
      BlockFormat format = panels.format();
      all.add(
          new WeightMatrix(
              format,
              arena.allocate(missing * format.rowBytes(inputs)),
              arena.allocate(format.scalePlane().bytes(missing, format.blocksPerRow(inputs))),
              missing,
              inputs));
    }
    long panelBytes = panels.bytes(blocks);
    MemorySegment data = arena.allocate((outputs + missing) / panels.outputs() * panelBytes, 64);
    PackedReference reference = new PackedReference(panels, blocks, data);
    int output = 0;
    for (WeightMatrix m : all) {
      for (int row = 0; row < m.outputs(); row++) {
        long panelAt = output / panels.outputs() * panelBytes;
        reference.write(m, row, panelAt, output % panels.outputs());
        output++;
      }
    }
    return reference;
  }

  private void write(WeightMatrix m, int row, long panelAt, int lane) {
    switch (panels) {
      case BlockPanels p ->
          new PanelWriter(PanelBlocks.of(p.format()), p.layout(), data)
              .write(m, row, panelAt, lane);
      case FloatPanels _ -> writeFloats(m, row, panelAt, lane);
      default -> writePairs(m, row, panelAt, lane);
    }
  }

  /// `[inputs, to a multiple of 8][outputs]`
  private void writeFloats(WeightMatrix m, int row, long panelAt, int lane) {
    int bytes = m.format().blockBytes();
    for (int i = 0; i < m.inputs(); i++) {
      long from = ((long) row * m.inputs() + i) * bytes;
      long to = panelAt + ((long) i * panels.outputs() + lane) * bytes;
      if (bytes == Float.BYTES) {
        data.set(JAVA_INT, to, m.data().get(JAVA_INT_UNALIGNED, from));
      } else {
        data.set(JAVA_SHORT, to, m.data().get(JAVA_SHORT_UNALIGNED, from));
      }
    }
  }

  /// `bf16[inputs / 2, to whole blocks][32 outputs][2]`
  private void writePairs(WeightMatrix m, int row, long panelAt, int lane) {
    for (int i = 0; i < m.inputs(); i++) {
      long from = ((long) row * m.inputs() + i) * m.format().blockBytes();
      short bits =
          switch (m.format().id()) {
            case "F32" ->
                Bf16.fromFloat(Float.intBitsToFloat(m.data().get(JAVA_INT_UNALIGNED, from)));
            case "F16" ->
                Bf16.fromFloat(Float.float16ToFloat(m.data().get(JAVA_SHORT_UNALIGNED, from)));
            default -> m.data().get(JAVA_SHORT_UNALIGNED, from);
          };
      data.set(JAVA_SHORT, panelAt + (i / 2 * 32L + lane) * 4 + i % 2 * 2, bits);
    }
  }

  /// Where packed panels differ; empty if nowhere. The sum of a foot may be any NaN where it is
  /// one.
  String difference(PanelWeights packed) {
    if (packed.data().byteSize() != data.byteSize()) {
      return packed.data().byteSize() + " bytes, expected " + data.byteSize();
    }
    long at = 0;
    while (at < data.byteSize()) {
      long next = packed.data().asSlice(at).mismatch(data.asSlice(at));
      if (next < 0) {
        return "";
      }
      at += next;
      long word = at & -Integer.BYTES;
      if (!isSum(word) || !isNaN(packed.data(), word) || !isNaN(data, word)) {
        long panel = at / packed.panelBytes();
        return String.format(
            Locale.ROOT,
            "byte %d of panel %d: %02x, expected %02x",
            at - panel * packed.panelBytes(),
            panel,
            packed.data().get(JAVA_BYTE, at),
            data.get(JAVA_BYTE, at));
      }
      at = word + Integer.BYTES;
    }
    return "";
  }

  private boolean isSum(long at) {
    if (!(panels instanceof BlockPanels p) || !p.layout().wholeRows()) {
      return false;
    }
    long inFoot = at % panels.bytes(blocks) - p.layout().footAt(blocks);
    return inFoot >= 0 && inFoot < (long) Float.BYTES * p.layout().outputs();
  }

  private static boolean isNaN(MemorySegment from, long at) {
    return Float.isNaN(Float.intBitsToFloat(from.get(JAVA_INT, at)));
  }

  /// Panels of all kinds: of blocks for both widths, of floats, of BF16 pairs.
  static List<PackedPanels> all() {
    List<PackedPanels> all = new ArrayList<>();
    for (int outputs : new int[] {8, 16}) {
      WeightPanels.formats().forEach(f -> all.add(WeightPanels.of(f, outputs).orElseThrow()));
    }
    FloatPanels.formats().forEach(f -> all.add(new Bf16Panels(f)));
    return all;
  }

  /// For names of tests.
  static String name(PackedPanels panels) {
    return panels.format()
        + (panels instanceof Bf16Panels ? " as BF16" : "")
        + " in panels of "
        + panels.outputs();
  }
}
