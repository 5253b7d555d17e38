package dev.quern.provider.x86.linear;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.R9;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import java.lang.foreign.MemorySegment;

/// Rounds one row of x to int8 in groups of 32, into its place in a [RoundedTile]; for every row of
/// the table of CPUs, since all have AVX2. For each block (SPEC.md, L6; `round` is half to even):
///
///     d = max abs(x) / 127, r = 1 / d; d 0 where r is infinite, and NaN where max is not finite
///     q[i] = round(x[i] * r)
///     term = -offset * Σ q, or d * Σ q
///
/// Where d is 0, q is anything: what it contributes is 0.
///
/// The block of arguments:
///
///     0 x   8 q   16 term   24 term of the second group   32 d
///     40 bytes from a block of the tile to the next   48 blocks
final class Rounding {
  private static final int X = 0;
  private static final int Q = 8;
  private static final int TERM = 16;
  private static final int SECOND_TERM = 24;
  private static final int D = 32;
  private static final int STEP = 40;
  private static final int BLOCKS = 48;

  /// Bytes of the block.
  static final int ARGUMENT_BYTES = 56;

  private static final int EQUAL = 0; // VCMPPS's predicate EQ_OQ

  private final Assembler a = new Assembler(CpuRow.AVX2.needs());
  private final Label order = a.label(); // of words that packing has mixed
  private final Label magnitude = a.label(); // all bits but the sign
  private final Label ones8 = a.label();
  private final Label ones16 = a.label();
  private final Label largest = a.label(); // 127
  private final Label one = a.label();
  private final Label infinity = a.label();
  private final Label factor = a.label(); // -offset

  private Rounding() {}

  /// Writes the block of arguments.
  ///
  /// @param x address of the row
  /// @param tile address of the tile's first block
  /// @param row of the tile
  static void arguments(
      MemorySegment block, long at, long x, long tile, RoundedTile t, int row, int blocks) {
    block.set(JAVA_LONG, at + X, x);
    block.set(JAVA_LONG, at + Q, tile + t.valuesAt(row));
    block.set(JAVA_LONG, at + TERM, tile + t.termAt(row, 0));
    block.set(JAVA_LONG, at + SECOND_TERM, tile + t.termAt(row, t.groups() - 1));
    block.set(JAVA_LONG, at + D, tile + t.scaleAt(row));
    block.set(JAVA_LONG, at + STEP, t.blockBytes());
    block.set(JAVA_LONG, at + BLOCKS, blocks);
  }

  /// @param groups of a block that have a term each
  /// @param minimum whether the term is for a minimum
  /// @param offset what it is for otherwise; 0 where the product takes no terms
  static Code code(int groups, boolean minimum, int offset) {
    return new Rounding().emit(groups, minimum, offset);
  }

  private Code emit(int groups, boolean minimum, int offset) {
    a.emit(Op.MOV, RSI, ptr(RDI, X));
    a.emit(Op.MOV, RDX, ptr(RDI, Q));
    boolean hasTerms = minimum || offset != 0;
    if (hasTerms) {
      a.emit(Op.MOV, R8, ptr(RDI, TERM));
      a.emit(Op.VPBROADCASTD, ymm(13), ptr(ones8));
      a.emit(Op.VPBROADCASTD, ymm(12), ptr(ones16));
    }
    if (groups == 2) {
      a.emit(Op.MOV, R11, ptr(RDI, SECOND_TERM));
    }
    a.emit(Op.MOV, R9, ptr(RDI, D));
    a.emit(Op.MOV, R10, ptr(RDI, STEP));
    a.emit(Op.MOV, RCX, ptr(RDI, BLOCKS));
    a.emit(Op.VPBROADCASTD, ymm(15), ptr(magnitude));
    a.emit(Op.VMOVUPS, ymm(14), ptr(order));
    a.emit(Op.VMOVSS, xmm(11), ptr(largest));
    a.emit(Op.VMOVSS, xmm(10), ptr(one));
    a.emit(Op.VMOVSS, xmm(9), ptr(infinity));
    a.emit(Op.VXORPS, xmm(8), xmm(8), xmm(8));
    a.loop(
        RCX,
        1,
        () -> {
          scale();
          values();
          if (hasTerms) {
            terms(groups, minimum);
            a.emit(Op.ADD, R8, R10);
          }
          a.emit(Op.ADD, RSI, Float.BYTES * PanelLayout.BLOCK);
          a.emit(Op.ADD, RDX, R10);
          a.emit(Op.ADD, R9, R10);
          if (groups == 2) {
            a.emit(Op.ADD, R11, R10);
          }
        });
    a.end();
    a.align(32);
    a.place(order);
    a.data(0, 4, 1, 5, 2, 6, 3, 7);
    constant(magnitude, 0x7FFF_FFFF);
    constant(ones8, 0x0101_0101);
    constant(ones16, 0x0001_0001);
    constant(largest, Float.floatToIntBits(127));
    constant(one, Float.floatToIntBits(1));
    constant(infinity, Float.floatToIntBits(Float.POSITIVE_INFINITY));
    constant(factor, -offset);
    return a.code();
  }

