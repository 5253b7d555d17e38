package dev.quern.provider.x86.activation;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.R9;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.op.RopeSpec;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.Arguments;
import java.lang.foreign.MemorySegment;

/// RoPE of one row, in place: all heads by the same angles. Pairs of halves are two vectors,
///
///     a' = a*cos - b*sin      b' = a*sin + b*cos
///
/// and adjacent pairs are one, with its neighbours swapped and every angle twice; `vfmaddsub`
/// subtracts in even lanes and adds in odd ones:
///
///     x         a0  b0  a1  b1        cosines  c0  c0  c1  c1
///     swapped   b0  a0  b1  a1        sines    s0  s0  s1  s1
///
///     x' = x * cosines -+ swapped * sines
///
/// Scaling of frequencies is in the table. Arguments:
///
///     0 x   8 cosines   16 sines   24 heads   32 bytes of a head
///     40 whole vectors of a head (halves: of pairs; adjacent: of elements)
///     48 lanes that are left of them, as bits   56 of their angles
final class RopeCode {
  private static final int SWAPPED = 0xB1; // VPERMILPS: 1, 0, 3, 2

  private RopeCode() {}

  static void arguments(
      MemorySegment block,
      long at,
      long x,
      long cosines,
      RopeSpec spec,
      boolean adjacent,
      int lanes) {
    int pairs = spec.headDim() / 2;
    int vectors = adjacent ? spec.headDim() : pairs;
    Arguments.set(block, at, x, cosines, cosines + (long) Float.BYTES * pairs, spec.heads());
    Arguments.set(
        block,
        at + 32,
        (long) Float.BYTES * spec.headDim(),
        vectors / lanes,
        (1L << vectors % lanes) - 1,
        (1L << vectors % lanes / 2) - 1);
  }

  static Code halves(CpuRow row) {
    Lanes lanes = new Lanes(row);
    Assembler a = lanes.a;
    Vec first = lanes.v(0);
    Vec second = lanes.v(1);
    Vec cos = lanes.v(2);
    Vec sin = lanes.v(3);
    Vec turned = lanes.v(4);
    a.emit(Op.MOV, R8, ptr(RDI, 16));
    a.emit(Op.SUB, R8, ptr(RDI, 8)); // bytes of a half
    eachHead(
        lanes,
        () -> {
          a.emit(Op.LEA, R11, ptr(RSI, R8, 1));
          lanes.eachVector(
              ptr(RDI, 40),
              ptr(RDI, 48),
              lanes.bytes(),
              mask -> {
                lanes.load(first, ptr(RSI, RCX, 1), mask);
                lanes.load(second, ptr(R11, RCX, 1), mask);
                lanes.load(cos, ptr(RDX, RCX, 1), mask);
                lanes.load(sin, ptr(R10, RCX, 1), mask);
                a.emit(Op.VMULPS, turned, first, cos);
                a.emit(Op.VFNMADD231PS, turned, second, sin);
                lanes.store(ptr(RSI, RCX, 1), turned, mask);
                a.emit(Op.VMULPS, turned, first, sin);
                a.emit(Op.VFMADD231PS, turned, second, cos);
                lanes.store(ptr(R11, RCX, 1), turned, mask);
              });
        });
    return lanes.end();
  }

  static Code adjacent(CpuRow row) {
    Lanes lanes = new Lanes(row);
    Assembler a = lanes.a;
    Vec x = lanes.v(0);
    Vec swapped = lanes.v(1);
    Vec cos = lanes.v(2);
    Vec sin = lanes.v(3);
    Vec twice = lanes.v(4);
    Label indices = a.label();
    a.emit(Op.VMOVUPS, twice, ptr(indices));
    lanes.mask(1, ptr(RDI, 56));
    eachHead(
        lanes,
        () ->
            lanes.eachVector(
                ptr(RDI, 40),
                ptr(RDI, 48),
                lanes.bytes() / 2,
                mask -> {
                  int ofAngles = mask == Lanes.WHOLE ? mask : 1;
                  lanes.load(lanes.half(cos), ptr(RDX, RCX, 1), ofAngles);
                  a.emit(Op.VPERMPS, cos, twice, cos);
                  lanes.load(lanes.half(sin), ptr(R10, RCX, 1), ofAngles);
                  a.emit(Op.VPERMPS, sin, twice, sin);
                  lanes.load(x, ptr(RSI, RCX, 2), mask);
                  a.emit(Op.VPERMILPS, swapped, x, SWAPPED);
                  a.emit(Op.VMULPS, swapped, swapped, sin);
                  a.emit(Op.VFMADDSUB213PS, x, cos, swapped);
                  lanes.store(ptr(RSI, RCX, 2), x, mask);
                }));
    return lanes.end(() -> {
      a.place(indices);
      for (int i = 0; i < lanes.count(); i++) {
        a.data(i / 2);
      }
    });
  }

  /// With rsi at each head, rdx at the cosines, r10 at the sines.
  private static void eachHead(Lanes lanes, Runnable body) {
    Assembler a = lanes.a;
    lanes.mask(0, ptr(RDI, 48));
    a.emit(Op.MOV, RSI, ptr(RDI));
    a.emit(Op.MOV, RDX, ptr(RDI, 8));
    a.emit(Op.MOV, R10, ptr(RDI, 16));
    a.emit(Op.MOV, R9, ptr(RDI, 24));
    a.loop(
        R9,
        1,
        () -> {
          body.run();
          a.emit(Op.ADD, RSI, ptr(RDI, 32));
        });
  }
}
