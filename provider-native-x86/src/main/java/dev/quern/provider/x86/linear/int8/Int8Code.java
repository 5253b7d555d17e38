package dev.quern.provider.x86.linear.int8;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearSpec;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.linear.floats.BlockPanels;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelWeights;
import dev.quern.provider.x86.linear.panel.RowPacking;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.Routine;
import dev.quern.provider.x86.memory.RoutineLoader;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/// The code of a format on a unit, which knows no shapes: one serves all linears of the format.
///
/// @param packing of its panels
/// @param rounding of a row of x
/// @param tiles of 1, 2, ... rows
/// @param products for each of them
/// @param unpacking of panels, for the products that read them so; empty if none does
public record Int8Code(
    DotUnit unit,
    PanelFormat format,
    RowPacking packing,
    Routine rounding,
    List<RoundedTile> tiles,
    List<Routine> products,
    Optional<Routine> unpacking) {

  /// @throws RefusedException if the system gives no memory for code
  static Int8Code load(DotUnit unit, PanelFormat format, RoutineLoader loader)
      throws RefusedException {
    List<Code> codes = new ArrayList<>();
    PanelLayout layout = unit.layout(format);
    int offset = unit.offset().of(format);
    String name = name(unit, format);
    Code rounding =
        layout.wholeRows()
            ? RowRounding.code(offset)
            : GroupRounding.code(layout.groups(), layout.minimum(), offset);
    codes.add(rounding.named(name + "-rounding"));
    List<RoundedTile> tiles =
        IntStream.rangeClosed(1, unit.maxRows())
            .mapToObj(rows -> new RoundedTile(rows, layout.groups(), layout.wholeRows()))
            .toList();
    for (RoundedTile tile : tiles) {
      codes.add(unit.generator().code(layout, tile).named(name + "-rows-" + tile.rows()));
    }
    BlockPanels panels = new BlockPanels(format, layout);
    codes.add(panels.packing().named(name + "-packing"));
    if (unit.unpacks(unit.maxRows())) {
      codes.add(PanelUnpacking.code(layout, format.offset()).named(name + "-unpacking"));
    }
    List<Routine> routines = loader.load(codes);
    int products = 1 + tiles.size();
    return new Int8Code(
        unit,
        format,
        panels.packing(routines.get(products)),
        routines.getFirst(),
        tiles,
        List.copyOf(routines.subList(1, products)),
        routines.stream().skip(products + 1).findFirst());
  }

  private static String name(DotUnit unit, PanelFormat format) {
    return format.format().id().toLowerCase(Locale.ROOT) + "-" + unit.row();
  }

  /// Of the format and the unit: `q4_0-avx512-vnni`. Its codes' names begin with it.
  public String name() {
    return name(unit, format);
  }

  /// Packs weights that it will multiply.
  public PanelWeights pack(
      LinearSpec spec, List<WeightMatrix> stacked, SegmentAllocator allocator, Workers workers) {
    BlockPanels panels = new BlockPanels(format, unit.layout(format));
    return PanelWeights.pack(panels, packing, spec, stacked, allocator, workers);
  }

  RoundedTile tile(int rows) {
    return tiles.get(rows - 1);
  }

  Routine product(int rows) {
    return products.get(rows - 1);
  }
}
