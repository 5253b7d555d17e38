package dev.quern.provider.x86.linear;

import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.linear.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;

/// Products of F32 (`exact-f32`): a [FloatTile] of rows by panels of any format, one FMA for each
/// weight and row in the order of inputs, from a sum of zero. That order is the same for every
/// number of rows, and so are the bits.
///
/// And the same weights to memory, as F32 panels ([FloatPanels]), for rows that need more than one
/// tile.
final class ExactProduct implements PanelLoop.Unit {
  private final Assembler a;
  private final ExactUnit unit;
  private final FloatTile tile;
  private final WeightDecoder decoder;
  private final Label bits;

  private ExactProduct(Assembler a, ExactUnit unit, FloatTile tile, WeightDecoder decoder) {
    this.a = a;
    this.unit = unit;
    this.tile = tile;
    this.decoder = decoder;
    bits = a.label();
  }

  static Code code(ExactUnit unit, WeightPanels panels, int rows) {
    Assembler a = new Assembler(unit.row().needs());
    FloatTile tile = new FloatTile(rows);
    ExactProduct product = new ExactProduct(a, unit, tile, panels.decoder(a, unit));
    panels.loop(rows, tile.bytes(panels.inputs())).emit(a, product, true);
    product.decoder.constants();
    a.align(32);
    a.place(product.bits);
    for (int lane = 0; lane < unit.outputs() && !product.hasMasks(); lane++) {
      a.data(1 << lane);
    }
    return a.code();
  }

  /// Stores the weights of one panel as F32.
  static Code decoder(ExactUnit unit, WeightPanels panels) {
    Assembler a = new Assembler(unit.row().needs());
    FloatTile tile = new FloatTile(unit.outputs()); // as large as so many rows
    ExactProduct product = new ExactProduct(a, unit, tile, panels.decoder(a, unit));
    panels
        .loop(0, tile.bytes(panels.inputs()))
        .emitBlocks(a, product.decoder::begin, product::storeBlock);
    product.decoder.constants();
    return a.code();
  }

  private void storeBlock() {
    decoder.block((input, slice, weights) -> {
      for (int i = 0; i < weights.length; i++) {
        int lane = unit.lanes() * (slice + i);
        a.emit(Op.VMOVUPS, ptr(TILE, Float.BYTES * (unit.outputs() * input + lane)), weights[i]);
      }
    });
  }

  private Vec x() {
    return unit.temporary(0);
  }

  @Override
  public void begin() {
    for (int r = 0; r < tile.rows(); r++) {
      for (int slice = 0; slice < ExactUnit.SLICES; slice++) {
        Vec sum = unit.sum(r, slice);
        a.emit(Op.VXORPS, sum, sum, sum);
      }
    }
    decoder.begin();
  }

  @Override
  public void block() {
    decoder.block((input, slice, weights) -> {
      for (int r = 0; r < tile.rows(); r++) {
        a.emit(Op.VBROADCASTSS, x(), ptr(TILE, tile.at(r, input)));
        for (int i = 0; i < weights.length; i++) {
          a.emit(Op.VFMADD231PS, unit.sum(r, slice + i), weights[i], x());
        }
      }
    });
  }

  @Override
  public void foot() {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VBROADCASTSS, x(), ptr(TILE, FloatTile.footAt(r)));
      for (int slice = 0; slice < ExactUnit.SLICES; slice++) {
        a.emit(Op.VADDPS, unit.sum(r, slice), unit.sum(r, slice), x());
      }
    }
  }

  private boolean hasMasks() {
    return unit.bits() == 512;
  }

  /// A slice's mask where there are no mask registers.
  private Vec mask(int slice) {
    return unit.temporary(1 + slice);
  }

  @Override
  public void mask(Gp outputs) {
    if (hasMasks()) {
      a.emit(Op.KMOVW, k(1), outputs);
      a.emit(Op.SHR, outputs, unit.lanes());
      a.emit(Op.KMOVW, k(2), outputs);
      return;
    }
    a.emit(Op.VMOVD, x().as(128), outputs);
    a.emit(Op.VPBROADCASTD, x(), x().as(128));
    for (int slice = 0; slice < ExactUnit.SLICES; slice++) {
      Mem own = ptr(bits).plus((long) slice * unit.bits() / 8);
      a.emit(Op.VPAND, mask(slice), x(), own);
      a.emit(Op.VPCMPEQD, mask(slice), mask(slice), own);
    }
  }

  @Override
  public void add(int row, Mem y) {
    for (int slice = 0; slice < ExactUnit.SLICES; slice++) {
      Mem own = y.plus((long) slice * unit.bits() / 8);
      if (hasMasks()) {
        a.emit(Op.VMOVUPS, x().zeroing(k(1 + slice)), own);
      } else {
        a.emit(Op.VMASKMOVPS, x(), mask(slice), own);
      }
      a.emit(Op.VADDPS, unit.sum(row, slice), unit.sum(row, slice), x());
    }
  }

  @Override
  public void store(int row, Mem y) {
    for (int slice = 0; slice < ExactUnit.SLICES; slice++) {
      Mem own = y.plus((long) slice * unit.bits() / 8);
      if (hasMasks()) {
        a.emit(Op.VMOVUPS, own.with(k(1 + slice)), unit.sum(row, slice));
      } else {
        a.emit(Op.VMASKMOVPS, own, mask(slice), unit.sum(row, slice));
      }
    }
  }
}
