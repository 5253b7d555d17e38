package dev.quern.provider.x86.activation;

import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.Arguments;
import java.lang.foreign.MemorySegment;

/// RMSNorm of one row, or group of a row, of any width:
///
///     squares = Σ x[i]²                                     lane by lane, then across lanes
///     scale = 1 / sqrt(squares / width + (epsilon + 0 * squares))
///     y[i] = x[i] * scale * weight[i]
///
/// `0 * squares` is NaN where a sum is not finite, so that all of such a row is (SPEC.md, N2).
/// Arguments:
///
///     0 x   8 weight   16 y   24 whole vectors   32 lanes that are left, as bits
///     40 width: f32   44 epsilon: f32
final class RmsNormCode {
  private static final Mem COUNT = ptr(RDI, 24);
  private static final Mem REST = ptr(RDI, 32);

  private RmsNormCode() {}

  /// Writes the arguments that say where its operands are.
  static void operands(MemorySegment block, long at, long x, long weight, long y) {
    Arguments.set(block, at, x, weight, y);
  }

  /// Writes those that say how it is computed.
  ///
  /// @param lanes floats of a vector
  static void norm(MemorySegment block, long at, int width, int lanes, float epsilon) {
    Arguments.set(
        block,
        at + 24,
        width / lanes,
        (1L << width % lanes) - 1,
        Arguments.pair((float) width, epsilon));
  }

  static Code code(CpuRow row) {
    Lanes lanes = new Lanes(row);
    Assembler a = lanes.a;
    Vec squares = lanes.v(0);
    Vec scale = lanes.v(1);
    Vec x = lanes.v(2);
    Vec weight = lanes.v(3);
    Vec epsilon = lanes.v(4);

    a.emit(Op.MOV, RSI, ptr(RDI));
    a.emit(Op.MOV, RDX, ptr(RDI, 8));
    a.emit(Op.MOV, R8, ptr(RDI, 16));
    lanes.mask(0, REST);
    lanes.zero(squares);
    lanes.eachVector(
        COUNT,
        REST,
        lanes.bytes(),
        mask -> {
          lanes.load(x, ptr(RSI, RCX, 1), mask);
          a.emit(Op.VFMADD231PS, squares, x, x);
        });
    lanes.across(Op.VADDPS, squares, x);

    lanes.broadcast(x, ptr(RDI, 40));
    a.emit(Op.VDIVPS, scale, squares, x);
    lanes.broadcast(epsilon, ptr(RDI, 44));
    lanes.zero(x);
    a.emit(Op.VFMADD231PS, epsilon, x, squares);
    a.emit(Op.VADDPS, scale, scale, epsilon);
    a.emit(Op.VSQRTPS, scale, scale);
    lanes.broadcast(x, 1f);
    a.emit(Op.VDIVPS, scale, x, scale);

    lanes.eachVector(
        COUNT,
        REST,
        lanes.bytes(),
        mask -> {
          lanes.load(x, ptr(RSI, RCX, 1), mask);
          lanes.load(weight, ptr(RDX, RCX, 1), mask);
          a.emit(Op.VMULPS, x, x, scale);
          a.emit(Op.VMULPS, x, x, weight);
          lanes.store(ptr(R8, RCX, 1), x, mask);
        });
    return lanes.end();
  }
}
