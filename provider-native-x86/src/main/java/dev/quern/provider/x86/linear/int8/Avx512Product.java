package dev.quern.provider.x86.linear.int8;

import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static dev.quern.provider.x86.linear.int8.Avx512Panel.WORDS;
import static dev.quern.provider.x86.linear.panel.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelLoop.Prefetch;

/// Products by `vpdpbusd` of 512 bits: panels of 16 outputs ([PanelLayout]), up to eight rows.
///
///     zmm0 .. 7    sums, F32, of each row ([Avx512Sums])
///     zmm8 .. 15   sums of a group, integers; then as F32
///     zmm16 .. 21  [Avx512Panel]
public final class Avx512Product extends Avx512Sums {
  /// Outputs of a panel.
  public static final int OUTPUTS = 16;

  static final int MAX_ROWS = 8;

  private final Avx512Panel panel;

  private Avx512Product(Assembler a, PanelLayout layout, RoundedTile tile, Avx512Panel panel) {
    super(a, layout, tile);
    this.panel = panel;
  }

  static Code code(PanelLayout layout, RoundedTile tile) {
    Assembler a = new Assembler(CpuRow.AVX512_VNNI.needs());
    Avx512Panel panel = new Avx512Panel(a, layout);
    panel.begin();
    tile.loop(layout)
        .emit(a, new Avx512Product(a, layout, tile, panel), Prefetch.of(tile.rows(), MAX_ROWS));
    panel.constants();
    return a.code();
  }

  private static Vec integers(int row) {
    return zmm(MAX_ROWS + row);
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
        panel.word(k);
        for (int r = 0; r < tile.rows(); r++) {
          Mem x = ptr(TILE, tile.valuesAt(r) + 4 * k);
          a.emit(Op.VPDPBUSD, integers(r), WORDS, x.broadcast());
        }
      }
      panel.scales(layout.scalesAt(g), 0);
      for (int r = 0; r < tile.rows(); r++) {
        a.emit(Op.VCVTDQ2PS, integers(r), integers(r));
        addScaled(r, integers(r));
      }
    }
    if (layout.minimum()) {
      panel.scales(layout.minimumsAt(), layout.headMinimumsAt());
      addMinimums();
    }
  }
}
