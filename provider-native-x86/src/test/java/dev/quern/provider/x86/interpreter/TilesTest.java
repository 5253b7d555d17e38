package dev.quern.provider.x86.interpreter;

import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Tile.tmm;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.memory.ExecutableMemory;
import dev.quern.provider.x86.memory.NativeFunction;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Tiles: against plain Java everywhere, and against the CPU where it has them and the system
/// permits them.
///
/// A block: 0 configuration, 64 C, 1088 A, 2112 B, 3136 C after it; each 1 KiB, rows of 64 bytes.
class TilesTest {
  private static final Set<String> AMX = Set.of("amx_tile", "amx_int8", "amx_bf16");
  private static final int C = 64;
  private static final int A = C + 1024;
  private static final int B = A + 1024;
  private static final int RESULT = B + 1024;
  private static final int BYTES = RESULT + 1024;

  private static final List<Op> PRODUCTS =
      List.of(Op.TDPBSSD, Op.TDPBUSD, Op.TDPBUUD, Op.TDPBF16PS);

  /// `c += a · b` once.
  private static Code code(Op product) {
    Assembler a = new Assembler(AMX);
    a.emit(Op.MOV, RAX.r32(), 64);
    a.emit(Op.LDTILECFG, ptr(RDI));
    a.emit(Op.TILELOADD, tmm(0), ptr(RDI, RAX, 1, C));
    a.emit(Op.TILELOADD, tmm(5), ptr(RDI, RAX, 1, A));
    a.emit(Op.TILELOADD, tmm(7), ptr(RDI, RAX, 1, B));
    a.emit(product, tmm(0), tmm(5), tmm(7));
    a.emit(Op.TILESTORED, ptr(RDI, RAX, 1, RESULT), tmm(0));
    a.emit(Op.TILEZERO, tmm(0));
    a.emit(Op.TILERELEASE);
    a.end();
    return a.code();
  }

  private static MemorySegment block(Arena arena, int rows, int columns, int depth) {
    MemorySegment block = arena.allocate(BYTES, 64);
    block.set(JAVA_BYTE, 0, (byte) 1);
    shape(block, 0, rows, 4 * columns);
    shape(block, 5, rows, 4 * depth);
    shape(block, 7, depth, 4 * columns);
    return block;
  }

  private static void shape(MemorySegment block, int tile, int rows, int rowBytes) {
    block.set(JAVA_SHORT, 16 + 2L * tile, (short) rowBytes);
    block.set(JAVA_BYTE, 48 + tile, (byte) rows);
  }

  private static String interpret(Code code, MemorySegment block) {
    try {
      new Interpreter(code, List.of(new Region("block", block, true)), 100).call(block.address());
      return "";
    } catch (Fault e) {
      return e.getMessage();
    }
  }

