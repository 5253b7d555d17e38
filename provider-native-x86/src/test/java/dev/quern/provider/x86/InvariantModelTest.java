package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.testing.SharedFiles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// `quern.numerics=invariant` with this provider, on each row of the table of CPUs that the machine
/// has: equal bits of all logits, however the tokens come.
class InvariantModelTest {
  private static final int TOKENS = 60;

  @TestFactory
  Stream<DynamicTest> everyRow() throws Exception {
    Set<String> host = Host.features();
    return CpuRow.table().stream()
        .map(row -> DynamicTest.dynamicTest(row.name(), () -> check(row, host)));
  }

  private static void check(CpuRow row, Set<String> host) throws Exception {
    if (!row.lacking(host).isEmpty()) {
      Host.leftOut("an invariant model on CPU row " + row + ": this CPU " + row.lacking(host));
    }
    LoadOptions options = options(row, host);
    List<float[]> atOnce = logits(options.withBatch(64).withThreads(2), TOKENS);
    assertSame(atOnce, logits(options.withBatch(64).withThreads(1), 1), "one by one");
    assertSame(atOnce, logits(options.withBatch(7).withThreads(2), TOKENS), "batches of 7");
    assertSame(atOnce, logits(options.withBatch(64).withThreads(3), 9, 17, 1), "in pieces");
  }

  /// The row, by a mask that takes the better ones away.
  private static LoadOptions options(CpuRow row, Set<String> host) {
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
        KernelOptions.fromSystem()
            .withProvider("x86,scalar")
            .with("quern.numerics", "invariant")
            .with("quern.cpu.mask", String.join(",", masked.stream().map(m -> "-" + m).toList()));
    return LoadOptions.defaults().withKernels(kernels).withContext(256);
  }

  private static List<float[]> logits(LoadOptions options, int... pieces) throws Exception {
    List<float[]> logits = new ArrayList<>();
    try (LlamaModel model =
            LlamaModel.load(SharedFiles.file("models/stories260K-Q4_0.gguf"), options);
        LlamaSession session = model.newSession()) {
      int[] tokens = Arrays.copyOf(session.encodePrompt("Once upon a time, ".repeat(30)), TOKENS);
      int at = 0;
      for (int i = 0; at < TOKENS; i++) {
        int end = Math.min(TOKENS, at + pieces[i % pieces.length]);
        session.evaluate(Arrays.copyOfRange(tokens, at, end), row -> logits.add(row.clone()));
        at = end;
      }
      assertTrue(
          model.report().choices().stream().allMatch(c -> c.provider().equals("x86")),
          model.report().text());
    }
    return logits;
  }

  private static void assertSame(List<float[]> expected, List<float[]> actual, String when) {
    assertEquals(TOKENS, actual.size(), when);
    for (int i = 0; i < TOKENS; i++) {
      assertArrayEquals(expected.get(i), actual.get(i), when + ": logits of token " + i);
    }
  }
}
