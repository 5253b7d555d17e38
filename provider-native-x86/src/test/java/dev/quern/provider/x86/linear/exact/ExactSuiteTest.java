package dev.quern.provider.x86.linear.exact;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.LinearProvider;
import dev.quern.provider.x86.linear.floats.FloatUnit;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The conformance suite on the F32 linears of each unit that this machine has; on the others
/// interpreted, with the rules on results alone and few cases.
class ExactSuiteTest {
  private static final int TRIES = 2;

  /// Rules that a single small call shows.
  private static final Set<String> RESULTS = Set.of("F1", "L2", "L3", "L5", "L10", "L11");

  @TestFactory
  Stream<DynamicTest> everyUnitAndFormat() {
    return FloatUnit.table().stream()
        .flatMap(unit ->
            LinearProvider.FORMATS.stream()
                .map(f -> DynamicTest.dynamicTest(unit.row() + " " + f, () -> check(unit, f))));
  }

  private static void check(FloatUnit unit, BlockFormat format) throws Exception {
    CpuRow row = unit.row();
    String support = "linear " + format + " exact-f32 all\n";
    if (Host.has(row.needs())) {
      LinearProvider provider = new LinearProvider(row, new ExactLinears(row)::offer);
      provider.check(support, format, TRIES, Set.of());
    } else {
      System.out.println("[quern] only interpreted on this CPU: the suite on " + row);
      interpreted(row, support, format);
    }
  }

  /// What other machines do for their rows, on each machine: one format of each kind.
  @TestFactory
  Stream<DynamicTest> interpreted() {
    return Stream.of(BlockFormat.F16, BlockFormat.Q4_K)
        .map(f ->
            DynamicTest.dynamicTest(
                f.toString(),
                () -> interpreted(CpuRow.AVX512_VNNI, "linear " + f + " exact-f32 all\n", f)));
  }

  private static void interpreted(CpuRow row, String support, BlockFormat format) {
    LinearProvider provider =
        new LinearProvider(row, new ExactLinears(row, InterpretedRoutine::load)::offer);
    provider.check(support, format, 1, RESULTS);
  }
}
