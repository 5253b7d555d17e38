package dev.quern.provider.x86.linear.int8;

import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static dev.quern.provider.x86.linear.panel.PanelLoop.HEAD;
import static dev.quern.provider.x86.linear.panel.PanelLoop.PANEL;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.linear.panel.PanelLayout;

/// What code of 512 bits reads of a packed panel of 16 outputs ([PanelLayout]): words of weights as a
/// byte each, scales as F32. Registers:
///
///     zmm16       scales, minimums     zmm17   words     zmm18   spare
///     zmm19, 20   the lower and the upper bits of bytes     zmm21   the table
final class Avx512Panel {
  static final Vec SCALES = zmm(16);
  static final Vec WORDS = zmm(17);
  static final Vec SPARE = zmm(18);

  private static final Vec NIBBLES = zmm(19);
  private static final Vec UPPER = zmm(20);
  private static final Vec TABLE = zmm(21);

  /// Of values that are looked up.
  private static final int OFFSET = 128;

  /// VPTERNLOGD: the first, or the second and the third.
  private static final int OR_AND = 0xF8;

  private final Assembler a;
  private final PanelLayout layout;
  private final Label nibbles;
  private final Label upper;
  private final Label table;

  Avx512Panel(Assembler a, PanelLayout layout) {
    this.a = a;
    this.layout = layout;
    nibbles = a.label();
    upper = a.label();
    table = a.label();
  }

  /// Loads what the others need.
  void begin() {
    if (layout.bits() < 8) {
      a.emit(Op.VPBROADCASTD, NIBBLES, ptr(nibbles));
    }
    if (layout.planes() > 0) {
      a.emit(Op.VPBROADCASTD, UPPER, ptr(upper));
    }
    if (layout.looksUp()) {
      a.emit(Op.VMOVDQU32, TABLE, ptr(table));
    }
  }

  /// Their constants, behind the code.
  void constants() {
    a.align(4);
    a.place(nibbles);
    a.data(0x0F0F_0F0F);
    a.place(upper);
    a.data(layout.upperBits());
    if (layout.looksUp()) {
      a.place(table);
      a.data(layout.lookupWords(TABLE.bytes(), OFFSET));
    }
  }

  /// Word k of all outputs, to WORDS.
  void word(int k) {
    if (layout.bits() == 8) {
      a.emit(Op.VMOVDQU32, WORDS, ptr(PANEL, layout.wordsAt(k)));
    } else if (k < 4) {
      a.emit(Op.VPANDD, WORDS, NIBBLES, ptr(PANEL, layout.wordsAt(k)));
    } else {
      a.emit(Op.VPSRLD, WORDS, ptr(PANEL, layout.wordsAt(k - 4)), 4);
      a.emit(Op.VPANDD, WORDS, WORDS, NIBBLES);
    }
    if (layout.looksUp()) {
      a.emit(Op.VPSHUFB, WORDS, TABLE, WORDS);
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

  /// Scales or minimums of the block as F32, to SCALES.
  ///
  /// @param at where they begin
  /// @param headAt where their factors are in the head, if they are bytes
  void scales(int at, int headAt) {
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
}
