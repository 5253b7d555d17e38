package dev.quern.provider.x86.linear;

import dev.quern.KernelOptions;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Support;
import dev.quern.conformance.Target;
import dev.quern.conformance.testing.SuitePart;
import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
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
      check(new LinearProvider(row), support, format, TRIES, Set.of());
      return;
    }
    System.out.println("[quern] the suite on CPU row " + row + " only interpreted: " + refusal);
    X86Linears interpreted = new X86Linears(row, InterpretedRoutine::load);
    check(new LinearProvider(row, interpreted::offer), support, format, 0, INTERPRETED);
  }

  /// Runs the suite on a format.
  ///
  /// @param support what is declared
  /// @param rules empty for all
  static void check(
      LinearProvider provider, String support, BlockFormat format, int tries, Set<String> rules) {
    Target target =
        new Target(
            provider,
            KernelOptions.fromSystem().providersPlatform(),
            Support.parse("the linear operators", support));
    Selection selection = new Selection(Set.of("linear"), Set.of(format.id()), rules);
    SuitePart.check(format + " on " + target.availability(), target, selection, tries);
  }
}
