package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.EmittedFault;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.provider.x86.memory.Routine;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.spi.Offer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Known answers are right, and tell wrong code.
class KnownAnswersTest {
  private static final ScalarProvider SCALAR = new ScalarProvider();

  private static OperatorTable scalar() {
    return new OperatorTable(
        List.of(SCALAR::linear),
        List.of(SCALAR::attention),
        List.of(SCALAR::rmsNorm),
        List.of(SCALAR::rope),
        List.of(SCALAR::swiGlu));
  }

  private static OperatorTable table(CpuRow row, RoutineLoader loader) {
    return OperatorTable.of(row, false, loader, InterpretedRoutine::loadWide);
  }

  private static LinearSpec linear(BlockFormat format, Numerics numerics, boolean accumulate) {
    return new LinearSpec(format, 512, 1024, accumulate, Set.of(numerics));
  }

  /// Scalar kernels share nothing with what answers are computed by.
  @TestFactory
  Stream<DynamicTest> scalarKnowsThem() {
    ProvenOperators proven = new ProvenOperators(CpuRow.AVX2, scalar());
    return WeightPanels.formats().stream()
        .flatMap(f ->
            Numerics.standard().stream()
                .filter(n -> accepted(SCALAR.linear(linear(f, n, false))))
                .map(n ->
                    DynamicTest.dynamicTest(
                        f + " " + n,
                        () -> {
                          assertAccepted(proven.linear(linear(f, n, false)));
                          assertAccepted(proven.linear(linear(f, n, true)));
                        })));
  }

  @Test
  void scalarKnowsAttention() {
    ProvenOperators proven = new ProvenOperators(CpuRow.AVX2, scalar());
    for (KvFormat kv : List.of(KvFormat.F32, KvFormat.F16)) {
      assertAccepted(proven.attention(new AttentionSpec(32, 8, 64, 4096, 0.125f, kv)));
      assertAccepted(proven.attention(new AttentionSpec(3, 1, 33, 1, 1, kv)));
    }
  }

  @Test
  void scalarKnowsRows() {
    ProvenOperators proven = new ProvenOperators(CpuRow.AVX2, scalar());
    for (int width : new int[] {1, 8, 2048}) {
      assertAccepted(proven.rmsNorm(RmsNormSpec.of(width, 1e-5f)));
      assertAccepted(proven.rmsNorm(RmsNormSpec.of(3 * width, 1e-5f).withGroups(3)));
      assertAccepted(proven.swiGlu(SwiGluSpec.of(width)));
      for (RopePairing pairing : RopePairing.values()) {
        assertAccepted(proven.rope(new RopeSpec(width, 64, pairing)));
      }
    }
  }

  private static final List<BlockFormat> FLOATS_AND_BLOCKS =
      List.of(
          BlockFormat.F32, BlockFormat.F16, BlockFormat.BF16, BlockFormat.Q4_0, BlockFormat.INT8_C);

  private static LinearSpec anyNumerics(BlockFormat format) {
    return new LinearSpec(format, 512, 1024, false, Set.copyOf(Numerics.standard()));
  }

  /// On every row of the table of CPUs, interpreted.
  @TestFactory
  Stream<DynamicTest> codeKnowsThem() {
    return CpuRow.table().stream()
        .map(row ->
            DynamicTest.dynamicTest(
                row.name(),
                () -> {
                  OperatorTable table = table(row, InterpretedRoutine::load);
                  ProvenOperators proven = new ProvenOperators(row, table);
                  for (LinearSpec spec : int8()) {
                    assertAccepted(proven.linear(spec));
                  }
                  for (BlockFormat format : FLOATS_AND_BLOCKS) {
                    assertAccepted(proven.linear(linear(format, Numerics.EXACT_F32, true)));
                    if (row.needs().contains("avx512_bf16")) {
                      assertAccepted(proven.linear(linear(format, Numerics.BF16, true)));
                    }
                    assertAccepted(proven.linear(anyNumerics(format)));
                  }
                  assertAccepted(
                      proven.attention(new AttentionSpec(8, 2, 64, 99, 0.125f, KvFormat.F16)));
                  assertAccepted(proven.rmsNorm(RmsNormSpec.of(2048, 1e-5f)));
                  assertAccepted(proven.rmsNorm(RmsNormSpec.of(2048, 1e-5f).withGroups(32)));
                  assertAccepted(proven.rope(new RopeSpec(8, 64, RopePairing.HALF_SPLIT)));
                  assertAccepted(proven.swiGlu(SwiGluSpec.of(8192)));
                }));
  }

