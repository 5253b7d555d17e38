package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.provider.x86.cpu.CpuRow;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/// Models on a row of the table of CPUs.
final class RowModels {
  private RowModels() {}

  /// The row, by a mask that takes the better ones away.
  ///
  /// @param host features of this CPU
  static LoadOptions options(CpuRow row, Set<String> host, String numerics) {
    Set<String> masked = new TreeSet<>();
    for (CpuRow better : CpuRow.table()) {
      if (!row.needs().containsAll(better.needs())) {
        Set<String> more = new TreeSet<>(better.needs());
        more.removeAll(row.needs());
        more.retainAll(host);
        masked.addAll(more);
      }
    }
    KernelOptions kernels =
        KernelOptions.fromSystem().withProvider("x86,scalar").with("quern.numerics", numerics);
    if (!masked.isEmpty()) {
      String mask = String.join(",", masked.stream().map(m -> "-" + m).toList());
      kernels = kernels.with("quern.cpu.mask", mask);
    }
    return LoadOptions.defaults().withKernels(kernels).withThreads(2);
  }

  /// Whether this provider runs all of the model.
  static void assertX86(LlamaModel model) {
    assertX86(model, _ -> false);
  }

  /// Whether it runs all of the model but for what it declines.
  ///
  /// @param declined of a spec
  static void assertX86(LlamaModel model, Predicate<String> declined) {
    assertTrue(
        model.report().choices().stream()
            .allMatch(c -> c.provider().equals("x86") != declined.test(c.spec())),
        model.report().text());
  }
}
