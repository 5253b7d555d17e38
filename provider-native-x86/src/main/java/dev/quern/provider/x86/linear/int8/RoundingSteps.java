package dev.quern.provider.x86.linear.int8;

import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.memory.Arguments;
import java.lang.foreign.MemorySegment;

/// What [GroupRounding] and [RowRounding] have in common. The block of arguments:
///
///     0 x   8 q   16 term   24 term of the second group   32 d, or the foot's s
///     40 bytes from a block of the tile to the next   48 blocks
///     56 bytes from s to z   64 inputs of the last block: u32
final class RoundingSteps {
  private static final int X = 0;
  private static final int Q = 8;
  private static final int TERM = 16;
  private static final int SECOND_TERM = 24;
  private static final int SCALE = 32;
  private static final int STEP = 40;
  private static final int BLOCKS = 48;
  private static final int ZERO_POINT = 56;
  private static final int LAST = 64;

  /// Bytes of the block.
  static final int ARGUMENT_BYTES = 72;

  static final Mem X_ADDRESS = ptr(RDI, X);
  static final Mem Q_ADDRESS = ptr(RDI, Q);
  static final Mem TERM_ADDRESS = ptr(RDI, TERM);
  static final Mem SECOND_TERM_ADDRESS = ptr(RDI, SECOND_TERM);
  static final Mem SCALE_ADDRESS = ptr(RDI, SCALE);
  static final Mem STEP_BYTES = ptr(RDI, STEP);
  static final Mem BLOCK_COUNT = ptr(RDI, BLOCKS);
  static final Mem ZERO_POINT_BYTES = ptr(RDI, ZERO_POINT);
  static final Mem LAST_INPUTS = ptr(RDI, LAST);

  private final Assembler a;
  private final Label order; // of words that packing has mixed
  private final Label ones8;
  private final Label ones16;
  private final Label factor;

  RoundingSteps(Assembler a) {
    this.a = a;
    order = a.label();
    ones8 = a.label();
    ones16 = a.label();
    factor = a.label();
  }

  /// Writes the block of arguments.
  ///
  /// @param x address of the row
  /// @param tile address of the tile's first block
  /// @param row of the tile
  /// @param inputs of the row
  static void arguments(
      MemorySegment block, long at, long x, long tile, RoundedTile t, int row, int inputs) {
    int blocks = Math.ceilDiv(inputs, PanelLayout.BLOCK);
    long foot = tile + (long) blocks * t.blockBytes();
    Arguments.set(block, at + X, x, tile + t.valuesAt(row), tile + t.termAt(row, 0));
    Arguments.set(
        block,
        at + SECOND_TERM,
        tile + t.termAt(row, t.groups() - 1),
        t.wholeRows() ? foot + t.stepAt(row) : tile + t.scaleAt(row),
        t.blockBytes());
    Arguments.set(
        block,
        at + BLOCKS,
        blocks,
        t.zeroPointAt(row) - t.stepAt(row),
        inputs - PanelLayout.BLOCK * (blocks - 1L));
  }

  /// Loads what the others need: ymm14, and ymm12 and 13 where there are terms.
  void begin(boolean terms) {
    a.emit(Op.VMOVUPS, ymm(14), ptr(order));
    if (terms) {
      a.emit(Op.VPBROADCASTD, ymm(13), ptr(ones8));
      a.emit(Op.VPBROADCASTD, ymm(12), ptr(ones16));
    }
  }

  /// 32 integers of ymm0 .. 3, which saturate, to ymm0 and to [rdx], a byte each.
  void bytes() {
    a.emit(Op.VPACKSSDW, ymm(0), ymm(0), ymm(1));
    a.emit(Op.VPACKSSDW, ymm(2), ymm(2), ymm(3));
    a.emit(Op.VPACKSSWB, ymm(0), ymm(0), ymm(2));
    a.emit(Op.VPERMD, ymm(0), ymm(14), ymm(0));
    a.emit(Op.VMOVDQU, ptr(RDX), ymm(0));
  }

  /// Sums of the bytes of ymm0, of 16 in four words each: to xmm1 and xmm2.
  void sums() {
    a.emit(Op.VPMADDUBSW, ymm(1), ymm(13), ymm(0));
    a.emit(Op.VPMADDWD, ymm(1), ymm(1), ymm(12));
    a.emit(Op.VEXTRACTI128, xmm(2), ymm(1), 1);
  }

  /// The four words of sums become one, times -offset, in memory.
  void offsetTerm(Vec sums, Gp to) {
    acrossLanes(Op.VPADDD, sums, xmm(3));
    a.emit(Op.VMOVD, xmm(3), ptr(factor));
    a.emit(Op.VPMULLD, sums, sums, xmm(3));
    a.emit(Op.VMOVD, ptr(to), sums);
  }

  /// Four words become one, which all lanes then hold.
  void acrossLanes(Op op, Vec all, Vec spare) {
    a.emit(Op.VPSHUFD, spare, all, 0x4E);
    a.emit(op, all, all, spare);
    a.emit(Op.VPSHUFD, spare, all, 0xB1);
    a.emit(op, all, all, spare);
  }

  /// Their constants, behind the code.
  void constants(int offset) {
    a.align(32);
    a.place(order);
    a.data(0, 4, 1, 5, 2, 6, 3, 7);
    words(ones8, 0x0101_0101);
    words(ones16, 0x0001_0001);
    words(factor, -offset);
  }

  /// More of them.
  void words(Label label, int... values) {
    a.place(label);
    a.data(values);
  }

  /// One more.
  void number(Label label, float value) {
    words(label, Float.floatToIntBits(value));
  }
}
