package dev.quern.provider.x86.linear.bf16;

import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.linear.panel.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.floats.BlockPanels;
import dev.quern.provider.x86.linear.floats.FloatUnit;
import dev.quern.provider.x86.linear.floats.WeightDecoder;
import dev.quern.provider.x86.linear.panel.Bf16Panels;

/// Decodes a panel of 16 outputs, as the int8 products have it, to one half of a [Bf16Panels] panel:
/// F32 weights of a pair of inputs (`BlockDecoder`) become sixteen pairs of BF16, side by side.
///
///     temporary 6 the first input's weights   7 all, then in pairs   8 their order
final class Bf16Decoder {
  /// BF16 dot products' own registers are not used here: no sums are there.
  private static final FloatUnit UNIT = new FloatUnit(CpuRow.AVX512_BF16, 512, 32, 0);

  private static final Vec FIRST = UNIT.temporary(6);
  private static final Vec PAIRS = UNIT.temporary(7);
  private static final Vec ORDER = UNIT.temporary(8);

  private Bf16Decoder() {}

  static Code code(BlockPanels panels) {
    Assembler a = new Assembler(CpuRow.AVX512_BF16.needs());
    Label order = a.label();
    WeightDecoder decoder = panels.decoder(a, UNIT);
    int blockBytes = panels.inputs() / Bf16Panels.BLOCK * Bf16Panels.BLOCK_BYTES;
    panels
        .loop(0, blockBytes)
        .emitBlocks(
            a,
            () -> {
              a.emit(Op.VMOVUPS, ORDER, ptr(order));
              decoder.begin();
            },
            () -> decoder.block((input, _, weights) -> store(a, input, weights[0])));
    decoder.constants();
    a.place(order);
    for (int lane = 0; lane < UNIT.lanes(); lane++) {
      a.data(lane | UNIT.lanes() + lane << 16);
    }
    return a.code();
  }

  private static void store(Assembler a, int input, Vec weights) {
    if (input % 2 == 0) {
      a.emit(Op.VMOVAPS, FIRST, weights);
    } else {
      a.emit(Op.VCVTNE2PS2BF16, PAIRS, weights, FIRST);
      a.emit(Op.VPERMW, PAIRS, ORDER, PAIRS);
      a.emit(Op.VMOVUPS, ptr(TILE, Bf16Panels.PAIR_BYTES * (input / 2)), PAIRS);
    }
  }
}
