package dev.quern.provider.x86.linear.bf16;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.floats.BlockPanels;
import dev.quern.provider.x86.linear.floats.FloatCode;
import dev.quern.provider.x86.linear.panel.Bf16Panels;
import dev.quern.provider.x86.linear.panel.PackedPanels;
import dev.quern.provider.x86.linear.panel.RowPacking;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.Routine;
import dev.quern.provider.x86.memory.RoutineLoader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// The code of a format in BF16 (`bf16`). Weights that are floats are packed as BF16; those of
/// blocks lie in the panels of the int8 products on AVX-512, and are decoded.
///
/// @param packing of its panels
/// @param tilesFrom rows from which tiles of AMX multiply; [Integer#MAX_VALUE] where there are none
/// @param rowCopy of a row of x ([Bf16RowCopy])
/// @param decoder of a panel; that of packed BF16 is never called
/// @param products by `vdpbf16ps`, of tiles of 1, 2, ... rows; empty where tiles multiply all
/// @param tileProducts by `tdpbf16ps`, of up to 16 rows, and of more
public record Bf16Code(
    PackedPanels panels,
    RowPacking packing,
    int tilesFrom,
    Routine rowCopy,
    Routine decoder,
    List<Routine> products,
    List<Routine> tileProducts)
    implements FloatCode {

  /// The code that all formats share, for a format that is packed as BF16.
  ///
  /// @param tilesFrom 1 for tiles alone
  /// @throws RefusedException if the system gives no memory for code
  static Bf16Code load(Bf16Panels panels, int tilesFrom, RoutineLoader loader)
      throws RefusedException {
    List<Code> codes = new ArrayList<>(List.of(Bf16RowCopy.code().named("row-copy-bf16")));
    int height = tilesFrom == 1 ? 0 : Bf16Product.UNIT.maxRows();
    codes.addAll(
        IntStream.rangeClosed(1, height)
            .mapToObj(rows ->
                Bf16Product.code(rows)
                    .named(name(panels.format(), CpuRow.AVX512_BF16) + "-rows-" + rows))
            .toList());
    if (tilesFrom < Integer.MAX_VALUE) {
      codes.add(AmxBf16Product.code(false).named(name(panels.format(), CpuRow.AMX) + "-rows-16"));
      codes.add(AmxBf16Product.code(true).named(name(panels.format(), CpuRow.AMX) + "-rows-32"));
    }
    codes.add(packingCode(panels));
    List<Routine> routines = loader.load(codes);
    Routine none =
        (_, _, _, _) -> {
          throw new IllegalStateException("packed BF16 weights are not decoded");
        };
    return new Bf16Code(
        panels,
        panels.packing(routines.getLast()),
        tilesFrom,
        routines.getFirst(),
        none,
        List.copyOf(routines.subList(1, 1 + height)),
        List.copyOf(routines.subList(1 + height, routines.size() - 1)));
  }

  private static Code packingCode(PackedPanels panels) {
    return panels.packing().named(name(panels.format(), CpuRow.AVX512_BF16) + "-packing");
  }

  /// For another format that is packed as BF16.
  ///
  /// @throws RefusedException if the system gives no memory for code
  Bf16Code with(Bf16Panels others, RoutineLoader loader) throws RefusedException {
    Routine packs = loader.load(List.of(packingCode(others))).getFirst();
    return new Bf16Code(
        others, others.packing(packs), tilesFrom, rowCopy, decoder, products, tileProducts);
  }

  /// For a format of blocks.
  ///
  /// @throws RefusedException if the system gives no memory for code
  Bf16Code with(BlockPanels others, RoutineLoader loader) throws RefusedException {
    Code decodes =
        Bf16Decoder.code(others).named(name(others.format(), CpuRow.AVX512_BF16) + "-decoder");
    List<Routine> routines = loader.load(List.of(decodes, packingCode(others)));
    return new Bf16Code(
        others,
        others.packing(routines.getLast()),
        tilesFrom,
        rowCopy,
        routines.getFirst(),
        products,
        tileProducts);
  }

  /// Of a format on a row of the table: `q4_0-bf16-amx`. What is decoded is multiplied by the code
  /// of BF16's.
  public static String name(BlockFormat format, CpuRow row) {
    return format.id().toLowerCase(Locale.ROOT) + "-bf16-" + row;
  }

  private boolean inTiles(int rows) {
    return rows >= tilesFrom;
  }

  @Override
  public int outputs() {
    return Bf16Panels.OUTPUTS;
  }

  @Override
  public int maxRows(int rows) {
    return inTiles(rows) ? AmxBf16Product.MAX_ROWS : Bf16Product.UNIT.maxRows();
  }

  @Override
  public boolean direct(int rows) {
    return panels.outputs() == outputs();
  }

  @Override
  public long rowBytes(int inputs) {
    return Bf16Tile.rowBytes(inputs);
  }

  @Override
  public void setRow(
      MemorySegment block, long at, long x, long tile, int tileRows, int row, int inputs) {
    Bf16RowCopy.arguments(block, at, x, tile, tileRows, row, inputs);
  }

  @Override
  public long decodedBytes(int inputs) {
    return (long) Short.BYTES * inputs * outputs();
  }

  @Override
  public int decodedStep() {
    return 2 * Short.BYTES * panels.outputs();
  }

  @Override
  public int blocks(int inputs, boolean direct) {
    return inputs / Bf16Panels.BLOCK;
  }

  @Override
  public Routine product(int rows, int tileRows) {
    return inTiles(rows)
        ? tileProducts.get(tileRows > AmxBf16Product.TILE_ROWS ? 1 : 0)
        : products.get(tileRows - 1);
  }

  @Override
  public int spillBytes() {
    return tileProducts.isEmpty() ? 0 : AmxBf16Product.SPILL_BYTES;
  }

  @Override
  public void setProduct(MemorySegment block, long at, int rows, int tileRows, long spill) {
    if (inTiles(rows)) {
      AmxBf16Product.set(block, at, tileRows, spill);
    }
  }
}
