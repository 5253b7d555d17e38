package dev.quern.provider.x86.linear.int8;

import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static dev.quern.provider.x86.linear.int8.Avx512Panel.SCALES;
import static dev.quern.provider.x86.linear.int8.Avx512Panel.WORDS;
import static dev.quern.provider.x86.linear.panel.PanelLoop.PANEL;
import static dev.quern.provider.x86.linear.panel.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelLoop;

/// Brings packed panels of any format to the one layout that products by tiles read
/// ([PanelLayout#unpacked]). For each block:
///
///     words[k] = words[k] - offset        // of 8 bits each, signed then
///     scales = scales * the head's d      // as F32; minimums alike
///
/// These are the factors that [Avx512Product] computes from the packed panel, by the same
/// instructions.
///
///     zmm16 .. 21   [Avx512Panel]     zmm22   the offset, in every byte
final class PanelUnpacking {
  private static final Vec OFFSETS = zmm(22);

  private PanelUnpacking() {}

  /// @param layout of the packed panels
  /// @param offset what is subtracted from a stored value
  static Code code(PanelLayout layout, int offset) {
    Assembler a = new Assembler(CpuRow.AVX512_VNNI.needs());
    Avx512Panel panel = new Avx512Panel(a, layout);
    PanelLayout to = layout.unpacked();
    Label offsets = a.label();
    panel.begin();
    if (offset != 0) {
      a.emit(Op.VPBROADCASTD, OFFSETS, ptr(offsets));
    }
    PanelLoop.storing(layout, to.blockBytes())
        .emitUnpacking(
            a,
            () -> block(a, panel, layout, to, offset),
            () -> foot(a, to.footBytes()),
            to.footBytes());
    a.align(Integer.BYTES);
    a.place(offsets);
    a.data(0x0101_0101 * offset);
    panel.constants();
    return a.code();
  }

  private static void block(
      Assembler a, Avx512Panel panel, PanelLayout layout, PanelLayout to, int offset) {
    int words = PanelLayout.WORDS / layout.groups();
    for (int g = 0; g < layout.groups(); g++) {
      for (int k = g * words; k < (g + 1) * words; k++) {
        panel.word(k);
        if (offset != 0) {
          a.emit(Op.VPSUBB, WORDS, WORDS, OFFSETS);
        }
        a.emit(Op.VMOVUPS, ptr(TILE, to.wordsAt(k)), WORDS);
      }
      if (to.scaleBytes() > 0) {
        panel.scales(layout.scalesAt(g), 0);
        a.emit(Op.VMOVUPS, ptr(TILE, to.scalesAt(g)), SCALES);
      }
    }
    if (layout.minimum()) {
      panel.scales(layout.minimumsAt(), layout.headMinimumsAt());
      a.emit(Op.VMOVUPS, ptr(TILE, to.minimumsAt()), SCALES);
    }
  }

  private static void foot(Assembler a, int bytes) {
    for (int at = 0; at < bytes; at += WORDS.bytes()) {
      a.emit(Op.VMOVUPS, WORDS, ptr(PANEL, at));
      a.emit(Op.VMOVUPS, ptr(TILE, at), WORDS);
    }
  }
}
