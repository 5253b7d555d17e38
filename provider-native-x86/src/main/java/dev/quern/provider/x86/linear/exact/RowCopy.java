package dev.quern.provider.x86.linear.exact;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.Arguments;
import java.lang.foreign.MemorySegment;

/// Copies one row of x to its place in a [FloatTile]; for every row of the table of CPUs:
///
///     for (block of 8 : row) {
///       tile = x;
///       foot += x * 0;               // NaN where x is not finite
///     }
///     tile = 0 for the last block's rest, and for as many blocks as weights have more
///
/// Why a copy: a tile's rows lie side by side then, where rows of x, whose strides are often a
/// multiple of 4,096 bytes, would meet in one set of the first-level cache. The arguments:
///
///     0 x   8 whole blocks   16 inputs of one that is not whole, or 0   24 blocks of zeros
///     32 the row in the tile's first block   40 bytes from a block to the next   48 foot
///
/// ymm0 x, 1 mask, 8 zero, 9 what goes to the foot.
final class RowCopy {
  private static final int X = 0;
  private static final int WHOLE = 8;
  private static final int REST = 16;
  private static final int ZEROS = 24;
  private static final int TO = 32;
  private static final int STEP = 40;
  private static final int FOOT = 48;

  private static final int BLOCK_BYTES = Float.BYTES * FloatTile.BLOCK;

  private RowCopy() {}

  /// Writes what is copied.
  ///
  /// @param x address of the row
  /// @param inputs of the row
  /// @param padded inputs of the tile
  static void from(MemorySegment block, long at, long x, int inputs, int padded) {
    int whole = inputs / FloatTile.BLOCK;
    int rest = inputs % FloatTile.BLOCK;
    int zeros = padded / FloatTile.BLOCK - whole - (rest > 0 ? 1 : 0);
    Arguments.set(block, at + X, x, whole, rest, zeros);
  }

  /// Writes where it is copied to.
  ///
  /// @param tile address of the tile's first block
  /// @param tileRows of the tile
  /// @param row of the tile
  /// @param padded inputs of the tile
  static void to(MemorySegment block, long at, long tile, int tileRows, int row, int padded) {
    Arguments.set(
        block,
        at + TO,
        tile + FloatTile.at(tileRows, row, 0),
        FloatTile.bytes(tileRows, FloatTile.BLOCK),
        tile + (long) FloatTile.bytes(tileRows, padded) + FloatTile.footAt(row));
  }

  static Code code() {
    Assembler a = new Assembler(CpuRow.AVX2.needs());
    Label masks = a.label(); // 8 words of ones, 8 of zeros
    a.emit(Op.MOV, RSI, ptr(RDI, X));
    a.emit(Op.MOV, RDX, ptr(RDI, TO));
    a.emit(Op.MOV, R10, ptr(RDI, STEP));
    a.emit(Op.VXORPS, ymm(8), ymm(8), ymm(8));
    a.emit(Op.VXORPS, ymm(9), ymm(9), ymm(9));
    a.emit(Op.MOV, RCX, ptr(RDI, WHOLE));
    a.ifPositive(
        RCX,
        () ->
            a.loop(
                RCX,
                1,
                () -> {
                  a.emit(Op.VMOVUPS, ymm(0), ptr(RSI));
                  store(a);
                  a.emit(Op.ADD, RSI, BLOCK_BYTES);
                }));
    a.emit(Op.MOV, RCX, ptr(RDI, REST));
    a.ifPositive(
        RCX,
        () -> {
          a.emit(Op.LEA, RAX, ptr(masks).plus(BLOCK_BYTES));
          a.emit(Op.SHL, RCX, 2);
          a.emit(Op.SUB, RAX, RCX);
          a.emit(Op.VMOVUPS, ymm(1), ptr(RAX));
          a.emit(Op.VMASKMOVPS, ymm(0), ymm(1), ptr(RSI));
          store(a);
        });
    a.emit(Op.MOV, RCX, ptr(RDI, ZEROS));
    a.ifPositive(
        RCX,
        () ->
            a.loop(
                RCX,
                1,
                () -> {
                  a.emit(Op.VMOVUPS, ptr(RDX), ymm(8));
                  a.emit(Op.ADD, RDX, R10);
                }));
    a.emit(Op.VEXTRACTF128, xmm(0), ymm(9), 1);
    a.emit(Op.VADDPS, xmm(9), xmm(9), xmm(0));
    a.emit(Op.VPSHUFD, xmm(0), xmm(9), 0x4E);
    a.emit(Op.VADDPS, xmm(9), xmm(9), xmm(0));
    a.emit(Op.VPSHUFD, xmm(0), xmm(9), 0xB1);
    a.emit(Op.VADDPS, xmm(9), xmm(9), xmm(0));
    a.emit(Op.MOV, R8, ptr(RDI, FOOT));
    a.emit(Op.VMOVSS, ptr(R8), xmm(9));
    a.end();
    a.align(32);
    a.place(masks);
    a.data(-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0);
    return a.code();
  }

  /// ymm0 is a block.
  private static void store(Assembler a) {
    a.emit(Op.VMOVUPS, ptr(RDX), ymm(0));
    a.emit(Op.VFMADD231PS, ymm(9), ymm(0), ymm(8));
    a.emit(Op.ADD, RDX, R10);
  }
}
