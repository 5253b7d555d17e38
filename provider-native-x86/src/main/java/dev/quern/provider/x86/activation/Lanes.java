package dev.quern.provider.x86.activation;

import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Operand;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import java.util.LinkedHashMap;
import java.util.Map;

/// What a generator emits alike for vectors of 512 bits (AVX-512: 16 floats) and of 256 (AVX2: 8),
/// and constants. The end of a row that fills no vector is loaded and stored under a mask, one of
/// two: k1 and k2, or ymm15 and ymm14.
final class Lanes {
  private static final int FIRST_MASK_OF_AVX2 = 15;

  /// Of a shuffle of four: each pair swapped, the two pairs swapped.
  private static final int NEIGHBOURS = 0xB1;

  private static final int PAIRS = 0x4E;

  final Assembler a;
  private final boolean wide;
  private final Map<Integer, Label> constants = new LinkedHashMap<>();
  private final Label bits;

  Lanes(CpuRow row) {
    wide = isWide(row);
    a = new Assembler((wide ? CpuRow.AVX512_VNNI : CpuRow.AVX2).needs());
    bits = a.label();
  }

  private static boolean isWide(CpuRow row) {
    return row.needs().containsAll(CpuRow.AVX512_VNNI.needs());
  }

  /// Floats of a vector.
  static int count(CpuRow row) {
    return isWide(row) ? 16 : 8;
  }

  /// For reports.
  static String name(CpuRow row) {
    return isWide(row) ? "avx512" : "avx2";
  }

  int count() {
    return wide ? 16 : 8;
  }

  /// Bytes of a vector.
  int bytes() {
    return count() * Float.BYTES;
  }

  boolean wide() {
    return wide;
  }

  /// A register: 0 to 13 under AVX2.
  Vec v(int number) {
    return new Vec(number, wide ? 512 : 256);
  }

  /// Half of it.
  Vec half(Vec v) {
    return v.as(v.bits() / 2);
  }

  void zero(Vec v) {
    a.emit(wide ? Op.VPXORD : Op.VXORPS, v, v, v);
  }

  /// The bits of both.
  void and(Vec v, Vec first, Operand second) {
    a.emit(wide ? Op.VPANDD : Op.VPAND, v, first, second);
  }

  /// A number in all lanes, as the last operand of an instruction.
  Operand constant(float value) {
    Label label = constants.computeIfAbsent(Float.floatToRawIntBits(value), _ -> a.label());
    return wide ? ptr(label).broadcast() : ptr(label);
  }

  /// A number in all lanes of a register.
  void broadcast(Vec v, float value) {
    Label label = constants.computeIfAbsent(Float.floatToRawIntBits(value), _ -> a.label());
    a.emit(wide ? Op.VBROADCASTSS : Op.VMOVUPS, v, ptr(label));
  }

  /// A number in memory in all lanes.
  void broadcast(Vec v, Mem from) {
    a.emit(Op.VBROADCASTSS, v, from);
  }

  /// All lanes become what an operator makes of all of them: lanes that are 2 apart first, then
  /// neighbours, then halves (AVX2), or the neighbours of quarters and then halves (AVX-512).
  void across(Op op, Vec v, Vec spare) {
    a.emit(Op.VPERMILPS, spare, v, PAIRS);
    a.emit(op, v, v, spare);
    a.emit(Op.VPERMILPS, spare, v, NEIGHBOURS);
    a.emit(op, v, v, spare);
    if (wide) {
      a.emit(Op.VSHUFI32X4, spare, v, v, NEIGHBOURS);
      a.emit(op, v, v, spare);
      a.emit(Op.VSHUFI32X4, spare, v, v, PAIRS);
    } else {
      a.emit(Op.VPERM2F128, spare, v, v, 1);
    }
    a.emit(op, v, v, spare);
  }

  /// The lanes whose bits are set become those of a mask. Changes rax.
  ///
  /// @param which 0 or 1
  void mask(int which, Mem lanes) {
    if (wide) {
      a.emit(Op.MOV, RAX.r32(), lanes);
      a.emit(Op.KMOVW, k(1 + which), RAX.r32());
    } else {
      Vec mask = maskOfAvx2(which);
      a.emit(Op.VPBROADCASTD, mask, lanes);
      a.emit(Op.VPAND, mask, mask, ptr(bits));
      a.emit(Op.VPCMPEQD, mask, mask, ptr(bits));
    }
  }

  private static Vec maskOfAvx2(int which) {
    return Vec.ymm(FIRST_MASK_OF_AVX2 - which);
  }

  /// Loads whole vectors, or the lanes under a mask and zeros for others.
  ///
  /// @param which the mask; WHOLE for none
  void load(Vec v, Mem from, int which) {
    if (which == WHOLE) {
      a.emit(Op.VMOVUPS, v, from);
    } else if (wide) {
      a.emit(Op.VMOVUPS, v.zeroing(k(1 + which)), from);
    } else {
      a.emit(Op.VMASKMOVPS, v, maskOfAvx2(which).as(v.bits()), from);
    }
  }

  /// Stores whole vectors, or the lanes under a mask.
  void store(Mem to, Vec v, int which) {
    if (which == WHOLE) {
      a.emit(Op.VMOVUPS, to, v);
    } else if (wide) {
      a.emit(Op.VMOVUPS, to.with(k(1 + which)), v);
    } else {
      a.emit(Op.VMASKMOVPS, to, maskOfAvx2(which).as(v.bits()), v);
    }
  }

  /// Lanes that a mask does not name become zero (AVX2).
  void clear(Vec v, int which) {
    a.emit(Op.VPAND, v, v, maskOfAvx2(which));
  }

  /// No mask.
  static final int WHOLE = -1;

  /// What is done with a vector of a row.
  @FunctionalInterface
  interface Body {
    /// @param mask of what is loaded and stored; WHOLE for all
    void emit(int mask);
  }

  /// Does the body for each vector of a row, with rcx from 0 on in steps: for whole ones, then for
  /// the lanes that are left, if any, which the first mask names. Changes rax.
  ///
  /// @param count whole vectors
  /// @param rest lanes that are left, as bits
  void eachVector(Mem count, Mem rest, int step, Body body) {
    a.emit(Op.MOV, RAX, count);
    a.emit(Op.XOR, RCX.r32(), RCX.r32());
    a.ifPositive(
        RAX,
        () ->
            a.loop(
                RAX,
                1,
                () -> {
                  body.emit(WHOLE);
                  a.emit(Op.ADD, RCX, step);
                }));
    a.emit(Op.MOV, RAX, rest);
    a.ifPositive(RAX, () -> body.emit(0));
  }

  /// Returns; behind it the constants.
  Code end() {
    return end(() -> {});
  }

  /// The same, and constants of the generator's own, at a multiple of 64 bytes.
  Code end(Runnable data) {
    a.end();
    a.align(64);
    data.run();
    a.place(bits);
    a.data(1, 2, 4, 8, 16, 32, 64, 128);
    constants.forEach((value, label) -> {
      a.place(label);
      for (int i = 0; i < (wide ? 1 : count()); i++) {
        a.data(value);
      }
    });
    return a.code();
  }
}
