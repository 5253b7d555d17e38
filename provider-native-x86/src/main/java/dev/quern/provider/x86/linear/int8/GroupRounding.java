package dev.quern.provider.x86.linear.int8;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.R9;
import static dev.quern.provider.x86.asm.Gp.RCX;
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
import dev.quern.provider.x86.linear.panel.PanelLayout;

/// Rounds one row of x to int8 in groups of 32, into its place in a [RoundedTile]; for every row of
/// the table of CPUs, since all have AVX2. For each block (SPEC.md, L6; `round` is half to even):
///
///     d = max abs(x) / 127, r = 1 / d; d 0 where r is infinite, and NaN where max is not finite
///     q[i] = round(x[i] * r)
///     term = -offset * Σ q, or d * Σ q
///
/// Where d is 0, q is anything: what it contributes is 0.
final class GroupRounding {
  private static final int EQUAL = 0; // VCMPPS's predicate EQ_OQ

  private final Assembler a = new Assembler(CpuRow.AVX2.needs());
  private final RoundingSteps steps = new RoundingSteps(a);
  private final Label magnitude = a.label(); // all bits but the sign
  private final Label largest = a.label();
  private final Label one = a.label();
  private final Label infinity = a.label();

  private GroupRounding() {}

  /// @param groups of a block that have a term each
  /// @param minimum whether the term is for a minimum
  /// @param offset what it is for otherwise; 0 where the product takes no terms
  static Code code(int groups, boolean minimum, int offset) {
    return new GroupRounding().emit(groups, minimum, offset);
  }

  private Code emit(int groups, boolean minimum, int offset) {
    boolean hasTerms = minimum || offset != 0;
    a.emit(Op.MOV, RSI, RoundingSteps.X_ADDRESS);
    a.emit(Op.MOV, RDX, RoundingSteps.Q_ADDRESS);
    a.emit(Op.MOV, R9, RoundingSteps.SCALE_ADDRESS);
    a.emit(Op.MOV, R10, RoundingSteps.STEP_BYTES);
    a.emit(Op.MOV, RCX, RoundingSteps.BLOCK_COUNT);
    if (hasTerms) {
      a.emit(Op.MOV, R8, RoundingSteps.TERM_ADDRESS);
    }
    if (groups == 2) {
      a.emit(Op.MOV, R11, RoundingSteps.SECOND_TERM_ADDRESS);
    }
    steps.begin(hasTerms);
    a.emit(Op.VPBROADCASTD, ymm(15), ptr(magnitude));
    a.emit(Op.VMOVSS, xmm(11), ptr(largest));
    a.emit(Op.VMOVSS, xmm(10), ptr(one));
    a.emit(Op.VMOVSS, xmm(9), ptr(infinity));
    a.emit(Op.VXORPS, xmm(8), xmm(8), xmm(8));
    a.loop(
        RCX,
        1,
        () -> {
          scale();
          for (int i = 0; i < 4; i++) {
            a.emit(Op.VMULPS, ymm(i), ymm(i), ymm(6));
            a.emit(Op.VCVTPS2DQ, ymm(i), ymm(i));
          }
          steps.bytes();
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
    steps.constants(offset);
    steps.words(magnitude, 0x7FFF_FFFF);
    steps.number(largest, 127f);
    steps.number(one, 1f);
    steps.number(infinity, Float.POSITIVE_INFINITY);
    return a.code();
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
    steps.acrossLanes(Op.VPMAXSD, xmm(4), xmm(5));
    a.emit(Op.VDIVSS, xmm(5), xmm(4), xmm(11));
    a.emit(Op.VDIVSS, xmm(6), xmm(10), xmm(5));
    a.emit(Op.VFMADD231SS, xmm(5), xmm(4), xmm(8)); // + 0 * max: NaN if that is not finite
    a.emit(Op.VCMPPS, xmm(7), xmm(6), xmm(9), EQUAL);
    a.emit(Op.VANDNPS, xmm(5), xmm(7), xmm(5));
    a.emit(Op.VMOVSS, ptr(R9), xmm(5));
    a.emit(Op.VBROADCASTSS, ymm(6), xmm(6));
  }

  /// Σ q of each group, by a factor, to the tile.
  private void terms(int groups, boolean minimum) {
    steps.sums();
    if (groups == 2) {
      steps.offsetTerm(xmm(2), R11);
    } else {
      a.emit(Op.VPADDD, xmm(1), xmm(1), xmm(2));
    }
    if (minimum) {
      steps.acrossLanes(Op.VPADDD, xmm(1), xmm(3));
      a.emit(Op.VCVTDQ2PS, xmm(1), xmm(1));
      a.emit(Op.VMULSS, xmm(1), xmm(1), xmm(5));
      a.emit(Op.VMOVSS, ptr(R8), xmm(1));
    } else {
      steps.offsetTerm(xmm(1), R8);
    }
  }
}
