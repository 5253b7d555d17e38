package dev.quern.provider.x86.linear;

import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Tile.tmm;
import static dev.quern.provider.x86.asm.Vec.ymm;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.Routine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The most that a core multiplies: a loop over registers alone, of products that do not wait for
/// each other. What a kernel does of it is its distance from the limit.
///
/// @param row whose CPUs have the unit
/// @param arithmetic int8, f32 or bf16
/// @param sums how many registers of sums there are, so that no product waits for another
/// @param products multiplications of a step
/// @param step emits products that are added to the register of sums of that number
record UnitPeak(CpuRow row, String arithmetic, int sums, int products, Step step) {
  @FunctionalInterface
  interface Step {
    void emit(Assembler a, int sum);
  }

  private static final int ITERATIONS = 1_000_000;
  private static final int ROUNDS = 15;

  /// AVX2 multiplies bytes by three instructions.
  private static final List<UnitPeak> TABLE =
      List.of(
          new UnitPeak(
              CpuRow.AMX,
              "int8",
              4,
              16 * 16 * 64,
              (a, n) -> a.emit(Op.TDPBSSD, tmm(n), tmm(4 + n % 2), tmm(6 + n / 2))),
          new UnitPeak(
              CpuRow.AMX,
              "bf16",
              4,
              16 * 16 * 32,
              (a, n) -> a.emit(Op.TDPBF16PS, tmm(n), tmm(4 + n % 2), tmm(6 + n / 2))),
          new UnitPeak(
              CpuRow.AVX512_VNNI,
              "int8",
              16,
              64,
              (a, n) -> a.emit(Op.VPDPBUSD, zmm(n), zmm(30), zmm(31))),
          new UnitPeak(
              CpuRow.AVX512_VNNI,
              "f32",
              16,
              16,
              (a, n) -> a.emit(Op.VFMADD231PS, zmm(n), zmm(30), zmm(31))),
          new UnitPeak(
              CpuRow.AVX512_BF16,
              "bf16",
              16,
              32,
              (a, n) -> a.emit(Op.VDPBF16PS, zmm(n), zmm(30), zmm(31))),
          new UnitPeak(
              CpuRow.AVX_VNNI,
              "int8",
              12,
              32,
              (a, n) -> a.emit(Op.VPDPBUSD, ymm(n), ymm(14), ymm(15))),
          new UnitPeak(
              CpuRow.AVX2,
              "int8",
              6,
              32,
              (a, n) -> {
                a.emit(Op.VPMADDUBSW, ymm(6 + n), ymm(14), ymm(15));
                a.emit(Op.VPMADDWD, ymm(6 + n), ymm(6 + n), ymm(13));
                a.emit(Op.VPADDD, ymm(n), ymm(n), ymm(6 + n));
              }),
          new UnitPeak(
              CpuRow.AVX2,
              "f32",
              12,
              8,
              (a, n) -> a.emit(Op.VFMADD231PS, ymm(n), ymm(14), ymm(15))));

  /// The unit that products of a row run on: its own, or the next lower row's.
  static Optional<UnitPeak> of(CpuRow row, String arithmetic) {
    return TABLE.stream()
        .filter(p -> p.arithmetic.equals(arithmetic) && row.needs().containsAll(p.row.needs()))
        .findFirst();
  }

  /// 10^9 multiplications a second of one core: the best of some rounds.
  double measure() throws RefusedException {
    Routine loop = NativeRoutines.load(List.of(code())).getFirst();
    double best = Double.MAX_VALUE;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(JAVA_LONG);
      block.set(JAVA_LONG, 0, ITERATIONS);
      for (int i = 0; i < ROUNDS; i++) {
        long start = System.nanoTime();
        loop.call(block.address(), block, block, block);
        best = Math.min(best, System.nanoTime() - start);
      }
    }
    return (double) ITERATIONS * sums * products / best;
  }

  private Code code() {
    Assembler a = new Assembler(row.needs());
    boolean tiles = row.equals(CpuRow.AMX);
    Label shapes = a.label();
    if (tiles) {
      a.emit(Op.LDTILECFG, ptr(shapes));
      for (int i = 0; i < 8; i++) {
        a.emit(Op.TILEZERO, tmm(i));
      }
    } else { // zeros: numbers that overflow, or are subnormal, could be slower
      boolean wide = row.needs().contains("avx512f");
      for (int i = 0; i < (wide ? 32 : 16); i++) {
        Vec v = wide ? zmm(i) : ymm(i);
        a.emit(Op.VXORPS, v, v, v);
      }
    }
    a.emit(Op.MOV, RCX, ptr(RDI));
    a.align(64);
    a.loop(
        RCX,
        1,
        () -> {
          for (int n = 0; n < sums; n++) {
            step.emit(a, n);
          }
        });
    if (tiles) {
      a.emit(Op.TILERELEASE);
    }
    a.end();
    a.align(64);
    a.place(shapes);
    a.data(shapes());
    return a.code();
  }

  /// Eight tiles of 16 rows of 64 bytes, as `ldtilecfg` loads them (SDM volume 2).
  private static byte[] shapes() {
    byte[] shapes = new byte[64];
    shapes[0] = 1;
    for (int i = 0; i < 8; i++) {
      shapes[16 + 2 * i] = 64;
    }
    Arrays.fill(shapes, 48, 56, (byte) 16);
    return shapes;
  }
}
