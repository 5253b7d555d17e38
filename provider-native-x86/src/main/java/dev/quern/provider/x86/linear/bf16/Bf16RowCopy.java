package dev.quern.provider.x86.linear.bf16;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;
import static dev.quern.provider.x86.asm.Vec.zmm;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.Bf16Panels;
import dev.quern.provider.x86.memory.Arguments;
import java.lang.foreign.MemorySegment;

/// Rounds one row of x to BF16, to its place in a [Bf16Tile]:
///
///     for (block of 32 : row) {
///       tile = bf16(x);              // VCVTNE2PS2BF16: to nearest even, subnormals to zero
///       foot += x * 0;               // NaN where x is not finite
///     }
///
/// The last block is read under a mask, if it is not whole. The arguments:
///
///     0 x   8 the row in the tile's first block   16 bytes from a block to the next
///     24 whole blocks   32 inputs of one that is not whole, as bits, or 0   40 foot
///
/// zmm0, 1 x, 2 BF16, 8 zero, 9 what goes to the foot.
final class Bf16RowCopy {
  private static final int X = 0;
  private static final int TO = 8;
  private static final int STEP = 16;
  private static final int WHOLE = 24;
  private static final int REST = 32;
  private static final int FOOT = 40;

  private static final int HALF_BYTES = 64;

  private Bf16RowCopy() {}

  /// Writes the block of arguments.
  ///
  /// @param x address of the row
  /// @param tile address of the tile's first block
  /// @param tileRows of the tile
  /// @param row of the tile
  /// @param inputs of the row
  static void arguments(
      MemorySegment block, long at, long x, long tile, int tileRows, int row, int inputs) {
    int padded = Math.ceilDiv(inputs, Bf16Panels.BLOCK) * Bf16Panels.BLOCK;
    Arguments.set(
        block,
        at + X,
        x,
        tile + Bf16Tile.pairAt(row, 0),
        Bf16Tile.bytes(tileRows, Bf16Panels.BLOCK));
    Arguments.set(
        block,
        at + WHOLE,
        inputs / Bf16Panels.BLOCK,
        (1L << inputs % Bf16Panels.BLOCK) - 1,
        tile + (long) Bf16Tile.bytes(tileRows, padded) + Bf16Tile.footAt(row));
  }

  static Code code() {
    Assembler a = new Assembler(CpuRow.AVX512_BF16.needs());
    a.emit(Op.MOV, RSI, ptr(RDI, X));
    a.emit(Op.MOV, RDX, ptr(RDI, TO));
    a.emit(Op.MOV, R10, ptr(RDI, STEP));
    a.emit(Op.VPXORD, zmm(8), zmm(8), zmm(8));
    a.emit(Op.VPXORD, zmm(9), zmm(9), zmm(9));
    a.emit(Op.MOV, RCX, ptr(RDI, WHOLE));
    a.ifPositive(
        RCX,
        () ->
            a.loop(
                RCX,
                1,
                () -> {
                  a.emit(Op.VMOVUPS, zmm(0), ptr(RSI));
                  a.emit(Op.VMOVUPS, zmm(1), ptr(RSI, HALF_BYTES));
                  store(a);
                  a.emit(Op.ADD, RSI, 2 * HALF_BYTES);
                  a.emit(Op.ADD, RDX, R10);
                }));
    a.emit(Op.MOV, RAX, ptr(RDI, REST));
    a.ifPositive(
        RAX,
        () -> {
          a.emit(Op.KMOVW, k(1), RAX.r32());
          a.emit(Op.SHR, RAX.r32(), 16);
          a.emit(Op.KMOVW, k(2), RAX.r32());
          a.emit(Op.VMOVUPS, zmm(0).zeroing(k(1)), ptr(RSI));
          a.emit(Op.VMOVUPS, zmm(1).zeroing(k(2)), ptr(RSI, HALF_BYTES));
          store(a);
        });
    a.emit(Op.VEXTRACTF64X4, ymm(0), zmm(9), 1);
    a.emit(Op.VADDPS, ymm(9), ymm(9), ymm(0));
    a.emit(Op.VEXTRACTF128, xmm(0), ymm(9), 1);
    a.emit(Op.VADDPS, xmm(9), xmm(9), xmm(0));
    a.emit(Op.VPSHUFD, xmm(0), xmm(9), 0x4E);
    a.emit(Op.VADDPS, xmm(9), xmm(9), xmm(0));
    a.emit(Op.VPSHUFD, xmm(0), xmm(9), 0xB1);
    a.emit(Op.VADDPS, xmm(9), xmm(9), xmm(0));
    a.emit(Op.MOV, R8, ptr(RDI, FOOT));
    a.emit(Op.VMOVSS, ptr(R8), xmm(9));
    a.end();
    return a.code();
  }

  /// zmm0 and 1 are a block.
  private static void store(Assembler a) {
    a.emit(Op.VCVTNE2PS2BF16, zmm(2), zmm(1), zmm(0));
    a.emit(Op.VMOVUPS, ptr(RDX), zmm(2));
    a.emit(Op.VFMADD231PS, zmm(9), zmm(0), zmm(8));
    a.emit(Op.VFMADD231PS, zmm(9), zmm(1), zmm(8));
  }
}
