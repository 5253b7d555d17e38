package dev.quern.provider.x86.activation;

import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.Arguments;
import java.lang.foreign.MemorySegment;

/// What is done with states ([AttentionLayout]) when queries have seen all of a range, and rows of
/// keys and values on their way to the cache. Arguments of each, counts of 1 at least:
///
///     fold:    0 states   8 states of a later range   16 how many
///     finish:  0 states   8 y of the first            16 how many
///     append:  0 floats   8 the cache's position      16 heads   24 bytes between heads of the cache
final class AttentionStates {
  private AttentionStates() {}

  static void arguments(MemorySegment block, long at, long first, long second, long count) {
    Arguments.set(block, at, first, second, count);
  }

  static void arguments(
      MemorySegment block, long at, long from, long to, int heads, long headStrideBytes) {
    Arguments.set(block, at, from, to, heads, headStrideBytes);
  }

  /// Each state of a range takes in that of a later one (Dao et al. 2023, "Flash-Decoding"):
  ///
  ///     max' = max(max, later max)
  ///     total' = total * exp(max - max') + later total * exp(later max - max'); out' alike
  static Code fold(CpuRow row, AttentionLayout layout) {
    Lanes lanes = new Lanes(row);
    Assembler a = lanes.a;
    Vec ours = lanes.v(0);
    Vec theirs = lanes.v(1);
    Vec max = lanes.v(2);
    Exp exp = new Exp(lanes, 3);
    exp.begin();
    eachOfCount(
        a,
        () -> {
          a.emit(Op.VMOVUPS, ours, ptr(RSI));
          a.emit(Op.VMOVUPS, theirs, ptr(RDX));
          a.emit(Op.VMAXPS, max, ours, theirs);
          a.emit(Op.VMOVUPS, ptr(RSI), max);
          a.emit(Op.VSUBPS, ours, ours, max);
          exp.emitBelow(ours);
          a.emit(Op.VSUBPS, theirs, theirs, max);
          exp.emitBelow(theirs);
          a.emit(Op.MOV, RCX.r32(), lanes.bytes() + layout.rowBytes()); // total and out
          a.loop(
              RCX,
              lanes.bytes(),
              () -> {
                int at = layout.totalAt() - lanes.bytes();
                a.emit(Op.VMULPS, max, ours, ptr(RSI, RCX, 1, at));
                a.emit(Op.VFMADD231PS, max, theirs, ptr(RDX, RCX, 1, at));
                a.emit(Op.VMOVUPS, ptr(RSI, RCX, 1, at), max);
              });
          a.emit(Op.ADD, RSI, layout.stateBytes());
          a.emit(Op.ADD, RDX, layout.stateBytes());
        });
    return lanes.end();
  }

  /// `y = out / total`, of heads side by side.
  static Code finish(CpuRow row, AttentionLayout layout) {
    Lanes lanes = new Lanes(row);
    Assembler a = lanes.a;
    Vec total = lanes.v(0);
    Vec out = lanes.v(1);
    Label rest = a.label();
    if (layout.rest() > 0) {
      lanes.mask(0, ptr(rest));
    }
    eachOfCount(
        a,
        () -> {
          a.emit(Op.VMOVUPS, total, ptr(RSI, layout.totalAt()));
          lanes.across(Op.VADDPS, total, out);
          for (int v = 0; v < layout.vectors(); v++) {
            boolean end = layout.rest() > 0 && v == layout.vectors() - 1;
            a.emit(Op.VMOVUPS, out, ptr(RSI, layout.outAt() + v * lanes.bytes()));
            a.emit(Op.VDIVPS, out, out, total);
            lanes.store(ptr(RDX, v * lanes.bytes()), out, end ? 0 : Lanes.WHOLE);
          }
          a.emit(Op.ADD, RSI, layout.stateBytes());
          a.emit(Op.ADD, RDX, Float.BYTES * layout.headDim());
        });
    return lanes.end(() -> {
      a.place(rest);
      a.data((1 << layout.rest()) - 1);
    });
  }

  /// All KV heads of one position.
  static Code append(CpuRow row, AttentionLayout layout) {
    Lanes lanes = new Lanes(row);
    Assembler a = lanes.a;
    KvRows rows = new KvRows(lanes, layout);
    rows.begin();
    eachOfCount(
        a,
        () -> {
          rows.store(RSI, RDX);
          a.emit(Op.ADD, RSI, Float.BYTES * layout.headDim());
          a.emit(Op.ADD, RDX, ptr(RDI, 24));
        });
    return lanes.end(rows::constants);
  }

  private static void eachOfCount(Assembler a, Runnable body) {
    a.emit(Op.MOV, RSI, ptr(RDI));
    a.emit(Op.MOV, RDX, ptr(RDI, 8));
    a.emit(Op.MOV, R8, ptr(RDI, 16));
    a.loop(R8, 1, body);
  }
}
