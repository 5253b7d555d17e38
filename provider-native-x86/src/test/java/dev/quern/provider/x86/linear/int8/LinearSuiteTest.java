package dev.quern.provider.x86.linear.int8;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.LinearProvider;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The conformance suite on the linear operators of each row of the table of CPUs: interpreted,
/// with its fixed cases, where this machine has no such CPU.
class LinearSuiteTest {
  private static final int TRIES = 3;

  /// Rules on what is computed; the others are on memory, threads and time, for which an
  /// interpreter is no witness.
  private static final Set<String> INTERPRETED =
      Set.of("L1", "L2", "L3", "L4", "L6", "L7", "L9", "L10", "L11", "P6", "P9", "P10", "P11");

  @TestFactory
  Stream<DynamicTest> everyRowAndFormat() {
    return CpuRow.table().stream()
        .filter(row -> DotUnit.of(row).row().equals(row)) // others have the code of one of these
        .flatMap(row ->
            PanelFormat.table().stream()
                .map(PanelFormat::format)
                .map(f -> DynamicTest.dynamicTest(row + " " + f, () -> check(row, f))));
  }

  private static void check(CpuRow row, BlockFormat format) throws Exception {
    String refusal = Host.refusal(row);
    String support =
        PanelFormat.table().stream()
            .map(f -> "linear " + f.format() + " " + f.numerics() + " all\n")
            .collect(Collectors.joining());
    if (refusal.isEmpty()) {
      new LinearProvider(row).check(support, format, TRIES, Set.of());
      return;
    }
    System.out.println("[quern] the suite on CPU row " + row + " only interpreted: " + refusal);
    Int8Linears interpreted = new Int8Linears(row, InterpretedRoutine::load);
    new LinearProvider(row, interpreted::offer).check(support, format, 0, INTERPRETED);
  }
}