  private static List<LinearSpec> int8() {
    return Stream.of(Numerics.INT8_SYM_32, Numerics.INT8_ASYM_ROW)
        .flatMap(n ->
            WeightPanels.formats().stream()
                .filter(f -> f.scalePlane().scaleBytes() > 0 != n.symmetric())
                .filter(f -> !List.of("F32", "F16", "BF16").contains(f.id()))
                .map(f -> linear(f, n, true)))
        .toList();
  }

  /// A product of three rows that leaves everything as it was, all others being right.
  @Test
  void aRoutineThatDoesNothingIsDeclined() {
    ProvenOperators proven = withFault(3, code -> (_, _, _, _) -> {});
    String reason = declined(proven.linear(linear(BlockFormat.Q4_0, Numerics.INT8_SYM_32, false)));
    assertTrue(
        reason.startsWith(
            "a case whose answer is known is wrong on this CPU (row avx512-vnni,"
                + " q4_0-avx512-vnni): of 3 rows y[0][0] is "),
        reason);
    assertEquals(1, reason.lines().count());
  }

  @Test
  void aRoutineThatThrowsIsDeclined() {
    ProvenOperators proven =
        withFault(
            3,
            code ->
                (_, _, _, _) -> {
                  throw new IllegalStateException("no such instruction");
                });
    String reason = declined(proven.linear(linear(BlockFormat.Q4_0, Numerics.INT8_SYM_32, false)));
    assertTrue(
        reason.endsWith("it threw java.lang.IllegalStateException: no such instruction"), reason);
  }

  /// The fault is declined once; another format, whose code is right, is not.
  @Test
  void onlyWhatIsWrongIsDeclined() {
    List<Integer> loads = new ArrayList<>();
    RoutineLoader loader =
        codes -> {
          loads.add(codes.size());
          List<Routine> routines = new ArrayList<>(InterpretedRoutine.load(codes));
          if (codes.getFirst().name().startsWith("q4_0")) {
            routines.set(1, (_, _, _, _) -> {});
          }
          return routines;
        };
    ProvenOperators proven = new ProvenOperators(CpuRow.AVX2, table(CpuRow.AVX2, loader));
    LinearSpec wrong = linear(BlockFormat.Q4_0, Numerics.INT8_SYM_32, false);
    assertEquals(declined(proven.linear(wrong)), declined(proven.linear(wrong)));
    assertAccepted(proven.linear(linear(BlockFormat.Q4_1, Numerics.INT8_SYM_32, false)));
    assertEquals(2, loads.size());
  }

  /// How many slips in a generator known answers find by themselves, of two products and of the
  /// packing. The conformance suite finds all; these are there for a CPU that does not do what the
  /// manual says.
  @TestFactory
  Stream<DynamicTest> mostFaultsInCodeAreFound() {
    return Stream.of(CpuRow.AVX512_VNNI, CpuRow.AVX2)
        .flatMap(row ->
            Stream.of("rows-2", "packing")
                .map(code ->
                    DynamicTest.dynamicTest(
                        row.name() + " " + code, () -> checkFaults(row, code))));
  }

