package dev.quern.provider.x86.linear.bf16;

import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.linear.panel.PanelLoop.PANEL;
import static dev.quern.provider.x86.linear.panel.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.floats.FloatUnit;
import dev.quern.provider.x86.linear.floats.SliceProduct;
import dev.quern.provider.x86.linear.panel.Bf16Panels;
import dev.quern.provider.x86.linear.panel.PanelLoop;
import dev.quern.provider.x86.linear.panel.PanelLoop.Prefetch;

/// Products by `vdpbf16ps` (`bf16`): a [Bf16Tile] of rows by [Bf16Panels], pair after pair of
/// inputs. The instruction (SDM volume 2, VDPBF16PS) adds the odd product of a pair onto the sum,
/// then the even one, each as an FMA that rounds to nearest even, and takes subnormals for zero, as
/// operands and as results, whatever MXCSR says. The order is the same for every number of rows,
/// and so are the bits.
final class Bf16Product extends SliceProduct {
  /// 16 sums hide what a dot product waits for; more would only make more code.
  static final FloatUnit UNIT = new FloatUnit(CpuRow.AVX512_BF16, 512, 32, 8);

  private final Assembler a;
  private final int rows;

  private Bf16Product(Assembler a, int rows) {
    super(a, UNIT, rows);
    this.a = a;
    this.rows = rows;
  }

  static Code code(int rows) {
    Assembler a = new Assembler(UNIT.row().needs());
    int tileBlockBytes = Bf16Tile.bytes(rows, Bf16Panels.BLOCK);
    new PanelLoop(Bf16Panels.OUTPUTS, rows, 0, 1, Bf16Panels.BLOCK_BYTES, tileBlockBytes, true, 0)
        .emit(a, new Bf16Product(a, rows), Prefetch.ALWAYS);
    return a.code();
  }

  @Override
  public void block() {
    Vec[] weights = {UNIT.temporary(1), UNIT.temporary(2)};
    for (int pair = 0; pair < Bf16Panels.BLOCK / 2; pair++) {
      for (int slice = 0; slice < FloatUnit.SLICES; slice++) {
        int at = Bf16Panels.PAIR_BYTES * pair + UNIT.bits() / 8 * slice;
        a.emit(Op.VMOVUPS, weights[slice], ptr(PANEL, at));
      }
      for (int r = 0; r < rows; r++) {
        a.emit(Op.VPBROADCASTD, x(), ptr(TILE, Bf16Tile.pairAt(r, pair)));
        for (int slice = 0; slice < FloatUnit.SLICES; slice++) {
          a.emit(Op.VDPBF16PS, UNIT.sum(r, slice), weights[slice], x());
        }
      }
    }
  }
}
