package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.rules.SpecCases;
import dev.quern.conformance.rules.SpecCases.Budget;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ModelSpecsTest {
  private static final Settings FEW = new Settings(1, 1, Optional.empty());
  private static final Budget BUDGET = new Budget(1 << 20, 1 << 24);
  private static final int CONTEXT = 2048;

  private static final LinearSpec LINEAR =
      new LinearSpec(BlockFormat.Q4_0, 160, 96, true, Set.copyOf(Numerics.standard()));

  static List<ModelKernel> kernels() {
    return List.of(
        kernel(LINEAR, 96, 32, 32),
        kernel(LINEAR.withTolerated(Set.of(Numerics.EXACT_F32)), 160),
        kernel(new AttentionSpec(8, 4, 8, CONTEXT, (float) (1 / Math.sqrt(8)), KvFormat.F16)),
        kernel(RmsNormSpec.of(64, 1e-6f)),
        kernel(new RopeSpec(8, 8, RopePairing.ADJACENT)),
        kernel(SwiGluSpec.of(172)));
  }

  private static ModelKernel kernel(Object spec, Integer... stacked) {
    return new ModelKernel("m.gguf", spec, List.of(stacked), CONTEXT);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void casesAreOfTheSpecAndOfSeveralRows(ModelKernel kernel) {
    SpecCases made = SuiteCatalog.specCases(kernel.wanted(BUDGET, 1));
    for (Case c : made.cases()) {
      assertEquals(kernel.spec(), c.spec());
    }
    assertEquals(made.cases().size(), made.tried().size());
    assertTrue(made.cases().stream().anyMatch(c -> c.rows() == 1), made.toString());
    assertTrue(made.cases().stream().anyMatch(c -> c.rows() > 8), made.toString());
  }

  @Test
  void whatExceedsTimeOrMemoryIsSaid() {
    LinearSpec output =
        new LinearSpec(BlockFormat.Q4_0, 128256, 2048, false, Set.copyOf(Numerics.standard()));
    SpecCases large = SuiteCatalog.specCases(kernel(output).wanted(BUDGET, 1));
    assertEquals(List.of(), large.cases());
    assertTrue(large.tooLarge().getFirst().startsWith("all of it: 262,668,288 weights take"));

    LinearSpec some =
        new LinearSpec(BlockFormat.Q4_0, 512, 256, false, Set.copyOf(Numerics.standard()));
    assertEquals(
        List.of("rows above 8, to a batch of 256"),
        SuiteCatalog.specCases(kernel(some).wanted(BUDGET, 1)).tooLarge());

    AttentionSpec far =
        new AttentionSpec(32, 8, 64, 131072, (float) (1 / Math.sqrt(64)), KvFormat.F16);
    SpecCases attention = SuiteCatalog.specCases(kernel(far).wanted(BUDGET, 1));
    assertTrue(
        attention.tooLarge().getFirst().startsWith("positions above 512, to a context of 131,072"),
        attention.toString());
    assertTrue(attention.cases().stream().allMatch(c -> c.spec().equals(far)));
  }

  @Test
  void aSpecThatNoCaseHasIsRefused() {
    AttentionSpec scaled = new AttentionSpec(2, 1, 8, 64, 0.7f, KvFormat.F16);
    assertThrows(
        IllegalArgumentException.class,
        () -> SuiteCatalog.specCases(kernel(scaled).wanted(BUDGET, 1)));
    assertThrows(
        IllegalArgumentException.class,
        () -> SuiteCatalog.specCases(kernel("spec").wanted(BUDGET, 1)));
  }

  @Test
  void theyAreTriedBesideTheSuiteAndOnlyOfTheOperatorsAskedFor() {
    SuiteResult all = run(new ScalarProvider(), Set.of());
    assertTrue(all.green(), all.cells().toString());
    assertEquals(kernels().size(), all.models().size());
    for (ModelResult m : all.models()) {
      long passes =
          all.cells().stream()
              .filter(c -> c.subject().equals(m.subject()) && c.operator().equals(m.operator()))
              .mapToLong(CellResult::passes)
              .sum();
      assertEquals(m.tried().size(), passes, m.toString());
    }
    assertEquals(
        List.of("rope"),
        run(new ScalarProvider(), Set.of("rope")).models().stream()
            .map(ModelResult::operator)
            .toList());
  }

  /// A kernel that is wrong for this one size, which nothing else meets.
  @Test
  void aFaultOfThatSizeAloneIsFoundAndReplayed() {
    KernelProvider wrong =
        WrappedProvider.linear((right, x, y, w) -> {
          right.apply(x, y, w);
          if (x.columns() == 96 && y.columns() == 160) {
            y.set(0, 159, y.get(0, 159) + 1000);
          }
        });
    SuiteResult result = run(wrong, Set.of("linear"));
    Set<String> subjects = Set.copyOf(result.models().stream().map(ModelResult::subject).toList());
    List<CellResult> failed = result.cells().stream().filter(c -> c.failures() > 0).toList();
    assertFalse(failed.isEmpty());
    assertTrue(failed.stream().allMatch(c -> subjects.contains(c.subject())), failed.toString());
    String replay = failed.getFirst().firstFailure().orElseThrow().replay();
    assertTrue(replay.contains("outputs=96+32+32,inputs=96"), replay);
    SuiteResult again =
        Suite.run(
            target(wrong), new Settings(1, 1, Optional.of(replay)), Selection.all(), cell -> {});
    assertEquals(1, again.failures());
  }

  private static SuiteResult run(KernelProvider provider, Set<String> operators) {
    return Suite.run(
        target(provider),
        FEW,
        new Selection(operators, Set.of(), Set.of("P6")), // little of the suite itself
        new Plan(kernels(), new Coverage(), Steps.all()),
        cell -> {});
  }

  private static Target target(KernelProvider provider) {
    return new Target(
        provider, KernelOptions.fromSystem().providersPlatform(), Support.of(new ScalarProvider()));
  }
}
