package dev.quern.provider.x86.interpreter;

import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Instruction;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Operand;
import dev.quern.provider.x86.asm.Vec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;

/// One instruction between loads of all registers that it may read and stores of all that it may
/// write, so that two machines can be compared. A block of arguments:
///
///     0     vectors 0 to 31, 64 bytes each      2304  the same behind the instruction
///     2048  rax to r15                          4608  512 bytes of memory, 64-byte aligned
///     2176  k0 to k7
///     2240  address of the memory
final class Trial {
  private static final int GP = 2048;
  private static final int MASKS = 2176;
  private static final int POINTER = 2240;
  private static final int OUT = 2304;
  private static final int MEMORY = 4608;
  static final int BYTES = MEMORY + 512;

  private static final List<Integer> NUMBERS = List.of(1, 2, 3, 4, 17, 18, 19, 20);

  /// Instructions that compute with floats, and don't only move them.
  private static final Pattern FLOATS =
      Pattern.compile(
          "V(ADD|SUB|MUL|DIV|MIN|MAX|SQRT|FN?MADD|HADD|RND|ROUND|SCALE|CVT|DP).*(PS|SS|PH)");

  private Trial() {}

  static Code code(Instruction instruction, Set<String> features) {
    Assembler a = new Assembler(features);
    boolean wide = features.contains("avx512f");
    boolean masks = features.contains("avx512bw");
    List<Vec> vectors =
        NUMBERS.stream()
            .filter(n -> n < 16 || wide)
            .map(n -> wide ? Vec.zmm(n) : Vec.ymm(n))
            .toList();
    vectors.forEach(v -> a.emit(Op.VMOVUPS, v, ptr(RDI, 64L * v.number())));
    for (int i = 1; i <= 3 && masks; i++) {
      a.emit(Op.MOV, RAX, ptr(RDI, MASKS + 8 * i));
      a.emit(Op.KMOVQ, k(i), RAX);
    }
    a.emit(Op.MOV, RSI, ptr(RDI, POINTER));
    for (var r : List.of(RAX, RCX, RDX)) {
      a.emit(Op.MOV, r, ptr(RDI, GP + 8 * r.number()));
    }
    a.emit(instruction.op(), instruction.operands().toArray(Operand[]::new));
    for (var r : List.of(RAX, RCX, RDX)) {
      a.emit(Op.MOV, ptr(RDI, OUT + GP + 8 * r.number()), r);
    }
    vectors.forEach(v -> a.emit(Op.VMOVUPS, ptr(RDI, OUT + 64L * v.number()), v));
    for (int i = 1; i <= 3 && masks; i++) {
      a.emit(Op.KMOVQ, RAX, k(i));
      a.emit(Op.MOV, ptr(RDI, OUT + MASKS + 8 * i), RAX);
    }
    a.end();
    return a.code();
  }

  /// A block that points to its own memory.
  static MemorySegment block(Arena arena) {
    MemorySegment block = arena.allocate(BYTES, 64);
    block.set(JAVA_LONG, POINTER, block.address() + MEMORY);
    return block;
  }

  /// Random operands; with one kind of values among them or another.
  static void fill(MemorySegment block, Random random) {
    fill(block, 0, GP, random);
    fill(block, MEMORY, 512, random);
    for (int i = 0; i < 16; i++) {
      block.set(JAVA_LONG, GP + 8L * i, random.nextLong() >> random.nextInt(64));
    }
    block.set(JAVA_LONG, GP + 8L * RCX.number(), 16); // 4 rcx + 64 is aligned as vmovaps wants it
    for (int i = 0; i < 8; i++) {
      block.set(JAVA_LONG, MASKS + 8L * i, random.nextLong());
    }
  }

  /// Copies all but where its memory is.
  static void copy(MemorySegment block, MemorySegment to) {
    to.asSlice(0, POINTER).copyFrom(block.asSlice(0, POINTER));
    to.asSlice(OUT).copyFrom(block.asSlice(OUT));
  }

  private static void fill(MemorySegment block, long from, int bytes, Random random) {
    int all = random.nextInt(9);
    int kind = all;
    for (long at = from; at < from + bytes; at += 4) {
      if (at % 64 == 0) {
        kind = random.nextInt(3) == 0 ? random.nextInt(9) : all;
      }
      int value =
          switch (kind) {
            case 0 -> random.nextInt();
            case 1 -> Float.floatToRawIntBits((float) random.nextGaussian() * 100);
            case 2 -> Float.floatToRawIntBits((random.nextInt(2001) - 1000) / 8f); // ties
            case 3 -> parts(8, BYTE_EDGES, random);
            case 4 -> parts(16, SHORT_EDGES, random);
            case 5 -> parts(16, HALF_EDGES, random);
            // Counts of shifts; the lowest 64 bits of a vector are one too.
            case 6 -> at % 8 == 4 ? 0 : random.nextInt(70);
            default -> specialFloat(random);
          };
      block.set(JAVA_INT_UNALIGNED, at, value);
    }
  }

