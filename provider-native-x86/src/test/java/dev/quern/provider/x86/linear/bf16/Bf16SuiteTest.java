package dev.quern.provider.x86.linear.bf16;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.LinearProvider;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The conformance suite on the BF16 linears of each row that this machine has; on the others
/// interpreted, with the rules on results alone and few cases.
class Bf16SuiteTest {
  private static final int TRIES = 2;

  /// Rules that a single small call shows.
  private static final Set<String> RESULTS = Set.of("F1", "L2", "L3", "L4", "L13", "L10", "L11");

  @TestFactory
  Stream<DynamicTest> everyRowAndFormat() {
    return Stream.of(CpuRow.AVX512_BF16, CpuRow.AMX)
        .flatMap(row ->
            LinearProvider.FORMATS.stream()
                .map(f -> DynamicTest.dynamicTest(row + " " + f, () -> check(row, f))));
  }

  private static void check(CpuRow row, BlockFormat format) throws Exception {
    String refusal = Host.refusal(row);
    String support = "linear " + format + " bf16 all\n";
    if (refusal.isEmpty()) {
      LinearProvider provider = new LinearProvider(row, new Bf16Linears(row)::offer);
      provider.check(support, format, TRIES, Set.of());
    } else if (Set.of(BlockFormat.F16, BlockFormat.Q5_K).contains(format)) {
      System.out.println("[quern] the suite on CPU row " + row + " only interpreted: " + refusal);
      LinearProvider provider =
          new LinearProvider(row, new Bf16Linears(row, InterpretedRoutine::load)::offer);
      provider.check(support, format, 1, RESULTS);
    } else {
      Host.leftOut("the suite on " + format + " on CPU row " + row + ": " + refusal);
    }
  }
}
