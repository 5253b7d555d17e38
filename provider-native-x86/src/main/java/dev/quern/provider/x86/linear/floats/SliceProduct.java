package dev.quern.provider.x86.linear.floats;

import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.linear.panel.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.linear.panel.PanelLoop;

/// What products by panels of two slices ([FloatUnit]) have in common: all but blocks. The sums of
/// a row begin at zero; last, the tile's foot has a number that is added to all of them.
public abstract class SliceProduct implements PanelLoop.Unit {
  private final Assembler a;
  private final FloatUnit unit;
  private final int rows;
  private final Label bits;

  /// @param rows of the tile
  protected SliceProduct(Assembler a, FloatUnit unit, int rows) {
    this.a = a;
    this.unit = unit;
    this.rows = rows;
    bits = a.label();
  }

  /// Where x is broadcast to; spare outside of blocks.
  protected final Vec x() {
    return unit.temporary(0);
  }

  @Override
  public void begin() {
    for (int r = 0; r < rows; r++) {
      for (int slice = 0; slice < FloatUnit.SLICES; slice++) {
        Vec sum = unit.sum(r, slice);
        a.emit(Op.VXORPS, sum, sum, sum);
      }
    }
  }

  @Override
  public final void foot() {
    for (int r = 0; r < rows; r++) {
      a.emit(Op.VBROADCASTSS, x(), ptr(TILE, Float.BYTES * r));
      for (int slice = 0; slice < FloatUnit.SLICES; slice++) {
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
  public final void mask(Gp outputs) {
    if (hasMasks()) {
      a.emit(Op.KMOVW, k(1), outputs);
      a.emit(Op.SHR, outputs, unit.lanes());
      a.emit(Op.KMOVW, k(2), outputs);
      return;
    }
    a.emit(Op.VMOVD, x().as(128), outputs);
    a.emit(Op.VPBROADCASTD, x(), x().as(128));
    for (int slice = 0; slice < FloatUnit.SLICES; slice++) {
      Mem own = ptr(bits).plus((long) slice * unit.bits() / 8);
      a.emit(Op.VPAND, mask(slice), x(), own);
      a.emit(Op.VPCMPEQD, mask(slice), mask(slice), own);
    }
  }

  @Override
  public final void add(int row, Mem y) {
    for (int slice = 0; slice < FloatUnit.SLICES; slice++) {
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
  public final void store(int row, Mem y) {
    for (int slice = 0; slice < FloatUnit.SLICES; slice++) {
      Mem own = y.plus((long) slice * unit.bits() / 8);
      if (hasMasks()) {
        a.emit(Op.VMOVUPS, own.with(k(1 + slice)), unit.sum(row, slice));
      } else {
        a.emit(Op.VMASKMOVPS, own, mask(slice), unit.sum(row, slice));
      }
    }
  }

  /// Behind the code.
  protected void constants() {
    if (!hasMasks()) {
      a.align(32);
      a.place(bits);
      for (int lane = 0; lane < unit.outputs(); lane++) {
        a.data(1 << lane);
      }
    }
  }
}
