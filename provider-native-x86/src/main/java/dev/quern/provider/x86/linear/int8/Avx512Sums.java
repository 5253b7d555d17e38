package dev.quern.provider.x86.linear.int8;

import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static dev.quern.provider.x86.linear.int8.Avx512Panel.SCALES;
import static dev.quern.provider.x86.linear.int8.Avx512Panel.SPARE;
import static dev.quern.provider.x86.linear.int8.Avx512Panel.WORDS;
import static dev.quern.provider.x86.linear.panel.PanelLoop.PANEL;
import static dev.quern.provider.x86.linear.panel.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelLayout.Scales;
import dev.quern.provider.x86.linear.panel.PanelLoop;

/// Sums of 16 outputs, F32, in zmm0 and on, a register for each row, as products of 512 bits have
/// them.
abstract class Avx512Sums implements PanelLoop.Unit {
  final Assembler a;
  final PanelLayout layout;
  final RoundedTile tile;

  Avx512Sums(Assembler a, PanelLayout layout, RoundedTile tile) {
    this.a = a;
    this.layout = layout;
    this.tile = tile;
  }

  static Vec sum(int row) {
    return zmm(row);
  }

  @Override
  public void begin() {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VPXORD, sum(r), sum(r), sum(r));
    }
  }

  /// Adds a group's integer sums of a row, by the scales in SCALES.
  ///
  /// @param floats the integer sums as F32
  void addScaled(int row, Vec floats) {
    switch (layout.scales()) {
      case F32_FOOT -> a.emit(Op.VADDPS, sum(row), sum(row), floats);
      case BF16_HEAD, F32_WHOLE_ROWS -> a.emit(Op.VFMADD231PS, sum(row), floats, SCALES);
      case F16, U8, S8_HALVES, F32, F32_HALVES -> {
        a.emit(Op.VMULPS, SPARE, SCALES, ptr(TILE, tile.scaleAt(row)).broadcast());
        a.emit(Op.VFMADD231PS, sum(row), floats, SPARE);
      }
    }
  }

  /// Adds a block's minimums, which are in SCALES.
  void addMinimums() {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VFMADD231PS, sum(r), SCALES, ptr(TILE, tile.termAt(r, 0)).broadcast());
    }
  }

  @Override
  public void foot() {
    a.emit(Op.VMOVUPS, WORDS, ptr(PANEL));
    if (layout.scales() == Scales.F32_FOOT) {
      a.emit(Op.VMOVUPS, SCALES, ptr(PANEL, layout.footScalesAt()));
    }
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VFNMADD231PS, sum(r), WORDS, ptr(TILE, tile.zeroPointAt(r)).broadcast());
      a.emit(Op.VMULPS, sum(r), sum(r), ptr(TILE, tile.stepAt(r)).broadcast());
      if (layout.scales() == Scales.F32_FOOT) {
        a.emit(Op.VMULPS, sum(r), sum(r), SCALES);
      }
    }
  }

  @Override
  public void mask(Gp bits) {
    a.emit(Op.KMOVW, k(1), bits);
  }

  @Override
  public void add(int row, Mem y) {
    a.emit(Op.VMOVUPS, SPARE.zeroing(k(1)), y);
    a.emit(Op.VADDPS, sum(row), sum(row), SPARE);
  }

  @Override
  public void store(int row, Mem y) {
    a.emit(Op.VMOVUPS, y.with(k(1)), sum(row));
  }
}
