package dev.quern.provider.x86.interpreter;

import static dev.quern.provider.x86.asm.Gp.R12;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RBX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.memory.ExecutableMemory;
import dev.quern.provider.x86.memory.NativeFunction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// Whole programs: loops and jumps as the CPU runs them, a kernel against plain Java, and what an
/// interpreted kernel must not do.
class ProgramsTest {
  private static final Set<String> AVX2 = Set.of("avx", "avx2", "fma");
  private static final Set<String> VNNI =
      Set.of("avx", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vnni");

  @Test
  void everyInstructionHasAMeaning() {
    assertEquals(EnumSet.allOf(Op.class), Meaning.all().keySet());
  }

  /// Each condition after each comparison: a bit of the result each.
  @Test
  void conditionsAreTheCpus() throws Exception {
    Host.features();
    List<Op> jumps =
        List.of(
            Op.JB, Op.JAE, Op.JE, Op.JNE, Op.JBE, Op.JA, Op.JS, Op.JNS, Op.JL, Op.JGE, Op.JLE,
            Op.JG);
    List<Consumer<Assembler>> setters =
        List.of(
            a -> a.emit(Op.CMP, RAX, RDX),
            a -> a.emit(Op.CMP, RAX.r32(), RDX.r32()),
            a -> a.emit(Op.CMP, RAX, 127),
            a -> a.emit(Op.SUB, RAX, RDX),
            a -> a.emit(Op.ADD, RAX, RDX),
            a -> a.emit(Op.ADD, RAX.r32(), RDX.r32()),
            a -> a.emit(Op.TEST, RAX, RDX),
            a -> a.emit(Op.AND, RAX.r32(), RDX.r32()),
            a -> a.emit(Op.XOR, RAX, RDX),
            a -> a.emit(Op.OR, RAX, RAX),
            a -> a.emit(Op.NEG, RAX),
            a -> {
              a.emit(Op.CMP, RAX, RDX);
              a.emit(Op.INC, RAX);
            },
            a -> {
              a.emit(Op.CMP, RAX, RDX);
              a.emit(Op.DEC, RAX.r32());
            });
    long[] values = {
      0,
      1,
      -1,
      2,
      127,
      128,
      Integer.MAX_VALUE,
      Integer.MIN_VALUE,
      1L << 31,
      1L << 32,
      Long.MAX_VALUE,
      Long.MIN_VALUE,
      0xFFFFFFFFL
    };
    for (Consumer<Assembler> setter : setters) {
      Assembler a = new Assembler(Set.of());
      a.emit(Op.XOR, RCX, RCX);
      for (Op jump : jumps) {
        Label taken = a.label();
        a.emit(Op.SHL, RCX, 1);
        a.emit(Op.MOV, RAX, ptr(RDI));
        a.emit(Op.MOV, RDX, ptr(RDI, 8));
        a.emit(Op.LEA, RCX, ptr(RCX, 1));
        setter.accept(a);
        a.emit(jump, taken);
        a.emit(Op.LEA, RCX, ptr(RCX, -1));
        a.place(taken);
      }
      a.emit(Op.MOV, ptr(RDI, 16), RCX);
      a.end();
      for (long first : values) {
        for (long second : values) {
          assertSameLongs(a.code(), first, second);
        }
      }
    }
  }

  /// KORTESTW: zero where no bit of both is set, carry where all sixteen are.
  @Test
  void flagsOfMasksAreTheCpus() throws Exception {
    Assembler a = new Assembler(Set.of("avx", "avx512f"));
    a.emit(Op.MOV, RAX.r32(), ptr(RDI));
    a.emit(Op.MOV, RDX.r32(), ptr(RDI, 8));
    a.emit(Op.KMOVW, k(1), RAX.r32());
    a.emit(Op.KMOVW, k(2), RDX.r32());
    a.emit(Op.MOV, RCX.r32(), 0);
    a.emit(Op.KORTESTW, k(1), k(2));
    for (Op jump : List.of(Op.JE, Op.JB, Op.JA)) {
      Label not = a.label();
      a.emit(Op.LEA, RCX, ptr(RCX, RCX, 1));
      a.emit(Op.LEA, RCX, ptr(RCX, 1));
      a.emit(jump, not);
      a.emit(Op.LEA, RCX, ptr(RCX, -1));
      a.place(not);
    }
    a.emit(Op.MOV, ptr(RDI, 16), RCX);
    a.end();
    if (!Host.has(a.code().features())) {
      Host.leftOut("the CPU lacks avx512f: flags of masks are not compared with it");
    }
    for (long first : new long[] {0, 1, 0x8000, 0xFFFF, 0xFF00, 0x10000}) {
      for (long second : new long[] {0, 0xFF, 0xFFFF}) {
        assertSameLongs(a.code(), first, second);
      }
    }
  }

  /// Registers that must be kept, a stack, a loop with a counter.
  @Test
  void aLoopWithAStack() throws Exception {
    Host.features();
    Assembler a = new Assembler(Set.of());
    a.emit(Op.PUSH, RBX);
    a.emit(Op.PUSH, R12);
    a.emit(Op.MOV, RCX, ptr(RDI));
    a.emit(Op.MOV, R12, ptr(RDI, 8));
    a.emit(Op.MOV, RBX.r32(), 1);
    a.ifPositive(
        RCX,
        () ->
            a.loop(
                RCX,
                3,
                () -> {
                  a.emit(Op.IMUL, RBX, R12);
                  a.emit(Op.ADD, RBX, RCX);
                }));
    a.emit(Op.MOV, ptr(RDI, 16), RBX);
    a.emit(Op.POP, R12);
    a.emit(Op.POP, RBX);
    a.end();
    for (long count : new long[] {-4, 0, 1, 3, 4, 100}) {
      assertSameLongs(a.code(), count, 0x1234_5678_9ABCL);
    }
  }

  private static void assertSameLongs(Code code, long first, long second) throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment hardware = arena.allocate(64, 8);
      MemorySegment own = arena.allocate(64, 8);
      for (MemorySegment block : List.of(hardware, own)) {
        block.set(JAVA_LONG, 0, first);
        block.set(JAVA_LONG, 8, second);
      }
      new NativeFunction(ExecutableMemory.load(code.bytes(), arena)).call(hardware);
      new Interpreter(code, List.of(new Region("block", own, true)), 100_000).call(own.address());
      assertEquals(
          hardware.get(JAVA_LONG, 16),
          own.get(JAVA_LONG, 16),
          () -> code.listing() + first + " " + second);
    }
  }

  /// A sum of products of bytes over any length, with a masked tail: as kernels do it.
  ///
  ///     arguments: 0 a u8, 8 b s8, 16 bytes, 24 result s32
  ///
  /// @param tailBytes 1 to 64
  private static Code dotProduct(int tailBytes) {
    Assembler a = new Assembler(VNNI);
    Label ones = a.label();
    a.emit(Op.MOV, RSI, ptr(RDI));
    a.emit(Op.MOV, RDX, ptr(RDI, 8));
    a.emit(Op.MOV, RCX, ptr(RDI, 16));
    a.emit(Op.VPXORD, zmm(16), zmm(16), zmm(16));
    a.ifPositive(
        RCX,
        () ->
            a.loop(
                RCX,
                64,
                () -> {
                  a.emit(Op.VMOVDQU8, zmm(1), ptr(RSI));
                  a.emit(Op.VPDPBUSD, zmm(16), zmm(1), ptr(RDX));
                  a.emit(Op.ADD, RSI, 64);
                  a.emit(Op.ADD, RDX, 64);
                }));
    a.emit(Op.MOV, RAX, -1L >>> 64 - tailBytes);
    a.emit(Op.KMOVQ, k(1), RAX);
    a.emit(Op.VMOVDQU8, zmm(1).zeroing(k(1)), ptr(RSI));
    a.emit(Op.VMOVDQU8, zmm(2).zeroing(k(1)), ptr(RDX));
    a.emit(Op.VPDPBUSD, zmm(16), zmm(1), zmm(2));
    // Sixteen sums become one.
    a.emit(Op.VEXTRACTI64X4, ymm(1), zmm(16), 1);
    a.emit(Op.VMOVDQU32, ymm(2), ymm(16));
    a.emit(Op.VPADDD, ymm(1), ymm(1), ymm(2));
    a.emit(Op.VEXTRACTI128, xmm(2), ymm(1), 1);
    a.emit(Op.VPADDD, xmm(1), xmm(1), xmm(2));
    a.emit(Op.VPSHUFD, xmm(2), xmm(1), 0x4E);
    a.emit(Op.VPADDD, xmm(1), xmm(1), xmm(2));
    a.emit(Op.VPSHUFD, xmm(2), xmm(1), 0xB1);
    a.emit(Op.VPADDD, xmm(1), xmm(1), xmm(2));
    a.emit(Op.VPMULLD, xmm(1), xmm(1), ptr(ones));
    a.emit(Op.VMOVD, ptr(RDI, 24), xmm(1));
    a.end();
    a.align(16);
    a.place(ones);
    a.data(1, 1, 1, 1);
    return a.code();
  }

  /// Whole blocks of 64 and a tail; the operands end where they end, so that a byte too far is
  /// noticed.
  @Test
  void aKernelAgainstPlainJava() throws Exception {
    boolean hardware = Host.has(dotProduct(1).features());
    if (!hardware) {
      System.out.println("[quern] a kernel for AVX-512 VNNI is only interpreted on this CPU");
    }
    Random random = new Random(17);
    for (int bytes : new int[] {1, 7, 63, 65, 128 + 5, 640 + 62}) {
      Code code = dotProduct(bytes % 64);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment a = arena.allocate(bytes, 1);
        MemorySegment b = arena.allocate(bytes, 1);
        int expected = 0;
        for (int i = 0; i < bytes; i++) {
          a.set(JAVA_BYTE, i, (byte) random.nextInt());
          b.set(JAVA_BYTE, i, (byte) random.nextInt());
          expected += (a.get(JAVA_BYTE, i) & 0xFF) * b.get(JAVA_BYTE, i);
        }
        MemorySegment arguments = arena.allocate(32, 8);
        arguments.set(JAVA_LONG, 0, a.address());
        arguments.set(JAVA_LONG, 8, b.address());
        arguments.set(JAVA_LONG, 16, bytes / 64 * 64);
        List<Region> regions =
            List.of(
                new Region("arguments", arguments, true),
                new Region("a", a, false),
                new Region("b", b, false));
        new Interpreter(code, regions, 10_000).call(arguments.address());
        assertEquals(expected, arguments.get(JAVA_INT, 24));
        if (hardware) {
          arguments.set(JAVA_INT, 24, 0);
          new NativeFunction(ExecutableMemory.load(code.bytes(), arena)).call(arguments);
          assertEquals(expected, arguments.get(JAVA_INT, 24));
        }
        // One byte more than there is.
        Code wrong = dotProduct(bytes % 64 + 1);
        Fault fault =
            assertThrows(
                Fault.class,
                () -> new Interpreter(wrong, regions, 10_000).call(arguments.address()));
        assertTrue(
            fault.getMessage().contains("{z}, ZMMWORD PTR [rsi]: read of 1 bytes outside of all"),
            fault.getMessage());
      }
    }
  }

  @Test
  void whatAKernelMustNotDo() {
    fault("write to block, which is only read", a -> a.emit(Op.MOV, ptr(RDI), RAX));
    fault("read of 32 bytes outside of all", a -> a.emit(Op.VMOVUPS, ymm(0), ptr(RDI, 40)));
    fault("no multiple of 32", a -> a.emit(Op.VMOVAPS, ymm(0), ptr(RDI, 8)));
    fault("it returns with another rbx", a -> a.emit(Op.INC, RBX));
    fault("it returns with another rsp", a -> a.emit(Op.PUSH, RBX));
    fault(
        "jg .L0: the flags are undefined",
        a -> {
          Label next = a.label();
          a.emit(Op.IMUL, RAX, RCX);
          a.emit(Op.JG, next);
          a.place(next);
        });
    fault(
        "no end after 1000 instructions",
        a -> {
          Label top = a.label();
          a.place(top);
          a.emit(Op.JMP, top);
        });
    fault(
        "it runs into its constants",
        a -> {
          a.emit(Op.XOR, R8, R8);
          a.data(1, 2);
        });
    Assembler a = new Assembler(AVX2);
    a.emit(Op.VPXOR, ymm(0), ymm(0), ymm(0));
    a.emit(Op.RET);
    assertEquals("it returns without vzeroupper", run(a));
  }

  private static void fault(String expected, Consumer<Assembler> body) {
    Assembler a = new Assembler(AVX2);
    body.accept(a);
    a.end();
    String message = run(a);
    assertTrue(message.contains(expected), message);
  }

  private static String run(Assembler a) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(64, 64);
      Interpreter interpreter =
          new Interpreter(a.code(), List.of(new Region("block", block, false)), 1000);
      return assertThrows(Fault.class, () -> interpreter.call(block.address())).getMessage();
    }
  }
}
