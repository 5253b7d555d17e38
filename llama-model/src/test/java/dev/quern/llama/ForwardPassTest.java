package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.machine.HugePages;
import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Ways to run the same tokens through the demo model, on scalar kernels: their rows do not depend
/// on the batch, so logits are the same to the bit.
class ForwardPassTest {
  /// More than a KV cache has room for at first.
  private static final int TOKENS = 270;

  private static final int BATCH = 90;
  private static final HugePages PAGES = HugePages.none("too small");

  @Test
  void aCacheThatGrewHoldsWhatOneOfFullSizeHolds() throws Exception {
    try (LlamaModel model = LlamaModel.loadDemo(options());
        Arena arena = Arena.ofShared();
        KvCaches atOnce = new KvCaches(model.config(), KvFormat.F16, TOKENS, PAGES);
        KvCaches inSteps = new KvCaches(model.config(), KvFormat.F16, TOKENS, PAGES)) {
      atOnce.reserve(0, TOKENS);
      float[] expected = lastLogits(model, atOnce, arena);
      int before = inSteps.layer(0).capacity();
      float[] actual = lastLogits(model, inSteps, arena);
      assertArrayEquals(new int[] {256, TOKENS}, new int[] {before, inSteps.layer(0).capacity()});
      assertArrayEquals(expected, actual);
    }
  }

  @Test
  void rowsThatNobodyWantsChangeNothing() throws Exception {
    try (LlamaModel model = LlamaModel.loadDemo(options());
        Arena arena = Arena.ofShared();
        KvCaches caches = new KvCaches(model.config(), KvFormat.F16, 40, PAGES)) {
      ForwardPass forward = forward(model, caches, 20, arena);
      int[] tokens = tokens();
      forward.run(tokens, 0, 20, 0, 20);
      forward.run(tokens, 20, 20, 20, 20);
      float[][] expected = {logits(forward, 17), logits(forward, 18), logits(forward, 19)};
      for (int wanted : new int[] {1, 3}) {
        forward.run(tokens, 0, 20, 0, 0);
        forward.run(tokens, 20, 20, 20, wanted);
        for (int row = 20 - wanted; row < 20; row++) {
          assertArrayEquals(expected[row - 17], logits(forward, row), "row " + row);
        }
      }
      assertEquals(40, caches.layer(0).capacity());
    }
  }

  private static float[] lastLogits(LlamaModel model, KvCaches caches, Arena arena) {
    ForwardPass forward = forward(model, caches, BATCH, arena);
    for (int done = 0; done < TOKENS; done += BATCH) {
      forward.run(tokens(), done, BATCH, done, 1);
    }
    return logits(forward, BATCH - 1);
  }

  private static ForwardPass forward(LlamaModel model, KvCaches caches, int batch, Arena arena) {
    return new ForwardPass(
        model.config(), model.weights(), model.operators(), caches, batch, model.workers(), arena);
  }

  private static float[] logits(ForwardPass forward, int row) {
    return forward.logits(row).data().toArray(JAVA_FLOAT);
  }

  private static int[] tokens() {
    return new Random(1).ints(TOKENS, 0, 500).toArray();
  }

  private static LoadOptions options() {
    KernelOptions kernels = KernelOptions.fromSystem().with("quern.provider", "scalar");
    return LoadOptions.defaults().withKernels(kernels).withThreads(2);
  }
}
