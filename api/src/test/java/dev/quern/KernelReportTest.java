package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.discovery.Locations;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelReportTest {
  @TempDir Path folder;

  @Test
  void theTextShowsProvidersAndChoices() throws IOException {
    Kernels kernels = kernels();
    kernels.linear(linear(BlockFormat.F32));
    kernels.linear(linear(BlockFormat.F32));
    kernels.linear(linear(BlockFormat.Q5_1));
    List<String> lines =
        kernels.report().text().lines().map(l -> l.strip().replaceAll(" +", " ")).toList();
    String from = Locations.forPeople(Locations.of(Fakes.class));
    assertEquals(
        List.of(
            "platform linux aarch64, JIT C2, CPU features: dotprod i8mm",
            "selection quern.provider=auto",
            "",
            "provider priority spec state from",
            "vector 100 2.0 ready " + from + " (dev.quern.Fakes$Vector)",
            "256-bit vectors",
            "scalar 0 2.0 ready " + from + " (dev.quern.Fakes$Scalar)",
            "amx 300 2.0 unavailable " + from + " (dev.quern.Fakes$Amx)",
            "the CPU has no AMX",
            "no remedy on this machine",
            "kleidi 200 2.0 unavailable " + from + " (dev.quern.Fakes$Kleidi)",
            "no libkleidiai.so was found",
            "remedy: set -Dquern.kleidi.library=<path>",
            "",
            "operator uses provider spec",
            "linear 2 vector LinearSpec[F32, outputs=4, inputs=256, exact-f32|int8-sym-32]",
            "gemv exact-f32, from 4 rows gemm exact-f32",
            "linear 1 scalar LinearSpec[Q5_1, outputs=4, inputs=256, exact-f32|int8-sym-32]",
            "plain exact-f32 invariant",
            "not vector: no kernel for Q5_1"),
        lines);
  }

  @Test
  void columnsAreAligned() throws IOException {
    List<String> rows =
        kernels().report().text().lines().filter(l -> l.contains("  2.0  ")).toList();
    assertEquals(4, rows.size());
    assertEquals(1, rows.stream().map(l -> l.indexOf("2.0")).distinct().count(), rows.toString());
  }

  @Test
  void theSummaryOfNothingSaysWhoIsReady() throws IOException {
    assertEquals("no operator was asked for; ready: vector, scalar", kernels().report().summary());
    assertTrue(kernels().report().text().endsWith("no operator was asked for\n"));
  }

  @Test
  void aLostKernelIsAnAssertionError() throws IOException {
    Kernels kernels = kernels();
    kernels.linear(linear(BlockFormat.F32));
    kernels.report().assertNoFallback("vector");
    kernels.linear(linear(BlockFormat.Q5_1));
    kernels.rmsNorm(RmsNormSpec.of(8, 0));

    KernelReport report = kernels.report();
    report.assertNoFallback("scalar", Operator.RMSNORM);
    String lost =
        assertThrows(AssertionError.class, () -> report.assertNoFallback("vector", Operator.LINEAR))
            .getMessage();
    assertTrue(lost.startsWith("vector does not run:"), lost);
    assertTrue(lost.contains("linear: scalar runs LinearSpec[Q5_1"), lost);
    assertTrue(lost.contains("(vector: no kernel for Q5_1)"), lost);
    assertTrue(lost.contains("provider  priority"), "the table: " + lost);
    assertTrue(failure(report, "vector").contains("rmsnorm: scalar runs"), "all operators");
    assertTrue(failure(report, "kleidi").contains("no libkleidiai.so was found. Remedy:"));
    assertTrue(failure(report, "cuda").contains("no provider of that name was found"));
    assertTrue(failure(report, "scalar").contains("scalar: it is not asked before vector"));
  }

  /// A check of nothing proves nothing.
  @Test
  void noChoiceIsAnAssertionErrorToo() throws IOException {
    Kernels kernels = kernels();
    String nothing = failure(kernels.report(), "vector");
    assertTrue(nothing.contains("no operator was asked for yet; load a model first"), nothing);
    kernels.linear(linear(BlockFormat.F32));
    String rope =
        assertThrows(
                AssertionError.class,
                () -> kernels.report().assertNoFallback("vector", Operator.LINEAR, Operator.ROPE))
            .getMessage();
    assertTrue(rope.contains("no rope was asked for yet"), rope);
  }

  private static String failure(KernelReport report, String provider) {
    return assertThrows(AssertionError.class, () -> report.assertNoFallback(provider)).getMessage();
  }

  private Kernels kernels() throws IOException {
    return Kernels.load(
        Fakes.options(
            folder, Fakes.Scalar.class, Fakes.Amx.class, Fakes.Kleidi.class, Fakes.Vector.class));
  }

  private static LinearSpec linear(BlockFormat weights) {
    return new LinearSpec(weights, 4, 256, false, Set.of(Numerics.EXACT_F32, Numerics.INT8_SYM_32));
  }
}
