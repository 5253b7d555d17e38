package dev.quern.provider.x86.linear;

import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static dev.quern.provider.x86.linear.PanelLoop.HEAD;
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
import dev.quern.provider.x86.linear.PanelLayout.Scales;

/// Products by `vpdpbusd` of 512 bits: panels of 16 outputs ([PanelLayout]), up to eight rows.
///
///     zmm0 .. 7    sums, F32, of each row
///     zmm8 .. 15   sums of a group, integers; then as F32
///     zmm16        scales, minimums     zmm17   words     zmm18   spare
///     zmm19, 20    the lower and the upper bits of bytes
final class Avx512Product implements PanelLoop.Unit {
  static final int OUTPUTS = 16;
  static final int MAX_ROWS = 8;

  private static final Vec SCALES = zmm(16);
  private static final Vec WORDS = zmm(17);
  private static final Vec SPARE = zmm(18);
  private static final Vec NIBBLES = zmm(19);
  private static final Vec UPPER = zmm(20);

  /// VPTERNLOGD: the first, or the second and the third.
  private static final int OR_AND = 0xF8;

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
    Label upper = a.label();
    if (layout.bits() < 8) {
      a.emit(Op.VPBROADCASTD, NIBBLES, ptr(nibbles));
    }
    if (layout.planes() > 0) {
      a.emit(Op.VPBROADCASTD, UPPER, ptr(upper));
    }
    PanelLoop.of(layout, tile).emit(a, new Avx512Product(a, layout, tile), tile.rows() < MAX_ROWS);
    a.align(4);
    a.place(nibbles);
    a.data(0x0F0F_0F0F);
    a.place(upper);
    a.data(layout.upperBits());
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
    int words = PanelLayout.WORDS / layout.groups();
    for (int g = 0; g < layout.groups(); g++) {
      for (int r = 0; r < tile.rows(); r++) {
        if (layout.minimum()) {
          a.emit(Op.VPXORD, integers(r), integers(r), integers(r));
        } else {
          a.emit(Op.VPBROADCASTD, integers(r), ptr(TILE, tile.termAt(r, g)));
        }
      }
      for (int k = g * words; k < (g + 1) * words; k++) {
        word(k);
        for (int r = 0; r < tile.rows(); r++) {
          Mem x = ptr(TILE, tile.valuesAt(r) + 4 * k);
          a.emit(Op.VPDPBUSD, integers(r), WORDS, x.broadcast());
        }
      }
      scales(layout.scalesAt(g), 0);
      for (int r = 0; r < tile.rows(); r++) {
        a.emit(Op.VCVTDQ2PS, integers(r), integers(r));
        switch (layout.scales()) {
          case F32_FOOT -> a.emit(Op.VADDPS, sum(r), sum(r), integers(r));
          case BF16_HEAD -> a.emit(Op.VFMADD231PS, sum(r), integers(r), SCALES);
          case F16, U8, S8_HALVES -> {
            a.emit(Op.VMULPS, SPARE, SCALES, ptr(TILE, tile.scaleAt(r)).broadcast());
            a.emit(Op.VFMADD231PS, sum(r), integers(r), SPARE);
          }
        }
      }
    }
    if (layout.minimum()) {
      scales(layout.minimumsAt(), layout.headMinimumsAt());
      for (int r = 0; r < tile.rows(); r++) {
        a.emit(Op.VFMADD231PS, sum(r), SCALES, ptr(TILE, tile.termAt(r, 0)).broadcast());
      }
    }
  }

  /// Word k of all outputs.
  private void word(int k) {
    if (layout.bits() == 8) {
      a.emit(Op.VMOVDQU32, WORDS, ptr(PANEL, layout.wordsAt(k)));
    } else if (k < 4) {
      a.emit(Op.VPANDD, WORDS, NIBBLES, ptr(PANEL, layout.wordsAt(k)));
    } else {
      a.emit(Op.VPSRLD, WORDS, ptr(PANEL, layout.wordsAt(k - 4)), 4);
      a.emit(Op.VPANDD, WORDS, WORDS, NIBBLES);
    }
    if (layout.planes() > 0) {
      Mem plane = ptr(PANEL, layout.planeAt(layout.planeOf(k)));
      int left = layout.planeShift(k);
      if (left == 0) {
        a.emit(Op.VMOVDQU32, SPARE, plane);
      } else {
        a.emit(left > 0 ? Op.VPSLLD : Op.VPSRLD, SPARE, plane, Math.abs(left));
      }
      a.emit(Op.VPTERNLOGD, WORDS, SPARE, UPPER, OR_AND);
    }
  }

  /// Scales or minimums of the block as F32.
  ///
  /// @param at where they begin
  /// @param headAt where their factors are in the head, if they are bytes
  private void scales(int at, int headAt) {
    switch (layout.scales()) {
      case F16 -> a.emit(Op.VCVTPH2PS, SCALES, ptr(PANEL, at));
      case U8 -> a.emit(Op.VPMOVZXBD, SCALES, ptr(PANEL, at));
      case S8_HALVES -> a.emit(Op.VPMOVSXBD, SCALES, ptr(PANEL, at));
      case BF16_HEAD -> {
        a.emit(Op.VPMOVZXWD, SCALES, ptr(HEAD));
        a.emit(Op.VPSLLD, SCALES, SCALES, 16);
      }
      case F32_FOOT -> {}
    }
    if (layout.hasHeads() && !layout.wholeRows()) {
      a.emit(Op.VCVTDQ2PS, SCALES, SCALES);
      a.emit(Op.VCVTPH2PS, SPARE, ptr(HEAD, headAt));
      a.emit(Op.VMULPS, SCALES, SCALES, SPARE);
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
