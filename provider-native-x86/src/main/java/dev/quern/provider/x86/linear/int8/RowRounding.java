package dev.quern.provider.x86.linear.int8;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.R9;
import static dev.quern.provider.x86.asm.Gp.RAX;
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
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import java.util.Arrays;

/// Rounds one row of x to int8 with a zero point, into its place in a [RoundedTile]; for every row of
/// the table of CPUs. SPEC.md, L7, in F32, `round` is half to even:
///
///     hi = max(0, max x), lo = min(0, min x)
///     s' = 255 / (hi - lo)
///     s = 1 / s'; 0 where s' is 0; NaN where x is not finite
///     z = round(-128 - lo*s')
///     q[i] = round(x[i] * s') + z, in -128 .. 127
///     term = -offset * Σ q, for each block
///
/// L7 takes `127 - hi*s'` for z in half of the cases: hi*s' is lo*s' + 255, so it is the same but for
/// a rounding, which L8 allows. And s' is 1 there for a row of zeros: here s is 0 then, which gives
/// the same zeros. Where s is 0, q is anything, and z some number. A last block that is shorter ends
/// in zeros of x.
///
///     ymm8 0, 9 0 * Σ x, 10 lo, 11 hi; then ymm10 z, 11 s'
///     ymm4 .. 7   masks of a block's floats
final class RowRounding {
  private static final int EQUAL = 0; // VCMPPS's predicate EQ_OQ

  private final Assembler a = new Assembler(CpuRow.AVX2.needs());
  private final RoundingSteps steps = new RoundingSteps(a);
  private final Label masks = a.label(); // 32 words of ones, 32 of zeros
  private final Label range = a.label();
  private final Label one = a.label();
  private final Label least = a.label();

  private RowRounding() {}

  /// @param offset what the terms are for
  static Code code(int offset) {
    return new RowRounding().emit(offset);
  }

  private Code emit(int offset) {
    steps.begin(true);
    a.emit(Op.LEA, R11, ptr(masks));
    a.emit(Op.VXORPS, ymm(8), ymm(8), ymm(8));
    a.emit(Op.VXORPS, ymm(9), ymm(9), ymm(9));
    a.emit(Op.VXORPS, ymm(10), ymm(10), ymm(10));
    a.emit(Op.VXORPS, ymm(11), ymm(11), ymm(11));
    eachBlock(() -> {
      for (int i = 0; i < 4; i++) {
        a.emit(Op.VMINPS, ymm(10), ymm(10), ymm(i));
        a.emit(Op.VMAXPS, ymm(11), ymm(11), ymm(i));
        a.emit(Op.VFMADD231PS, ymm(9), ymm(i), ymm(8));
      }
    });
    across(Op.VMINPS, ymm(10));
    across(Op.VMAXPS, ymm(11));
    across(Op.VADDPS, ymm(9));
    stepAndZeroPoint();
    a.emit(Op.MOV, RDX, RoundingSteps.Q_ADDRESS);
    a.emit(Op.MOV, R8, RoundingSteps.TERM_ADDRESS);
    a.emit(Op.MOV, R10, RoundingSteps.STEP_BYTES);
    eachBlock(() -> {
      for (int i = 0; i < 4; i++) {
        a.emit(Op.VMULPS, ymm(i), ymm(i), ymm(11));
        a.emit(Op.VCVTPS2DQ, ymm(i), ymm(i));
        a.emit(Op.VPADDD, ymm(i), ymm(i), ymm(10));
      }
      steps.bytes();
      steps.sums();
      a.emit(Op.VPADDD, xmm(1), xmm(1), xmm(2));
      steps.offsetTerm(xmm(1), R8);
      a.emit(Op.ADD, RDX, R10);
      a.emit(Op.ADD, R8, R10);
    });
    a.end();
    steps.constants(offset);
    int[] ones = new int[2 * PanelLayout.BLOCK];
    Arrays.fill(ones, 0, PanelLayout.BLOCK, -1);
    steps.words(masks, ones);
    steps.number(range, 255f);
    steps.number(one, 1f);
    steps.number(least, -128f);
    return a.code();
  }

  /// The body with each block of x in ymm0 .. 3, zeros behind its end.
  private void eachBlock(Runnable body) {
    a.emit(Op.MOV, RSI, RoundingSteps.X_ADDRESS);
    a.emit(Op.MOV, RCX, RoundingSteps.BLOCK_COUNT);
    a.loop(
        RCX,
        1,
        () -> {
          Label whole = a.label();
          a.emit(Op.MOV, RAX, R11);
          a.emit(Op.CMP, RCX, 1);
          a.emit(Op.JNE, whole);
          // The last: as many words of zeros as it is shorter.
          a.emit(Op.MOV, R9, RoundingSteps.LAST_INPUTS);
          a.emit(Op.SHL, R9, 2);
          a.emit(Op.ADD, RAX, Float.BYTES * PanelLayout.BLOCK);
          a.emit(Op.SUB, RAX, R9);
          a.place(whole);
          for (int i = 0; i < 4; i++) {
            a.emit(Op.VMOVUPS, ymm(4 + i), ptr(RAX, 32 * i));
            a.emit(Op.VMASKMOVPS, ymm(i), ymm(4 + i), ptr(RSI, 32 * i));
          }
          body.run();
          a.emit(Op.ADD, RSI, Float.BYTES * PanelLayout.BLOCK);
        });
  }

  /// Eight lanes become one, which the lower four then hold.
  private void across(Op op, Vec all) {
    a.emit(Op.VEXTRACTF128, xmm(0), all, 1);
    a.emit(op, all.as(128), all.as(128), xmm(0));
    steps.acrossLanes(op, all.as(128), xmm(0));
  }

  /// s and z to the foot; s' to all lanes of ymm11, z as integers to those of ymm10.
  private void stepAndZeroPoint() {
    Vec lo = xmm(10);
    Vec hi = xmm(11);
    // s'
    a.emit(Op.VSUBSS, xmm(0), hi, lo);
    a.emit(Op.VMOVSS, xmm(1), ptr(range));
    a.emit(Op.VDIVSS, xmm(1), xmm(1), xmm(0));
    // s
    a.emit(Op.VMOVSS, xmm(0), ptr(one));
    a.emit(Op.VDIVSS, xmm(0), xmm(0), xmm(1));
    a.emit(Op.VCMPPS, xmm(2), xmm(1), xmm(8), EQUAL);
    a.emit(Op.VANDNPS, xmm(0), xmm(2), xmm(0));
    a.emit(Op.VADDSS, xmm(0), xmm(0), xmm(9));
    a.emit(Op.MOV, R8, RoundingSteps.SCALE_ADDRESS);
    a.emit(Op.VMOVSS, ptr(R8), xmm(0));
    // z; of an infinite s' the integer that stands for none
    a.emit(Op.VMOVSS, xmm(2), ptr(least));
    a.emit(Op.VMULSS, lo, lo, xmm(1));
    a.emit(Op.VSUBSS, xmm(2), xmm(2), lo);
    a.emit(Op.VCVTPS2DQ, xmm(2), xmm(2));
    a.emit(Op.VPBROADCASTD, ymm(10), xmm(2));
    a.emit(Op.VCVTDQ2PS, xmm(2), xmm(2));
    a.emit(Op.ADD, R8, RoundingSteps.ZERO_POINT_BYTES);
    a.emit(Op.VMOVSS, ptr(R8), xmm(2));
    a.emit(Op.VBROADCASTSS, ymm(11), xmm(1));
  }
}
