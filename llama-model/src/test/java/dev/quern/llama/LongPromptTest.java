package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Prompts beyond the first size of the KV cache, on the demo model with scalar kernels, whose rows
/// do not depend on the batch.
class LongPromptTest {
  private static final int TOKENS = 401;

  enum Kv {
    F16(KvFormat.F16),
    F32(KvFormat.F32);

    final KvFormat format;

    Kv(KvFormat format) {
      this.format = format;
    }
  }

  @ParameterizedTest
  @EnumSource
  void aCacheThatGrewHoldsWhatOneOfFullSizeHolds(Kv kv) throws Exception {
    List<float[]> atOnce = logits(kv, 512);
    List<float[]> inSteps = logits(kv, 97);
    assertEquals(TOKENS, atOnce.size());
    for (int i = 0; i < TOKENS; i++) {
      assertArrayEquals(atOnce.get(i), inSteps.get(i), "position " + i);
    }
  }

  /// The last layer leaves rows out when a text is generated.
  @ParameterizedTest
  @EnumSource
  void generationGoesOnFromTheLastRow(Kv kv) throws Exception {
    float[] last = logits(kv, 512).getLast();
    int best = 0;
    for (int i = 0; i < last.length; i++) {
      best = last[i] > last[best] ? i : best;
    }
    for (int batch : new int[] {1, 97, 100, 512}) { // 401 = 4 * 97 + 13 = 4 * 100 + 1
      try (LlamaModel model = LlamaModel.loadDemo(options(kv, batch));
          LlamaSession session = model.newSession()) {
        Generation generation =
            session.generateTokens(tokens(), GenerationOptions.greedy(1), id -> true);
        assertEquals(List.of(best), generation.tokens(), "batch " + batch);
        assertArrayEquals(tokens(), session.history());
      }
    }
  }

  private static List<float[]> logits(Kv kv, int batch) throws Exception {
    try (LlamaModel model = LlamaModel.loadDemo(options(kv, batch));
        LlamaSession session = model.newSession()) {
      List<float[]> logits = new ArrayList<>();
      session.evaluate(tokens(), logits::add);
      return logits;
    }
  }

  private static int[] tokens() {
    return new Random(1).ints(TOKENS, 0, 500).toArray();
  }

  private static LoadOptions options(Kv kv, int batch) {
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.numerics", "exact");
    LoadOptions defaults = LoadOptions.defaults();
    return new LoadOptions(kernels, 2, 0, kv.format, batch, defaults.progress());
  }
}
