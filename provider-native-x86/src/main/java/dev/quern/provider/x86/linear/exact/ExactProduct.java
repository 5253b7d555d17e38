package dev.quern.provider.x86.linear.exact;

import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.linear.panel.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.linear.floats.FloatUnit;
import dev.quern.provider.x86.linear.floats.SliceProduct;
import dev.quern.provider.x86.linear.floats.WeightDecoder;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.provider.x86.linear.panel.PanelLoop.Prefetch;

/// Products of F32 (`exact-f32`): a [FloatTile] of rows by panels of any format, one FMA for each
/// weight and row in the order of inputs, from a sum of zero. That order is the same for every
/// number of rows, and so are the bits.
///
/// And the same weights to memory, as F32 panels (`FloatPanels`), for rows that need more than one
/// tile.
final class ExactProduct extends SliceProduct {
  private final Assembler a;
  private final FloatUnit unit;
  private final int rows;
  private final WeightDecoder decoder;

  private ExactProduct(Assembler a, FloatUnit unit, int rows, WeightDecoder decoder) {
    super(a, unit, rows);
    this.a = a;
    this.unit = unit;
    this.rows = rows;
    this.decoder = decoder;
  }

  static Code code(FloatUnit unit, WeightPanels panels, int rows) {
    Assembler a = new Assembler(unit.row().needs());
    ExactProduct product = new ExactProduct(a, unit, rows, panels.decoder(a, unit));
    panels.loop(rows, FloatTile.bytes(rows, panels.inputs())).emit(a, product, Prefetch.ALWAYS);
    product.constants();
    return a.code();
  }

  /// Stores the weights of one panel as F32.
  static Code decoder(FloatUnit unit, WeightPanels panels) {
    Assembler a = new Assembler(unit.row().needs());
    WeightDecoder decoder = panels.decoder(a, unit);
    int blockBytes = Float.BYTES * panels.inputs() * unit.outputs();
    panels
        .loop(0, blockBytes)
        .emitBlocks(
            a,
            decoder::begin,
            () ->
                decoder.block((input, slice, weights) -> {
                  for (int i = 0; i < weights.length; i++) {
                    int lane = unit.outputs() * input + unit.lanes() * (slice + i);
                    a.emit(Op.VMOVUPS, ptr(TILE, Float.BYTES * lane), weights[i]);
                  }
                }));
    decoder.constants();
    return a.code();
  }

  @Override
  public void begin() {
    super.begin();
    decoder.begin();
  }

  @Override
  public void block() {
    decoder.block((input, slice, weights) -> {
      for (int r = 0; r < rows; r++) {
        a.emit(Op.VBROADCASTSS, x(), ptr(TILE, FloatTile.at(rows, r, input)));
        for (int i = 0; i < weights.length; i++) {
          a.emit(Op.VFMADD231PS, unit.sum(r, slice + i), weights[i], x());
        }
      }
    });
  }

  @Override
  protected void constants() {
    decoder.constants();
    super.constants();
  }
}