  private static void checkFaults(CpuRow row, String name) throws Exception {
    List<Code> codes = new ArrayList<>();
    OperatorTable.first(
        table(
                row,
                all -> {
                  codes.addAll(all);
                  return InterpretedRoutine.load(all);
                })
            .linear(),
        linear(BlockFormat.Q4_K, Numerics.INT8_SYM_32, false));
    Code sound = codes.stream().filter(c -> c.name().endsWith(name)).findFirst().orElseThrow();
    int at = codes.indexOf(sound);
    int found = 0;
    List<EmittedFault> faults =
        EmittedFault.of(sound).stream()
            .filter(f -> f.name().hashCode() % (sound.items().size() / 16) == 0)
            .toList();
    for (EmittedFault fault : faults) {
      RoutineLoader loader =
          all -> {
            List<Routine> routines = new ArrayList<>(InterpretedRoutine.load(all));
            routines.set(at, new InterpretedRoutine(fault.code(), 1_000_000));
            return routines;
          };
      ProvenOperators proven = new ProvenOperators(row, table(row, loader));
      if (!accepted(proven.linear(linear(BlockFormat.Q4_K, Numerics.INT8_SYM_32, false)))) {
        found++;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "known answers find %d of %d faults in Q4_K's %s on CPU row %s%n",
        found,
        faults.size(),
        name,
        row);
    assertTrue(found > 0.8 * faults.size(), found + " of " + faults.size());
  }

  @Test
  void wrongAttentionIsDeclined() {
    AttentionSpec spec = new AttentionSpec(8, 2, 64, 100, 0.125f, KvFormat.F16);
    String reason = declined(proven(attention(spec, 1.01f, 0)).attention(spec));
    assertTrue(reason.contains("of 6 rows y[1]["), reason); // one position alone has weight 1
    declined(proven(attention(spec, 1, 1)).attention(spec));
    assertAccepted(proven(attention(spec, 1, 0)).attention(spec));
  }

  private static ProvenOperators proven(OperatorTable table) {
    return new ProvenOperators(CpuRow.AVX2, table);
  }

  /// Scalar attention with another scale, and with a position that it does not see.
  private static OperatorTable attention(AttentionSpec spec, float factor, int hidden) {
    return new OperatorTable(
        List.of(),
        List.of(s -> {
          AttentionSpec other =
              new AttentionSpec(
                  s.heads(),
                  s.kvHeads(),
                  s.headDim(),
                  s.maxPositions(),
                  s.scale() * factor * factor,
                  s.kv());
          return SCALAR.attention(other) instanceof Offer.Accepted<AttentionKernel> a
              ? new Offer.Accepted<>(hiding(a.kernel(), hidden), a.variants())
              : Offer.declined("");
        }),
        List.of(),
        List.of(),
        List.of());
  }

  private static AttentionKernel hiding(AttentionKernel kernel, int hidden) {
    return new AttentionKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
        kernel.append(k, v, cache, position, w);
      }

      @Override
      public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
        kernel.apply(q, cache, Math.max(0, first - hidden), y, w);
      }
    };
  }

  @Test
  void wrongRowsAreDeclined() {
    declined(
        proven(
                new OperatorTable(
                    List.of(),
                    List.of(),
                    List.of(s -> SCALAR.rmsNorm(RmsNormSpec.of(s.width(), s.epsilon() + 0.1f))),
                    List.of(),
                    List.of()))
            .rmsNorm(RmsNormSpec.of(100, 0)));
    declined(
        proven(
                new OperatorTable(
                    List.of(),
                    List.of(),
                    List.of(s -> SCALAR.rmsNorm(s.withGroups(2 * s.groups()))),
                    List.of(),
                    List.of()))
            .rmsNorm(RmsNormSpec.of(100, 0).withGroups(2)));
    declined(
        proven(
                new OperatorTable(
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(s ->
                        SCALAR.rope(new RopeSpec(s.heads(), s.headDim(), RopePairing.ADJACENT))),
                    List.of()))
            .rope(new RopeSpec(4, 64, RopePairing.HALF_SPLIT)));
    declined(
        proven(
                new OperatorTable(
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(s ->
                        SCALAR.swiGlu(s) instanceof Offer.Accepted<SwiGluKernel> a
                            ? new Offer.Accepted<>(swapped(a.kernel()), a.variants())
                            : Offer.declined("no"))))
            .swiGlu(SwiGluSpec.of(100)));
  }

  private static SwiGluKernel swapped(SwiGluKernel kernel) {
    return new SwiGluKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
        kernel.apply(up, gate, y, w);
      }
    };
  }

  private static ProvenOperators withFault(int rows, Function<Code, Routine> fault) {
    RoutineLoader loader =
        codes -> {
          List<Routine> routines = new ArrayList<>(InterpretedRoutine.load(codes));
          routines.set(rows, fault.apply(codes.get(rows)));
          return routines;
        };
    return new ProvenOperators(CpuRow.AVX512_VNNI, table(CpuRow.AVX512_VNNI, loader));
  }

  private static boolean accepted(Offer<?> offer) {
    return offer instanceof Offer.Accepted<?>;
  }

  private static void assertAccepted(Offer<?> offer) {
    assertInstanceOf(Offer.Accepted.class, offer, offer.toString());
  }

  private static String declined(Offer<?> offer) {
    return assertInstanceOf(Offer.Declined.class, offer).reason();
  }
}
