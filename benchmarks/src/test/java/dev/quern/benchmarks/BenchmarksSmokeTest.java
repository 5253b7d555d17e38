package dev.quern.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.F32Matrix;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Every benchmark is set up and called once on small sizes, so that none is found broken on the
/// day that it is needed. Nothing is timed.
class BenchmarksSmokeTest {
  private final Rates rates = new Rates();

  @Test
  void jmhFindsEveryBenchmark() {
    Set<String> found =
        BenchmarkList.defaultList()
            .getAll(
                OutputFormatFactory.createFormatInstance(System.err, VerboseMode.SILENT), List.of())
            .stream()
            .map(BenchmarkListEntry::getUsername)
            .map(name -> name.replace("dev.quern.benchmarks.", ""))
            .collect(Collectors.toSet());
    assertEquals(
        Set.of(
            "LinearBenchmark.apply",
            "AttentionBenchmark.apply",
            "ElementwiseBenchmark.rmsNorm",
            "ElementwiseBenchmark.rope",
            "ElementwiseBenchmark.swiGlu"),
        found);
  }

  @ParameterizedTest
  @CsvSource({
    "scalar, Q4_0",
    "vector, Q4_0",
    "scalar, Q8_0",
    "vector, Q6_K",
    "vector, Q4_K",
    "scalar, F32",
    "scalar, F16",
    "vector, BF16"
  })
  void linear(String provider, String format) {
    LinearBenchmark benchmark = new LinearBenchmark();
    benchmark.provider = provider;
    benchmark.format = format;
    benchmark.shape = "16x512";
    benchmark.rows = 3;
    benchmark.setUp();
    requireUnitSize(benchmark.apply(rates));
    benchmark.tearDown();
    assertEquals(3 * 16 * 512 * 1e-9, rates.gmac, 1e-12);
    assertTrue(rates.gb > 0, "gb=" + rates.gb);
  }

  @Test
  void linearFromMemoryUsesManyMatrices() {
    LinearBenchmark benchmark = new LinearBenchmark();
    benchmark.provider = "scalar";
    benchmark.format = "F32";
    benchmark.shape = "8192x4096"; // 128 MiB each
    benchmark.weightsIn = "memory";
    benchmark.setUp();
    F32Matrix y = benchmark.apply(rates);
    float first = y.get(0, 0);
    benchmark.apply(rates);
    assertTrue(first != y.get(0, 0), "two matrices gave the same " + first);
    benchmark.apply(rates);
    assertEquals(first, y.get(0, 0));
    benchmark.tearDown();
  }

  @Test
  void aParameterThatIsWrongIsNamed() {
    LinearBenchmark benchmark = new LinearBenchmark();
    benchmark.weightsIn = "disk";
    benchmark.provider = "scalar";
    Exception e = assertThrows(IllegalArgumentException.class, benchmark::setUp);
    assertTrue(e.getMessage().contains("expected cache or memory"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void attention(String provider) {
    AttentionBenchmark benchmark = new AttentionBenchmark();
    benchmark.provider = provider;
    benchmark.positions = 20;
    benchmark.rows = 2;
    benchmark.setUp();
    requireUnitSize(benchmark.apply(rates));
    benchmark.tearDown();
    assertEquals(2.0 * (19 + 20) * 32 * 64 * 1e-9, rates.gmac, 1e-12);
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void elementwise(String provider) {
    ElementwiseBenchmark benchmark = new ElementwiseBenchmark();
    benchmark.provider = provider;
    benchmark.rows = 2;
    benchmark.width = 128;
    benchmark.setUp();
    requireUnitSize(benchmark.rmsNorm(rates));
    requireUnitSize(benchmark.rope(rates));
    requireUnitSize(benchmark.swiGlu(rates));
    benchmark.tearDown();
    assertTrue(rates.gb > 0, "gb=" + rates.gb);
  }

  /// All finite, and neither zeros nor huge: the kernel has computed something.
  private static void requireUnitSize(F32Matrix y) {
    double squares = 0;
    for (int r = 0; r < y.rows(); r++) {
      for (int c = 0; c < y.columns(); c++) {
        squares += (double) y.get(r, c) * y.get(r, c);
      }
    }
    double size = Math.sqrt(squares / y.rows() / y.columns());
    assertTrue(size > 0.02 && size < 20, "root mean square " + size);
  }
}