  @Test
  void bytesAgainstPlainJava() {
    Random random = new Random(3);
    for (int[] shape : new int[][] {{16, 16, 16}, {1, 16, 16}, {3, 5, 7}, {16, 1, 2}}) {
      for (Op op : List.of(Op.TDPBSSD, Op.TDPBUSD, Op.TDPBUUD)) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment block = block(arena, shape[0], shape[1], shape[2]);
          for (long at = C; at < BYTES; at++) {
            block.set(JAVA_BYTE, at, (byte) random.nextInt());
          }
          assertEquals("", interpret(code(op), block));
          for (int m = 0; m < shape[0]; m++) {
            for (int n = 0; n < shape[1]; n++) {
              int sum = block.get(JAVA_INT, C + 64L * m + 4L * n);
              for (int i = 0; i < 4 * shape[2]; i++) {
                int a = block.get(JAVA_BYTE, A + 64L * m + i);
                int b = block.get(JAVA_BYTE, B + 64L * (i / 4) + 4L * n + i % 4);
                sum += (op == Op.TDPBSSD ? a : a & 0xFF) * (op == Op.TDPBUUD ? b & 0xFF : b);
              }
              assertEquals(sum, block.get(JAVA_INT, RESULT + 64L * m + 4L * n), op + " " + m);
            }
          }
        }
      }
    }
  }

  /// Whole numbers, whose sums are exact in any order.
  @Test
  void bf16AgainstPlainJava() {
    Random random = new Random(4);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = block(arena, 13, 11, 16);
      float[][] a = new float[13][32];
      float[][] b = new float[32][11];
      for (int i = 0; i < 32; i++) {
        for (int m = 0; m < 13; m++) {
          a[m][i] = random.nextInt(31) - 15;
          block.set(JAVA_SHORT, A + 64L * m + 2L * i, bf16(a[m][i]));
        }
        for (int n = 0; n < 11; n++) {
          b[i][n] = random.nextInt(31) - 15;
          block.set(JAVA_SHORT, B + 64L * (i / 2) + 4L * n + i % 2 * 2, bf16(b[i][n]));
        }
      }
      assertEquals("", interpret(code(Op.TDPBF16PS), block));
      for (int m = 0; m < 13; m++) {
        for (int n = 0; n < 11; n++) {
          float sum = 0;
          for (int i = 0; i < 32; i++) {
            sum += a[m][i] * b[i][n];
          }
          assertEquals(sum, block.get(JAVA_FLOAT, RESULT + 64L * m + 4L * n));
        }
      }
    }
  }

  private static short bf16(float value) {
    return (short) (Float.floatToRawIntBits(value) >>> 16);
  }

  @Test
  void subnormalsAreZero() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = block(arena, 1, 1, 1);
      block.set(JAVA_FLOAT, C, Float.MIN_VALUE);
      block.set(JAVA_SHORT, A, bf16(1));
      block.set(JAVA_SHORT, B, (short) 0x007F); // the largest subnormal
      assertEquals("", interpret(code(Op.TDPBF16PS), block));
      assertEquals(0f, block.get(JAVA_FLOAT, RESULT));
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = block(arena, 4, 4, 4);
      shape(block, 7, 5, 16);
      assertTrue(
          interpret(code(Op.TDPBSSD), block)
              .contains("don't fit: tmm0 4x16 += tmm5 4x16 by tmm7 5x16"));
      block.set(JAVA_BYTE, 0, (byte) 2);
      assertTrue(interpret(code(Op.TDPBSSD), block).contains("palette 2"));
      block.set(JAVA_BYTE, 0, (byte) 0);
      assertTrue(interpret(code(Op.TDPBSSD), block).contains("tmm0 is not configured"));
    }
    Assembler kept = new Assembler(AMX);
    kept.emit(Op.LDTILECFG, ptr(RDI));
    kept.end();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = block(arena, 4, 4, 4);
      Interpreter interpreter =
          new Interpreter(kept.code(), List.of(new Region("block", block, true)), 100);
      assertEquals(
          "it returns without tilerelease",
          assertThrows(Fault.class, () -> interpreter.call(block.address())).getMessage());
    }
  }

  @Test
  void theSameAsTheCpu() throws Throwable {
    if (!Host.features().containsAll(AMX)) {
      Host.leftOut("the CPU lacks AMX: tiles are compared with plain Java only");
    }
    if (permission() != 0) {
      Host.leftOut("the system does not permit AMX: tiles are compared with plain Java only");
    }
    Random random = new Random(5);
    for (Op op : PRODUCTS) {
      Code code = code(op);
      for (int round = 0; round < 200; round++) {
        try (Arena arena = Arena.ofConfined()) {
          int rows = 1 + random.nextInt(16);
          MemorySegment own = block(arena, rows, 1 + random.nextInt(16), 1 + random.nextInt(16));
          for (long at = C; at < RESULT; at += 2) {
            own.set(JAVA_SHORT, at, value(op, random));
          }
          MemorySegment hardware = arena.allocate(BYTES, 64).copyFrom(own);
          assertEquals("", interpret(code, own));
          new NativeFunction(ExecutableMemory.load(code.bytes(), arena)).call(hardware);
          for (long at = RESULT; at < BYTES; at += 4) {
            float a = hardware.get(JAVA_FLOAT, at);
            float b = own.get(JAVA_FLOAT, at);
            boolean nan = op == Op.TDPBF16PS && Float.isNaN(a) && Float.isNaN(b);
            if (!nan) {
              assertEquals(hardware.get(JAVA_INT, at), own.get(JAVA_INT, at), op + " " + at);
            }
          }
        }
      }
    }
  }

  /// Any bytes; for BF16 mostly numbers of one magnitude, so that sums round.
  private static short value(Op op, Random random) {
    return op != Op.TDPBF16PS || random.nextInt(50) == 0
        ? (short) random.nextInt()
        : bf16((float) random.nextGaussian());
  }

  /// `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`: 0 if granted (Linux,
  /// `Documentation/arch/x86/xstate.rst`).
  @SuppressWarnings("restricted")
  private static long permission() throws Throwable {
    Linker linker = Linker.nativeLinker();
    return (long)
        linker
            .downcallHandle(
                linker.defaultLookup().findOrThrow("syscall"),
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                Linker.Option.firstVariadicArg(1))
            .invokeExact(158L, 0x1023L, 18L);
  }
}
