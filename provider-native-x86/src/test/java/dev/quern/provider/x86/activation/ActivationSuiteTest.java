package dev.quern.provider.x86.activation;

import dev.quern.KernelOptions;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Support;
import dev.quern.conformance.Target;
import dev.quern.conformance.testing.SuitePart;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The conformance suite on the operators without a weight matrix: on each width of vectors that
/// this machine has, and on code that is interpreted where it lacks one.
class ActivationSuiteTest {
  private static final int TRIES = 3;

  private static final String SUPPORT =
      """
      attention F32,F16 where headDim<=1024
      rmsnorm rows,groups
      rope adjacent,half-split
      swiglu
      """;

  /// Rules of numbers and of memory: what does not depend on who executes code.
  private static final Set<String> INTERPRETED =
      Set.of(
          "A1", "A2", "A3", "A6", "A8", "N1", "N2", "N3", "N4", "N7", "R1", "R2", "R4", "S1", "S2",
          "S3");

  @TestFactory
  Stream<DynamicTest> everyWidthAndOperator() {
    return Stream.of(CpuRow.AVX512_VNNI, CpuRow.AVX2)
        .flatMap(row ->
            Stream.of("attention", "rmsnorm", "rope", "swiglu")
                .map(o -> DynamicTest.dynamicTest(row + " " + o, () -> check(row, o))));
  }

  private static void check(CpuRow row, String operator) throws Exception {
    boolean runs = Host.has(row.needs());
    if (!runs) {
      System.out.println(
          "[quern] a part of the suite, and interpreted: "
              + operator
              + " on CPU row "
              + row
              + ", which this CPU is not");
    }
    Target target =
        new Target(
            runs ? new ActivationProvider(row) : ActivationProvider.interpreted(row),
            KernelOptions.fromSystem().providersPlatform(),
            Support.parse("the operators without a weight matrix", SUPPORT));
    Selection selection = new Selection(Set.of(operator), Set.of(), runs ? Set.of() : INTERPRETED);
    SuitePart.check(operator + " on CPU row " + row, target, selection, runs ? TRIES : 1);
  }
}
