package dev.quern.provider.x86.linear.int8;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class Int8LinearsTest {
  private static Offer<?> offer(
      RoutineLoader loader, CpuRow row, BlockFormat format, Numerics tolerated) {
    return new Int8Linears(row, loader)
        .offer(new LinearSpec(format, 7, 256, false, Set.of(tolerated)));
  }

  private static String reason(BlockFormat format, Numerics tolerated) {
    Offer<?> offer = offer(InterpretedRoutine::load, CpuRow.AVX2, format, tolerated);
    return offer instanceof Offer.Declined<?> d ? d.reason() : "accepted";
  }

  @Test
  void reasonsToDecline() {
    assertEquals("no kernel for weight format F16", reason(BlockFormat.F16, Numerics.EXACT_F32));
    assertEquals(
        "activations are rounded (int8-sym-32), and the spec tolerates [exact-f32]",
        reason(BlockFormat.Q6_K, Numerics.EXACT_F32));
    assertEquals(
        "activations are rounded (int8-asym-row), and the spec tolerates [int8-sym-32]",
        reason(BlockFormat.INT4_B64, Numerics.INT8_SYM_32));
    assertEquals("accepted", reason(BlockFormat.INT8_C, Numerics.INT8_ASYM_ROW));
  }

  /// One variant for all numbers of rows: that is why a row's bits don't depend on it.
  @Test
  void theVariantNamesTheUnit() {
    for (CpuRow row : List.of(CpuRow.AMX, CpuRow.AVX512_VNNI)) {
      Offer<?> offer = offer(InterpretedRoutine::load, row, BlockFormat.Q4_K, Numerics.INT8_SYM_32);
      assertEquals(
          List.of(new Variant("q4_k-" + row, 1, Numerics.INT8_SYM_32, true)),
          offer instanceof Offer.Accepted<?> a ? a.variants() : List.of());
    }
  }

  /// Code knows no shapes.
  @Test
  void codeOfAFormatIsAssembledOnce() {
    List<Integer> loads = new ArrayList<>();
    Int8Linears linears =
        new Int8Linears(
            CpuRow.AVX2,
            codes -> {
              loads.add(codes.size());
              return InterpretedRoutine.load(codes);
            });
    for (int inputs = 256; inputs <= 1024; inputs += 256) {
      linears.offer(
          new LinearSpec(BlockFormat.Q4_0, 8, inputs, false, Set.of(Numerics.INT8_SYM_32)));
    }
    assertEquals(List.of(1 + Avx2Product.MAX_ROWS + 1), loads);
  }

  /// A rounding, a product for each height of a tile, the packing, and what unpacks panels for tall
  /// ones.
  @Test
  void tilesTakeUnpackedPanels() {
    List<Code> codes = new ArrayList<>();
    Int8Linears linears =
        new Int8Linears(
            CpuRow.AMX,
            all -> {
              codes.addAll(all);
              return InterpretedRoutine.load(all);
            });
    linears.offer(new LinearSpec(BlockFormat.Q6_K, 8, 256, false, Set.of(Numerics.INT8_SYM_32)));
    assertEquals(1 + AmxProduct.MAX_ROWS + 2, codes.size());
    for (int rows = 1; rows <= AmxProduct.MAX_ROWS; rows++) {
      assertEquals(
          rows >= AmxProduct.MIN_ROWS, codes.get(rows).features().contains("amx_int8"), "" + rows);
    }
    assertFalse(codes.getLast().features().contains("amx_tile"));
  }
}
