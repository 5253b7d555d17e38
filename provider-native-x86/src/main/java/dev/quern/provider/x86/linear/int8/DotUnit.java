package dev.quern.provider.x86.linear.int8;

import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import java.util.List;

/// What multiplies int8 rows by panels on a row of the table of CPUs; a new unit is a row here and
/// a generator.
///
/// @param row whose CPUs have it
/// @param outputs of a panel
/// @param maxRows of a tile
/// @param generator its product for so many rows of a tile
/// @param offset what the product leaves in the bias of a format's blocks
/// @param unpackedFrom rows of a tile from which on its product reads panels that [PanelUnpacking]
///   has unpacked; more than maxRows for none
record DotUnit(
    CpuRow row, int outputs, int maxRows, Generator generator, Offset offset, int unpackedFrom) {
  @FunctionalInterface
  interface Generator {
    Code code(PanelLayout layout, RoundedTile tile);
  }

  @FunctionalInterface
  interface Offset {
    int of(PanelFormat format);
  }

  private static final int NEVER = Integer.MAX_VALUE;

  private static final List<DotUnit> TABLE =
      List.of(
          new DotUnit(
              CpuRow.AMX,
              Avx512Product.OUTPUTS,
              AmxProduct.MAX_ROWS,
              (layout, tile) ->
                  tile.rows() < AmxProduct.MIN_ROWS
                      ? Avx512Product.code(layout, tile)
                      : AmxProduct.code(layout, tile),
              PanelFormat::offset,
              AmxProduct.MIN_ROWS),
          new DotUnit(
              CpuRow.AVX512_VNNI,
              Avx512Product.OUTPUTS,
              Avx512Product.MAX_ROWS,
              Avx512Product::code,
              PanelFormat::offset,
              NEVER),
          new DotUnit(
              CpuRow.AVX_VNNI,
              Avx2Product.OUTPUTS,
              Avx2Product.MAX_ROWS,
              Avx2Product::avxVnni,
              PanelFormat::offset,
              NEVER),
          new DotUnit(
              CpuRow.AVX2,
              Avx2Product.OUTPUTS,
              Avx2Product.MAX_ROWS,
              Avx2Product::avx2,
              format ->
                  Avx2Product.magnitudes(format.layout(Avx2Product.OUTPUTS)) ? 0 : format.offset(),
              NEVER));

  /// The best unit that code of a row may use.
  static DotUnit of(CpuRow row) {
    return TABLE.stream()
        .filter(unit -> row.needs().containsAll(unit.row.needs()))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no int8 products for CPU row " + row));
  }

  PanelLayout layout(PanelFormat format) {
    return format.layout(outputs);
  }

  /// Whether the product of a tile of so many rows reads unpacked panels.
  boolean unpacks(int rows) {
    return rows >= unpackedFrom;
  }
}
