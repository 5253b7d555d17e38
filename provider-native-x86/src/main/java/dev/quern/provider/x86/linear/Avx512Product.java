package dev.quern.provider.x86.linear;

import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static dev.quern.provider.x86.linear.PanelLoop.PANEL;
import static dev.quern.provider.x86.linear.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;

/// Products by `vpdpbusd` of 512 bits: panels of 16 outputs ([PanelLayout]), up to eight rows.
///
///     zmm0 .. 7    sums, F32, of each row
///     zmm8 .. 15   the block's sums, integers; then as F32
///     zmm16        scales     zmm17, 18   words     zmm19   0x0F of every byte
final class Avx512Product implements PanelLoop.Unit {
  static final int OUTPUTS = 16;
  static final int MAX_ROWS = 8;

  private static final Vec SCALES = zmm(16);
  private static final Vec WORDS = zmm(17);
  private static final Vec HIGH = zmm(18);
  private static final Vec NIBBLES = zmm(19);

  private final Assembler a;
  private final PanelLayout layout;
  private final RoundedTile tile;

  private Avx512Product(Assembler a, PanelLayout layout, RoundedTile tile) {
    this.a = a;
    this.layout = layout;
    this.tile = tile;
  }

  static Code code(PanelLayout layout, RoundedTile tile) {
    Assembler a = new Assembler(CpuRow.AVX512_VNNI.needs());
    Label nibbles = a.label();
    a.emit(Op.VPBROADCASTD, NIBBLES, ptr(nibbles));
    new PanelLoop(layout, tile).emit(a, new Avx512Product(a, layout, tile), tile.rows() < MAX_ROWS);
    a.place(nibbles);
    a.data(0x0F0F_0F0F);
    return a.code();
  }

  private static Vec sum(int row) {
    return zmm(row);
  }

  private static Vec integers(int row) {
    return zmm(MAX_ROWS + row);
  }

  @Override
  public void begin() {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VPXORD, sum(r), sum(r), sum(r));
    }
  }

  @Override
  public void block() {
    a.emit(Op.VCVTPH2PS, SCALES, ptr(PANEL));
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VPBROADCASTD, integers(r), ptr(TILE, tile.biasAt(r)));
    }
    for (int j = 0; j < layout.bits(); j++) {
      a.emit(Op.VMOVDQU32, WORDS, ptr(PANEL, layout.wordsAt(j)));
      if (layout.bits() == 8) {
        dot(WORDS, 4 * j);
      } else {
        a.emit(Op.VPSRLD, HIGH, WORDS, 4);
        a.emit(Op.VPANDD, WORDS, WORDS, NIBBLES);
        a.emit(Op.VPANDD, HIGH, HIGH, NIBBLES);
        dot(WORDS, 4 * j);
        dot(HIGH, 4 * j + PanelLayout.BLOCK / 2);
      }
    }
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VCVTDQ2PS, integers(r), integers(r));
      a.emit(Op.VMULPS, WORDS, SCALES, ptr(TILE, tile.scaleAt(r)).broadcast());
      a.emit(Op.VFMADD231PS, sum(r), integers(r), WORDS);
    }
  }

  /// Four inputs of the block, from one on, of all rows.
  private void dot(Vec words, int input) {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VPDPBUSD, integers(r), words, ptr(TILE, tile.valuesAt(r) + input).broadcast());
    }
  }

  @Override
  public void mask(Gp bits) {
    a.emit(Op.KMOVW, k(1), bits);
  }

  @Override
  public void add(int row, Mem y) {
    a.emit(Op.VADDPS, sum(row).with(k(1)), sum(row), y);
  }

  @Override
  public void store(int row, Mem y) {
    a.emit(Op.VMOVUPS, y.with(k(1)), sum(row));
  }
}
