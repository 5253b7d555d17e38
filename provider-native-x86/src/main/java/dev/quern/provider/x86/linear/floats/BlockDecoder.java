package dev.quern.provider.x86.linear.floats;

import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.linear.panel.PanelLoop.HEAD;
import static dev.quern.provider.x86.linear.panel.PanelLoop.PANEL;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelLayout.Scales;
import dev.quern.provider.x86.linear.panel.ProductArguments;
import java.util.Arrays;

/// Decodes a block of a [PanelLayout], a slice after the other:
///
///     word = 4 stored values of 8 bits, from nibbles and planes, or looked up
///     weight = value * scale + minimum        // a single FMA
///
/// where there is no minimum but an offset, that is `-offset * scale`: an exact product, since all
/// offsets are powers of two. With the one rounding of the FMA weights are those of SPEC.md's F1,
/// bit for bit: `scale * value` has no more bits than F32 in all formats but Q6_K and INT8_C, where
/// F1 rounds the one product as well.
///
/// Temporary registers: 1 weights, 2 a word, 3 scales, 4 minimums, 5 spare, or the table: a format has
/// no planes then, and no heads.
final class BlockDecoder implements WeightDecoder {
  private final Assembler a;
  private final FloatUnit unit;
  private final PanelFormat format;
  private final PanelLayout layout;
  private final Vec weights;
  private final Vec word;
  private final Vec scales;
  private final Vec minimums;
  private final Vec spare;
  private final Label nibbles;
  private final Label upper;
  private final Label bytes;
  private final Label offset;
  private final Label table;

  BlockDecoder(Assembler a, FloatUnit unit, PanelFormat format, PanelLayout layout) {
    this.a = a;
    this.unit = unit;
    this.format = format;
    this.layout = layout;
    weights = unit.temporary(1);
    word = unit.temporary(2);
    scales = unit.temporary(3);
    minimums = unit.temporary(4);
    spare = unit.temporary(5);
    nibbles = a.label();
    upper = a.label();
    bytes = a.label();
    offset = a.label();
    table = a.label();
  }

  @Override
  public void begin() {
    if (layout.scales() == Scales.F32_FOOT) {
      a.emit(Op.MOV, HEAD, ProductArguments.footScales(RDI));
      a.emit(Op.ADD, HEAD, PANEL);
    }
    if (layout.looksUp()) {
      a.emit(Op.VMOVUPS, spare, ptr(table));
    }
  }

  @Override
  public void block(Sink sink) {
    for (int slice = 0; slice < layout.outputs() / unit.lanes(); slice++) {
      int lane = slice * unit.lanes();
      for (int k = 0; k < PanelLayout.WORDS; k++) {
        if (k % (PanelLayout.WORDS / layout.groups()) == 0) {
          scales(k / (PanelLayout.WORDS / layout.groups()), lane);
        }
        word(k, lane);
        for (int i = 0; i < 4; i++) {
          value(i);
          a.emit(Op.VCVTDQ2PS, weights, weights);
          a.emit(Op.VFMADD213PS, weights, scales, minimums);
          sink.weights(4 * k + i, slice, weights);
        }
      }
    }
  }

  /// Word k, as `Avx512Panel` of the int8 products has it.
  private void word(int k, int lane) {
    int at = Integer.BYTES * lane;
    if (layout.bits() == 8) {
      a.emit(Op.VMOVUPS, word, ptr(PANEL, layout.wordsAt(k) + at));
    } else if (k < 4) {
      a.emit(Op.VMOVUPS, word, ptr(PANEL, layout.wordsAt(k) + at));
      a.emit(Op.VANDPS, word, word, ptr(nibbles));
    } else {
      a.emit(Op.VMOVUPS, word, ptr(PANEL, layout.wordsAt(k - 4) + at));
      a.emit(Op.VPSRLD, word, word, 4);
      a.emit(Op.VANDPS, word, word, ptr(nibbles));
    }
    if (layout.planes() > 0) {
      Mem plane = ptr(PANEL, layout.planeAt(layout.planeOf(k)) + at);
      int left = layout.planeShift(k);
      a.emit(Op.VMOVUPS, spare, plane);
      if (left != 0) {
        a.emit(left > 0 ? Op.VPSLLD : Op.VPSRLD, spare, spare, Math.abs(left));
      }
      a.emit(Op.VANDPS, spare, spare, ptr(upper));
      a.emit(Op.VORPS, word, word, spare);
    }
    if (layout.looksUp()) {
      a.emit(Op.VPSHUFB, word, spare, word);
    }
  }

  /// Byte i of the word.
  private void value(int i) {
    switch (i) {
      case 0 -> a.emit(Op.VANDPS, weights, word, ptr(bytes));
      case 3 -> a.emit(Op.VPSRLD, weights, word, 24);
      default -> {
        a.emit(Op.VPSRLD, weights, word, 8 * i);
        a.emit(Op.VANDPS, weights, weights, ptr(bytes));
      }
    }
  }

  private void scales(int group, int lane) {
    factors(scales, layout.scalesAt(group), 0, lane);
    if (!layout.minimum()) {
      a.emit(Op.VMULPS, minimums, scales, ptr(offset));
    } else if (group == 0) {
      factors(minimums, layout.minimumsAt(), layout.headMinimumsAt(), lane);
    }
  }

  /// Scales or minimums as F32.
  ///
  /// @param at where they begin
  /// @param headAt where their factors are in the head, if they are bytes
  private void factors(Vec to, int at, int headAt, int lane) {
    Mem own = ptr(PANEL, at + layout.scaleBytes() * lane);
    switch (layout.scales()) {
      case F16 -> a.emit(Op.VCVTPH2PS, to, own);
      case U8 -> a.emit(Op.VPMOVZXBD, to, own);
      case S8_HALVES -> a.emit(Op.VPMOVSXBD, to, own);
      case BF16_HEAD -> {
        a.emit(Op.VPMOVZXWD, to, ptr(HEAD, Short.BYTES * lane));
        a.emit(Op.VPSLLD, to, to, 16);
      }
      case F32_FOOT -> a.emit(Op.VMOVUPS, to, ptr(HEAD, Float.BYTES * lane));
    }
    if (layout.scales() == Scales.U8 || layout.scales() == Scales.S8_HALVES) {
      a.emit(Op.VCVTDQ2PS, to, to);
      a.emit(Op.VCVTPH2PS, spare, ptr(HEAD, headAt + Short.BYTES * lane));
      a.emit(Op.VMULPS, to, to, spare);
    }
  }

  /// Of whole vectors, which both AVX2 and AVX-512 read.
  @Override
  public void constants() {
    a.align(64);
    vector(nibbles, 0x0F0F_0F0F);
    vector(upper, layout.upperBits());
    vector(bytes, 0xFF);
    vector(offset, Float.floatToIntBits(-format.offset()));
    if (layout.looksUp()) {
      a.place(table);
      a.data(layout.lookupWords(spare.bytes(), format.offset()));
    }
  }

  private void vector(Label label, int value) {
    int[] all = new int[unit.lanes()];
    Arrays.fill(all, value);
    a.place(label);
    a.data(all);
  }
}
