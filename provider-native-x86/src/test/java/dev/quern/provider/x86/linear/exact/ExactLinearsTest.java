package dev.quern.provider.x86.linear.exact;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ExactLinearsTest {
  private static LinearSpec spec(BlockFormat format, Numerics tolerated) {
    return new LinearSpec(format, 7, 256, false, Set.of(tolerated));
  }

  @Test
  void itDeclinesWhatDoesNotTolerateF32() {
    Offer<?> offer =
        new ExactLinears(CpuRow.AVX2, InterpretedRoutine::load)
            .offer(spec(BlockFormat.F16, Numerics.INT8_SYM_32));
    assertEquals(
        "it runs with exact-f32, and the spec tolerates [int8-sym-32]",
        offer instanceof Offer.Declined<?> d ? d.reason() : "accepted");
  }

  /// One variant for all numbers of rows: that is why a row's bits don't depend on it.
  @Test
  void allFormatsOnAllRows() {
    for (CpuRow row : CpuRow.table()) {
      ExactLinears linears = new ExactLinears(row, InterpretedRoutine::load);
      String unit = row.needs().contains("avx512f") ? "avx512-vnni" : row.name();
      unit = unit.equals("avx-vnni") ? "avx2" : unit;
      for (BlockFormat format : WeightPanels.formats()) {
        String name = format.id().toLowerCase(Locale.ROOT) + "-f32-" + unit;
        assertEquals(
            List.of(new Variant(name, 1, Numerics.EXACT_F32, true)),
            linears.offer(spec(format, Numerics.EXACT_F32)) instanceof Offer.Accepted<?> a
                ? a.variants()
                : List.of());
      }
    }
  }

  /// F32's products, which all formats share, and a decoder with a few products for each other one;
  /// a packing for each.
  @Test
  void codeIsAssembledOnce() {
    List<Integer> loads = new ArrayList<>();
    ExactLinears linears =
        new ExactLinears(
            CpuRow.AVX2,
            codes -> {
              loads.add(codes.size());
              return InterpretedRoutine.load(codes);
            });
    for (int i = 0; i < 2; i++) {
      linears.offer(spec(BlockFormat.Q4_0, Numerics.EXACT_F32));
      linears.offer(spec(BlockFormat.F32, Numerics.EXACT_F32));
    }
    assertEquals(List.of(1 + 6 + 1, 1 + WeightPanels.FEW_ROWS + 1), loads);
  }
}
