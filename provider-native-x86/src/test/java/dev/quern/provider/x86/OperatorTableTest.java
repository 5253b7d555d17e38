package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Who runs what, where several could.
class OperatorTableTest {
  private static OperatorTable table(CpuRow row, boolean invariant) {
    return OperatorTable.of(row, invariant, InterpretedRoutine::load, InterpretedRoutine::loadWide);
  }

  private static CpuRow row(String name) {
    return CpuRow.table().stream().filter(r -> r.name().equals(name)).findFirst().orElseThrow();
  }

  private static Offer<LinearPacker> linear(
      OperatorTable table, BlockFormat format, Set<Numerics> tolerated) {
    return OperatorTable.first(table.linear(), new LinearSpec(format, 64, 256, false, tolerated));
  }

  private static String names(List<Variant> variants) {
    return variants.stream()
        .map(v -> v.name() + " from " + v.minRows())
        .collect(Collectors.joining(", "));
  }

  /// A model tolerates all, `quern.numerics=exact` one.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          amx         | Q4_0   | any       | q4_0-amx from 1, q4_0-bf16-amx from 32
          amx         | INT8_C | any       | int8_c-amx from 1, int8_c-bf16-amx from 32
          amx         | BF16   | any       | bf16-bf16-avx512-bf16 from 1, bf16-bf16-amx from 9
          amx         | F16    | any       | f16-bf16-avx512-bf16 from 1, f16-bf16-amx from 9
          amx         | F32    | any       | f32-f32-avx512-vnni from 1
          amx         | F32    | bf16      | f32-bf16-avx512-bf16 from 1, f32-bf16-amx from 9
          amx         | Q4_0   | bf16      | q4_0-bf16-avx512-bf16 from 1, q4_0-bf16-amx from 9
          amx         | Q4_0   | exact     | q4_0-f32-avx512-vnni from 1
          amx         | BF16   | exact     | bf16-f32-avx512-vnni from 1
          amx         | Q4_0   | invariant | q4_0-amx from 1
          amx         | BF16   | invariant | bf16-f32-avx512-vnni from 1
          zen4        | Q4_0   | any       | q4_0-avx512-vnni from 1
          zen4        | BF16   | any       | bf16-bf16-avx512-bf16 from 1
          zen4        | BF16   | exact     | bf16-f32-avx512-vnni from 1
          zen4        | BF16   | invariant | bf16-bf16-avx512-bf16 from 1
          zen4        | F16    | any       | f16-f32-avx512-vnni from 1
          zen4        | F32    | bf16      | f32-bf16-avx512-bf16 from 1
          avx512-vnni | Q4_0   | any       | q4_0-avx512-vnni from 1
          avx512-vnni | BF16   | any       | bf16-f32-avx512-vnni from 1
          avx512-vnni | Q4_0   | exact     | q4_0-f32-avx512-vnni from 1
          avx512-vnni | Q4_0   | invariant | q4_0-avx512-vnni from 1
          avx-vnni    | Q4_0   | any       | q4_0-avx-vnni from 1
          avx-vnni    | F16    | any       | f16-f32-avx2 from 1
          avx2        | Q4_0   | any       | q4_0-avx2 from 1
          avx2        | Q4_0   | exact     | q4_0-f32-avx2 from 1
          """)
  void whoRunsALinear(String row, String format, String numerics, String expected) {
    BlockFormat weights =
        WeightPanels.formats().stream().filter(f -> f.id().equals(format)).findFirst().get();
    Set<Numerics> tolerated =
        switch (numerics) {
          case "bf16" -> Set.of(Numerics.BF16);
          case "exact" -> Set.of(Numerics.EXACT_F32);
          default -> Set.copyOf(Numerics.standard());
        };
    OperatorTable table = table(row(row), numerics.equals("invariant"));
    Offer<LinearPacker> offer = linear(table, weights, tolerated);
    assertEquals(
        expected,
        offer instanceof Offer.Accepted<LinearPacker> a ? names(a.variants()) : offer.toString());
  }

  /// Under `quern.numerics=invariant` nothing is offered that the façade would have to pass over,
  /// and no operator is left to another provider.
  @TestFactory
  Stream<DynamicTest> invariantTablesPromiseIt() {
    return CpuRow.table().stream()
        .map(row -> DynamicTest.dynamicTest(row.name(), () -> checkInvariant(row)));
  }

  private static void checkInvariant(CpuRow row) {
    OperatorTable table = table(row, true);
    List<Offer<?>> offers = new ArrayList<>();
    for (BlockFormat format : WeightPanels.formats()) {
      offers.add(linear(table, format, Set.copyOf(Numerics.standard())));
      offers.add(linear(table, format, Set.of(Numerics.EXACT_F32)));
      if (row.needs().contains("avx512_bf16")) {
        offers.add(linear(table, format, Set.of(Numerics.BF16)));
      }
    }
    for (KvFormat kv : List.of(KvFormat.F16, KvFormat.F32)) {
      AttentionSpec spec = new AttentionSpec(8, 2, 64, 99, 0.125f, kv);
      offers.add(OperatorTable.first(table.attention(), spec));
    }
    offers.add(OperatorTable.first(table.rmsNorm(), RmsNormSpec.of(64, 1e-5f)));
    for (RopePairing pairing : RopePairing.values()) {
      offers.add(OperatorTable.first(table.rope(), new RopeSpec(8, 64, pairing)));
    }
    offers.add(OperatorTable.first(table.swiGlu(), SwiGluSpec.of(64)));
    for (Offer<?> offer : offers) {
      assertTrue(
          offer instanceof Offer.Accepted<?> a
              && a.variants().stream().allMatch(Variant::invariant),
          offer.toString());
    }
  }
}
