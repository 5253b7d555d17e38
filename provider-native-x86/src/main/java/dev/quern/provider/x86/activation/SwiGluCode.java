package dev.quern.provider.x86.activation;

import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.Arguments;
import java.lang.foreign.MemorySegment;

/// SwiGLU of any number of elements:
///
///     y[i] = gate[i] / (1 + exp(-gate[i])) * up[i]
///
/// [Exp] is within 2u, and addition, division and product round once each: 5u of the 16u that
/// SPEC.md's S1 allows. Where exp is infinite the quotient is a zero, as it should be, or NaN for
/// an infinite gate (S3). Arguments:
///
///     0 gate   8 up   16 y   24 whole vectors   32 lanes that are left, as bits
final class SwiGluCode {
  private SwiGluCode() {}

  static void arguments(
      MemorySegment block, long at, long gate, long up, long y, int elements, int lanes) {
    // y twice: no fewer than three are written at a time
    Arguments.set(block, at, gate, up, y);
    Arguments.set(block, at + 16, y, elements / lanes, (1L << elements % lanes) - 1);
  }

  static Code code(CpuRow row) {
    Lanes lanes = new Lanes(row);
    Assembler a = lanes.a;
    Vec gate = lanes.v(0);
    Vec x = lanes.v(1);
    Vec zero = lanes.v(2);
    Exp exp = new Exp(lanes, 3);

    a.emit(Op.MOV, RSI, ptr(RDI));
    a.emit(Op.MOV, RDX, ptr(RDI, 8));
    a.emit(Op.MOV, R8, ptr(RDI, 16));
    lanes.mask(0, ptr(RDI, 32));
    lanes.zero(zero);
    exp.begin();
    lanes.eachVector(
        ptr(RDI, 24),
        ptr(RDI, 32),
        lanes.bytes(),
        mask -> {
          lanes.load(gate, ptr(RSI, RCX, 1), mask);
          a.emit(Op.VSUBPS, x, zero, gate);
          exp.emit(x);
          a.emit(Op.VADDPS, x, x, lanes.constant(1f));
          a.emit(Op.VDIVPS, gate, gate, x);
          lanes.load(x, ptr(RDX, RCX, 1), mask);
          a.emit(Op.VMULPS, gate, gate, x);
          lanes.store(ptr(R8, RCX, 1), gate, mask);
        });
    return lanes.end();
  }
}
