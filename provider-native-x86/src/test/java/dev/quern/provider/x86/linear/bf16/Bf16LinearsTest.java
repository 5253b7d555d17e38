package dev.quern.provider.x86.linear.bf16;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

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

class Bf16LinearsTest {
  private static Offer<?> offer(CpuRow row, BlockFormat format, Numerics tolerated) {
    return new Bf16Linears(row, InterpretedRoutine::load)
        .offer(new LinearSpec(format, 7, 256, false, Set.of(tolerated)));
  }

  private static List<Variant> variants(CpuRow row, BlockFormat format) {
    return offer(row, format, Numerics.BF16) instanceof Offer.Accepted<?> a
        ? a.variants()
        : List.of();
  }

  @Test
  void reasons() {
    assertEquals(
        "it runs with bf16, and the spec tolerates [exact-f32]",
        offer(CpuRow.AMX, BlockFormat.F16, Numerics.EXACT_F32) instanceof Offer.Declined<?> d
            ? d.reason()
            : "accepted");
    assertEquals(
        "BF16 linears on CPU row avx512-vnni, expected avx512-bf16 or amx:"
            + " avx512-bf16 needs avx512_bf16",
        assertThrows(IllegalArgumentException.class, () -> new Bf16Linears(CpuRow.AVX512_VNNI))
            .getMessage());
  }

  /// Tiles are a variant of their own, since they add in another order.
  @Test
  void allFormats() {
    for (BlockFormat format : WeightPanels.formats()) {
      String name = format.id().toLowerCase(Locale.ROOT) + "-bf16-";
      String dots = name + "avx512-bf16";
      assertEquals(
          List.of(new Variant(dots, 1, Numerics.BF16, true)), variants(CpuRow.AVX512_BF16, format));
      assertEquals(
          List.of(new Variant(dots, 1, Numerics.BF16), new Variant(name + "amx", 9, Numerics.BF16)),
          variants(CpuRow.AMX, format));
    }
  }

  /// Products are shared by all formats; each has a packing, those of blocks a decoder.
  @Test
  void codeIsAssembledOnce() {
    List<Integer> loads = new ArrayList<>();
    Bf16Linears linears =
        new Bf16Linears(
            CpuRow.AMX,
            codes -> {
              loads.add(codes.size());
              return InterpretedRoutine.load(codes);
            });
    for (BlockFormat format : List.of(BlockFormat.Q4_0, BlockFormat.F16, BlockFormat.Q4_0)) {
      linears.offer(new LinearSpec(format, 8, 256, false, Set.of(Numerics.BF16)));
    }
    assertEquals(List.of(1 + 8 + 2 + 1, 2, 1), loads);
  }
}
