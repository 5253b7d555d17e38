package dev.quern.provider.x86.linear;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.R9;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import java.lang.foreign.MemorySegment;

/// Rounds one row of x to int8 in groups of 32, into its place in a [RoundedTile]; for every row of
/// the table of CPUs, since all have AVX2. For each group (SPEC.md, L6; `round` is half to even):
///
///     d = max abs(x) / 127, r = 1 / d; both 0 where r is infinite; d NaN where max is not finite
///     q[i] = round(x[i] * r), bias = -offset * Σ q[i]
///
/// The block of arguments:
///
///     0 x   8 q   16 bias   24 d   32 bytes from a block of the tile to the next   40 blocks
///     48 -offset: i32
final class Rounding {
  private static final int X = 0;
  private static final int Q = 8;
  private static final int BIAS = 16;
  private static final int D = 24;
  private static final int STEP = 32;
  private static final int BLOCKS = 40;
  private static final int FACTOR = 48;

  /// Bytes of the block.
  static final int ARGUMENT_BYTES = 56;

  /// Rows are finite where no magnitude reaches this; as bits, magnitudes are ordered as they are.
  private static final int MAGNITUDE = 0x7FFF_FFFF;

  private static final int EQUAL = 0; // VCMPPS's predicate EQ_OQ

  private Rounding() {}

  /// Writes the block of arguments.
  ///
  /// @param x address of the row
  /// @param tile address of the tile's first block
  /// @param row of the tile
  /// @param offset what the product leaves in the bias
  static void arguments(
      MemorySegment block,
      long at,
      long x,
      long tile,
      RoundedTile t,
      int row,
      int blocks,
      int offset) {
    block.set(JAVA_LONG, at + X, x);
    block.set(JAVA_LONG, at + Q, tile + t.valuesAt(row));
    block.set(JAVA_LONG, at + BIAS, tile + t.biasAt(row));
    block.set(JAVA_LONG, at + D, tile + t.scaleAt(row));
    block.set(JAVA_LONG, at + STEP, t.blockBytes());
    block.set(JAVA_LONG, at + BLOCKS, blocks);
    block.set(JAVA_INT, at + FACTOR, -offset);
  }

  static Code code() {
    Assembler a = new Assembler(CpuRow.AVX2.needs());
    Label floats = a.label(); // 127, 1, infinity
    Label magnitude = a.label();
    Label order = a.label();
    Label ones8 = a.label();
    Label ones16 = a.label();

    a.emit(Op.MOV, RSI, ptr(RDI, X));
    a.emit(Op.MOV, RDX, ptr(RDI, Q));
    a.emit(Op.MOV, R8, ptr(RDI, BIAS));
    a.emit(Op.MOV, R9, ptr(RDI, D));
    a.emit(Op.MOV, R10, ptr(RDI, STEP));
    a.emit(Op.MOV, RCX, ptr(RDI, BLOCKS));
    a.emit(Op.VPBROADCASTD, ymm(15), ptr(magnitude));
    a.emit(Op.VMOVUPS, ymm(14), ptr(order));
    a.emit(Op.VPBROADCASTD, ymm(13), ptr(ones8));
    a.emit(Op.VPBROADCASTD, ymm(12), ptr(ones16));
    a.emit(Op.VMOVSS, xmm(11), ptr(floats));
    a.emit(Op.VMOVSS, xmm(10), ptr(floats).plus(4));
    a.emit(Op.VMOVSS, xmm(9), ptr(floats).plus(8));
    a.emit(Op.VXORPS, xmm(8), xmm(8), xmm(8));
    a.loop(
        RCX,
        1,
        () -> {
          for (int i = 0; i < 4; i++) {
            a.emit(Op.VMOVUPS, ymm(i), ptr(RSI, 32 * i));
          }
          // The largest magnitude, NaN above all.
          a.emit(Op.VPAND, ymm(4), ymm(15), ymm(0));
          for (int i = 1; i < 4; i++) {
            a.emit(Op.VPAND, ymm(5), ymm(15), ymm(i));
            a.emit(Op.VPMAXSD, ymm(4), ymm(4), ymm(5));
          }
          acrossLanes(a, Op.VPMAXSD, ymm(4), ymm(5));
          a.emit(Op.VDIVSS, xmm(5), xmm(4), xmm(11)); // d
          a.emit(Op.VDIVSS, xmm(6), xmm(10), xmm(5)); // r
          a.emit(Op.VFMADD231SS, xmm(5), xmm(4), xmm(8)); // d + 0 * max: NaN if max is not finite
          a.emit(Op.VCMPPS, xmm(7), xmm(6), xmm(9), EQUAL);
          a.emit(Op.VANDNPS, xmm(5), xmm(7), xmm(5));
          a.emit(Op.VANDNPS, xmm(6), xmm(7), xmm(6));
          a.emit(Op.VMOVSS, ptr(R9), xmm(5));
          a.emit(Op.VBROADCASTSS, ymm(6), xmm(6));
          for (int i = 0; i < 4; i++) {
            a.emit(Op.VMULPS, ymm(i), ymm(i), ymm(6));
            a.emit(Op.VCVTPS2DQ, ymm(i), ymm(i));
          }
          // 32 int8, of which packing has mixed the words.
          a.emit(Op.VPACKSSDW, ymm(0), ymm(0), ymm(1));
          a.emit(Op.VPACKSSDW, ymm(2), ymm(2), ymm(3));
          a.emit(Op.VPACKSSWB, ymm(0), ymm(0), ymm(2));
          a.emit(Op.VPERMD, ymm(0), ymm(14), ymm(0));
          a.emit(Op.VMOVDQU, ptr(RDX), ymm(0));
          a.emit(Op.VPMADDUBSW, ymm(1), ymm(13), ymm(0));
          a.emit(Op.VPMADDWD, ymm(1), ymm(1), ymm(12));
          acrossLanes(a, Op.VPADDD, ymm(1), ymm(2));
          a.emit(Op.VMOVD, xmm(2), ptr(RDI, FACTOR));
          a.emit(Op.VPMULLD, xmm(1), xmm(1), xmm(2));
          a.emit(Op.VMOVD, ptr(R8), xmm(1));
          a.emit(Op.ADD, RSI, 4 * PanelLayout.BLOCK);
          a.emit(Op.ADD, RDX, R10);
          a.emit(Op.ADD, R8, R10);
          a.emit(Op.ADD, R9, R10);
        });
    a.end();
    a.align(32);
    a.place(order);
    a.data(0, 4, 1, 5, 2, 6, 3, 7);
    a.place(floats);
    a.data(
        Float.floatToIntBits(127),
        Float.floatToIntBits(1),
        Float.floatToIntBits(Float.POSITIVE_INFINITY));
    a.place(magnitude);
    a.data(MAGNITUDE);
    a.place(ones8);
    a.data(0x0101_0101);
    a.place(ones16);
    a.data(0x0001_0001);
    return a.code();
  }

  /// Eight words become one, which all lanes of the xmm register then hold.
  private static void acrossLanes(Assembler a, Op op, Vec all, Vec spare) {
    Vec low = all.as(128);
    Vec other = spare.as(128);
    a.emit(Op.VEXTRACTI128, other, all, 1);
    a.emit(op, low, low, other);
    a.emit(Op.VPSHUFD, other, low, 0x4E);
    a.emit(op, low, low, other);
    a.emit(Op.VPSHUFD, other, low, 0xB1);
    a.emit(op, low, low, other);
  }
}
