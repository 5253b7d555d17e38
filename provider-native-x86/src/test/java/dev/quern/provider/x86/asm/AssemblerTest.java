package dev.quern.provider.x86.asm;

import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Gp.RSP;
import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Tile.tmm;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Test;

/// What can't be written down, and what code says of itself.
class AssemblerTest {
  private static final Set<String> AVX2 = Set.of("avx", "avx2", "fma", "f16c");

  @Test
  void whatTheCpuLacksIsRefused() {
    Assembler a = new Assembler(AVX2);
    assertEquals(
        "vpdpbusd ymm0, ymm1, ymm2: needs avx_vnni or avx512_vnni+avx512vl,"
            + " and this code is for [avx, avx2, f16c, fma]",
        refusal(() -> a.emit(Op.VPDPBUSD, ymm(0), ymm(1), ymm(2))));
    assertEquals(
        "vpaddd ymm16, ymm1, ymm2: needs avx512f+avx512vl,"
            + " and this code is for [avx, avx2, f16c, fma]",
        refusal(() -> a.emit(Op.VPADDD, ymm(16), ymm(1), ymm(2))));
    assertTrue(
        refusal(() -> a.emit(Op.TDPBSSD, tmm(0), tmm(1), tmm(2))).contains("needs amx_int8"));
  }

  @Test
  void whatDoesNotExistIsRefused() {
    Assembler a = new Assembler(AVX2);
    for (Runnable wrong :
        new Runnable[] {
          () -> a.emit(Op.VPADDD, ymm(0), xmm(1), ymm(2)),
          () -> a.emit(Op.VPADDD, ymm(0), ymm(1)),
          () -> a.emit(Op.VPADDD, ptr(RDI), ymm(1), ymm(2)),
          () -> a.emit(Op.VPADDD, ymm(0), ymm(1), RAX),
          () -> a.emit(Op.ADD, RAX, RCX.r32()),
          () -> a.emit(Op.ADD, RAX, 1L << 31),
          () -> a.emit(Op.VPSHUFD, ymm(0), ymm(1), 256),
          () -> a.emit(Op.TDPBSSD, tmm(0), tmm(1), tmm(1)),
          () -> a.emit(Op.JMP, RAX),
        }) {
      String message = refusal(wrong);
      assertTrue(message.contains("no form of it takes these operands, forms: "), message);
    }
    refusal(() -> ptr(RDI, RSP, 1));
    refusal(() -> ptr(RDI, RSI, 3));
    refusal(() -> ptr(RDI.r32()));
    refusal(() -> zmm(1).with(k(0)));
    refusal(() -> zmm(32));
  }

  @Test
  void aRefusalShowsTheOperands() {
    assertTrue(
        refusal(() ->
                new Assembler(AVX2)
                    .emit(Op.VADDPS, zmm(1).zeroing(k(2)), zmm(3), ptr(RSI, 4).broadcast()))
            .startsWith("vaddps zmm1{k2}{z}, zmm3, [rsi+4]{1to}: needs avx512f, and"));
  }

  @Test
  void theFormThatTheCpuHasIsChosen() {
    Assembler vex = new Assembler(Set.of("avx_vnni"));
    vex.emit(Op.VPDPBUSD, ymm(0), ymm(1), ymm(2));
    assertEquals("\t{vex} vpdpbusd ymm0, ymm1, ymm2", vex.code().text().lines().toList().get(2));
    assertEquals(Set.of("avx_vnni"), vex.code().features());
    Assembler evex = new Assembler(Set.of("avx512_vnni", "avx512vl"));
    evex.emit(Op.VPDPBUSD, ymm(0), ymm(1), ptr(RSI).broadcast());
    assertEquals(
        "\t{evex} vpdpbusd ymm0, ymm1, DWORD PTR [rsi]{1to8}",
        evex.code().text().lines().toList().get(2));
    assertEquals(Set.of("avx512_vnni", "avx512vl"), evex.code().features());
  }

  @Test
  void codeOfAvx2HasNothingOfAvx512() {
    Assembler a = new Assembler(AVX2);
    a.emit(Op.VXORPS, ymm(0), ymm(0), ymm(0));
    a.loop(
        RCX,
        8,
        () -> {
          a.emit(Op.VMOVUPS, ymm(1), ptr(RSI));
          a.emit(Op.VFMADD231PS, ymm(0), ymm(1), ptr(RDI));
        });
    a.end();
    assertEquals(Set.of("avx", "fma"), a.code().features());
  }

  @Test
  void labels() {
    Assembler a = new Assembler(Set.of());
    Label nowhere = a.label();
    a.emit(Op.JMP, nowhere);
    assertEquals("jmp .L0: .L0 is not placed", refusal(a::code));
    a.place(nowhere);
    a.place(nowhere);
    assertEquals(".L0 is placed twice", refusal(a::code));
  }

  @Test
  void listing() {
    Assembler a = new Assembler(Set.of("avx"));
    a.loop(RCX, 1, () -> a.emit(Op.VMOVUPS, ymm(9), ptr(RSI, 64)));
    a.end();
    assertEquals(
        """
        .L0:
             0:\tc5 7c 10 4e 40                   \t{vex} vmovups ymm9, YMMWORD PTR [rsi+64]
             5:\t48 83 e9 01                      \tsub rcx, 1
             9:\t7f f5                            \tjg .L0
             b:\tc5 f8 77                         \tvzeroupper
             e:\tc3                               \tret
        """,
        a.code().listing());
  }

  private static String refusal(Runnable wrong) {
    return assertThrows(IllegalArgumentException.class, wrong::run).getMessage();
  }
}
