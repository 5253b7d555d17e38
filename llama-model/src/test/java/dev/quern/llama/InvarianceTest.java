package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// `quern.numerics=invariant` from prompt to logits: the same tokens give the same bits, however
/// they are cut into batches and calls, on however many threads, whoever generates beside them.
@Timeout(120)
class InvarianceTest {
  private static final KernelOptions INVARIANT =
      KernelOptions.fromSystem()
          .with("quern.provider", "scalar")
          .with("quern.numerics", "invariant");

  /// So many that a KV cache grows on the way where they come one by one, and does not where they
  /// come at once: it begins with 256 positions.
  private static final int TOKENS = 270;

  /// A model, and calls of so many tokens until there are no more.
  private static List<float[]> logits(LoadOptions options, int... pieces) throws Exception {
    try (LlamaModel model = LlamaModel.loadDemo(options.withKernels(INVARIANT));
        LlamaSession session = model.newSession()) {
      return logits(session, tokens(model), pieces);
    }
  }

  private static List<float[]> logits(LlamaSession session, int[] tokens, int... pieces) {
    List<float[]> logits = new ArrayList<>();
    int at = 0;
    for (int i = 0; at < tokens.length; i++) {
      int end = Math.min(tokens.length, at + pieces[i % pieces.length]);
      session.evaluate(Arrays.copyOfRange(tokens, at, end), row -> logits.add(row.clone()));
      at = end;
    }
    return logits;
  }

  private static int[] tokens(LlamaModel model) {
    try (LlamaSession session = model.newSession()) {
      int[] prompt = session.encodePrompt("Once upon a time there was a fox. ".repeat(60));
      return Arrays.copyOf(prompt, TOKENS);
    }
  }

  private static void assertSame(List<float[]> expected, List<float[]> actual, String when) {
    assertEquals(TOKENS, expected.size());
    assertEquals(TOKENS, actual.size(), when);
    for (int i = 0; i < TOKENS; i++) {
      assertArrayEquals(expected.get(i), actual.get(i), when + ": logits of token " + i);
    }
  }

  @Test
  void cutsBatchesAndThreadsMakeNoDifference() throws Exception {
    LoadOptions options = LoadOptions.defaults().withContext(512);
    List<float[]> atOnce = logits(options.withBatch(512).withThreads(2), TOKENS);
    assertSame(atOnce, logits(options.withBatch(512).withThreads(1), 1), "one by one");
    assertSame(atOnce, logits(options.withBatch(16).withThreads(3), TOKENS), "batches of 16");
    assertSame(atOnce, logits(options.withBatch(64).withThreads(2), 7, 100, 1, 31), "in pieces");
  }

  @Test
  void cachesOfF32AreAsGood() throws Exception {
    LoadOptions options = LoadOptions.defaults().withContext(512).withKv(KvFormat.F32);
    List<float[]> atOnce = logits(options.withBatch(512).withThreads(2), TOKENS);
    assertSame(atOnce, logits(options.withBatch(512).withThreads(1), 1, 40), "in pieces");
  }

  /// Eight sequences at once, each cut in its own way, on one model.
  @Test
  void otherSequencesMakeNoDifference() throws Exception {
    LoadOptions options = LoadOptions.defaults().withContext(512).withKernels(INVARIANT);
    List<float[]> alone = logits(options.withThreads(2), TOKENS);
    try (LlamaModel model = LlamaModel.loadDemo(options.withThreads(2));
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      int[] tokens = tokens(model);
      List<Callable<List<float[]>>> tasks = new ArrayList<>();
      for (int piece : new int[] {1, 2, 3, 8, 17, 33, 100, TOKENS}) {
        tasks.add(() -> {
          try (LlamaSession session = model.newSession()) {
            return logits(session, tokens, piece);
          }
        });
      }
      for (Future<List<float[]>> f : threads.invokeAll(tasks)) {
        assertSame(alone, f.get(), "eight at once");
      }
      assertTrue(model.report().text().contains("exact-f32 invariant"), model.report().text());
    }
  }
}
