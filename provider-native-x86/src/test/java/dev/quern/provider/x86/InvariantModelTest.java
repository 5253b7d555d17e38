package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.testing.SharedFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
    LoadOptions options = RowModels.options(row, host, "invariant").withContext(256);
    List<float[]> atOnce = logits(options.withBatch(64).withThreads(2), TOKENS);
    assertSame(atOnce, logits(options.withBatch(64).withThreads(1), 1), "one by one");
    assertSame(atOnce, logits(options.withBatch(7).withThreads(2), TOKENS), "batches of 7");
    assertSame(atOnce, logits(options.withBatch(64).withThreads(3), 9, 17, 1), "in pieces");
    eightAtOnce(options.withBatch(64).withThreads(2), atOnce);
  }

  /// Eight sequences of one model, each cut in its own way.
  private static void eightAtOnce(LoadOptions options, List<float[]> alone) throws Exception {
    try (LlamaModel model = LlamaModel.load(file(), options);
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Callable<List<float[]>>> sequences = new ArrayList<>();
      for (int piece : new int[] {1, 2, 3, 5, 8, 17, 33, TOKENS}) {
        sequences.add(() -> logits(model, piece));
      }
      for (Future<List<float[]>> sequence : threads.invokeAll(sequences)) {
        assertSame(alone, sequence.get(), "eight at once");
      }
    }
  }

  private static Path file() {
    return SharedFiles.file("models/stories260K-Q4_0.gguf");
  }

  private static List<float[]> logits(LoadOptions options, int... pieces) throws Exception {
    try (LlamaModel model = LlamaModel.load(file(), options)) {
      RowModels.assertX86(model);
      return logits(model, pieces);
    }
  }

  private static List<float[]> logits(LlamaModel model, int... pieces) {
    List<float[]> logits = new ArrayList<>();
    try (LlamaSession session = model.newSession()) {
      int[] tokens = Arrays.copyOf(session.encodePrompt("Once upon a time, ".repeat(30)), TOKENS);
      int at = 0;
      for (int i = 0; at < TOKENS; i++) {
        int end = Math.min(TOKENS, at + pieces[i % pieces.length]);
        session.evaluate(Arrays.copyOfRange(tokens, at, end), row -> logits.add(row.clone()));
        at = end;
      }
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