  private static final int[] BYTE_EDGES = {0, 1, -1, 127, -128, 0x0F, 0x80};

  private static final int[] SHORT_EDGES = {0, 1, -1, 127, 128, -129, 255, 256, 0x7FFF, 0x8000};

  /// F16 and BF16: subnormals, infinities and NaNs among them.
  private static final int[] HALF_EDGES = {
    0, 0x8000, 1, 0x03FF, 0x0400, 0x3C00, 0x7BFF, 0x7C00, 0xFC00, 0x7E01, 0x3F80, 0x7F80, 0xFF80,
    0x7FC1, 0x007F, 0x0080, 0x7F7F, 0x3F01, 0x3F83
  };

  private static final float[] FLOAT_EDGES = {
    0f,
    -0f,
    1f,
    -1.5f,
    0.5f,
    2.5f,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    Float.MIN_NORMAL,
    Math.nextDown(Float.MIN_NORMAL),
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.NaN,
    65504f,
    65519.99f,
    65520f,
    6.1e-5f,
    5.9e-8f,
    2.9e-8f,
    2147483520f,
    2147483648f,
    -2147483648f,
    1e-20f,
    3e38f,
    1e19f,
    127f,
    -149.5f
  };

  /// So many bits each, mostly edges.
  private static int parts(int bits, int[] edges, Random random) {
    int value = 0;
    for (int i = 0; i < 32; i += bits) {
      int choice = random.nextInt(edges.length + 2);
      int part = choice < edges.length ? edges[choice] : random.nextInt();
      value = value << bits | part & (1 << bits) - 1;
    }
    return value;
  }

  /// An edge, or the next number to it.
  private static int specialFloat(Random random) {
    int bits = Float.floatToRawIntBits(FLOAT_EDGES[random.nextInt(FLOAT_EDGES.length)]);
    return random.nextInt(4) == 0 ? bits + random.nextInt(3) - 1 : bits;
  }

  /// Where two machines differ; empty if they don't. Any NaN is any other, where floats are meant.
  static String difference(Instruction instruction, MemorySegment hardware, MemorySegment own) {
    boolean floats = FLOATS.matcher(instruction.op().name()).matches();
    for (long at = OUT; at < BYTES; at += 4) {
      int a = hardware.get(JAVA_INT_UNALIGNED, at);
      int b = own.get(JAVA_INT_UNALIGNED, at);
      if (a == b || floats && (at < OUT + GP || at >= MEMORY) && sameNaN(instruction.op(), a, b)) {
        continue;
      }
      if (instruction.op().name().endsWith("PD")
          && at < OUT + GP
          && doubleNaNs(hardware, own, at)) {
        continue;
      }
      return String.format(Locale.ROOT, "byte %d: hardware %08x, interpreted %08x", at - OUT, a, b);
    }
    return "";
  }

  private static boolean sameNaN(Op op, int a, int b) {
    if (op == Op.VCVTPS2PH) {
      return sameHalf((short) a, (short) b) && sameHalf((short) (a >> 16), (short) (b >> 16));
    }
    return Float.isNaN(Float.intBitsToFloat(a)) && Float.isNaN(Float.intBitsToFloat(b));
  }

  /// Whether both have a NaN in the F64 around a word.
  private static boolean doubleNaNs(MemorySegment hardware, MemorySegment own, long at) {
    return Double.isNaN(hardware.get(JAVA_DOUBLE_UNALIGNED, at & -Double.BYTES))
        && Double.isNaN(own.get(JAVA_DOUBLE_UNALIGNED, at & -Double.BYTES));
  }

  private static boolean sameHalf(short a, short b) {
    return a == b || (a & 0x7FFF) > 0x7C00 && (b & 0x7FFF) > 0x7C00;
  }

  /// For messages: a vector's first 64 bits before the instruction.
  static String inputs(MemorySegment block) {
    StringBuilder text = new StringBuilder();
    for (int n : NUMBERS) {
      text.append(String.format(Locale.ROOT, " v%d=%016x", n, block.get(JAVA_LONG, 64L * n)));
    }
    return text
        + String.format(
            Locale.ROOT,
            " mem=%016x k1=%x",
            block.get(JAVA_LONG, MEMORY + 128),
            block.get(JAVA_LONG, MASKS + 8));
  }
}