  private void constant(Label label, int value) {
    a.place(label);
    a.data(value);
  }

  /// x to ymm0 .. 3, d to xmm5 and to the tile, r to ymm6.
  private void scale() {
    for (int i = 0; i < 4; i++) {
      a.emit(Op.VMOVUPS, ymm(i), ptr(RSI, 32 * i));
    }
    // The largest magnitude: as bits they are ordered as the floats are, NaN last.
    a.emit(Op.VPAND, ymm(4), ymm(15), ymm(0));
    for (int i = 1; i < 4; i++) {
      a.emit(Op.VPAND, ymm(5), ymm(15), ymm(i));
      a.emit(Op.VPMAXSD, ymm(4), ymm(4), ymm(5));
    }
    a.emit(Op.VEXTRACTI128, xmm(5), ymm(4), 1);
    a.emit(Op.VPMAXSD, xmm(4), xmm(4), xmm(5));
    acrossLanes(Op.VPMAXSD, xmm(4), xmm(5));
    a.emit(Op.VDIVSS, xmm(5), xmm(4), xmm(11));
    a.emit(Op.VDIVSS, xmm(6), xmm(10), xmm(5));
    a.emit(Op.VFMADD231SS, xmm(5), xmm(4), xmm(8)); // + 0 * max: NaN if that is not finite
    a.emit(Op.VCMPPS, xmm(7), xmm(6), xmm(9), EQUAL);
    a.emit(Op.VANDNPS, xmm(5), xmm(7), xmm(5));
    a.emit(Op.VMOVSS, ptr(R9), xmm(5));
    a.emit(Op.VBROADCASTSS, ymm(6), xmm(6));
  }

  /// q to ymm0 and to the tile.
  private void values() {
    for (int i = 0; i < 4; i++) {
      a.emit(Op.VMULPS, ymm(i), ymm(i), ymm(6));
      a.emit(Op.VCVTPS2DQ, ymm(i), ymm(i));
    }
    a.emit(Op.VPACKSSDW, ymm(0), ymm(0), ymm(1));
    a.emit(Op.VPACKSSDW, ymm(2), ymm(2), ymm(3));
    a.emit(Op.VPACKSSWB, ymm(0), ymm(0), ymm(2));
    a.emit(Op.VPERMD, ymm(0), ymm(14), ymm(0));
    a.emit(Op.VMOVDQU, ptr(RDX), ymm(0));
  }

  /// Σ q of each group, by a factor, to the tile.
  private void terms(int groups, boolean minimum) {
    a.emit(Op.VPMADDUBSW, ymm(1), ymm(13), ymm(0));
    a.emit(Op.VPMADDWD, ymm(1), ymm(1), ymm(12));
    a.emit(Op.VEXTRACTI128, xmm(2), ymm(1), 1);
    if (groups == 2) {
      offsetTerm(xmm(2), R11);
    } else {
      a.emit(Op.VPADDD, xmm(1), xmm(1), xmm(2));
    }
    if (minimum) {
      acrossLanes(Op.VPADDD, xmm(1), xmm(3));
      a.emit(Op.VCVTDQ2PS, xmm(1), xmm(1));
      a.emit(Op.VMULSS, xmm(1), xmm(1), xmm(5));
      a.emit(Op.VMOVSS, ptr(R8), xmm(1));
    } else {
      offsetTerm(xmm(1), R8);
    }
  }

  private void offsetTerm(Vec sums, Gp to) {
    acrossLanes(Op.VPADDD, sums, xmm(3));
    a.emit(Op.VMOVD, xmm(3), ptr(factor));
    a.emit(Op.VPMULLD, sums, sums, xmm(3));
    a.emit(Op.VMOVD, ptr(to), sums);
  }

  /// Four words become one, which all lanes then hold.
  private void acrossLanes(Op op, Vec all, Vec spare) {
    a.emit(Op.VPSHUFD, spare, all, 0x4E);
    a.emit(op, all, all, spare);
    a.emit(Op.VPSHUFD, spare, all, 0xB1);
    a.emit(op, all, all, spare);
  }
}
