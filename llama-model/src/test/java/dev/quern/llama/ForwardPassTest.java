package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.KernelOptions;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvFormat;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.machine.HugePages;
import java.lang.foreign.Arena;
import java.util.List;
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
      ForwardPass forward = forward(model, 40, 20, 1, arena);
      int[] tokens = tokens();
      run(forward, caches, tokens, 0, 20, 20);
      run(forward, caches, tokens, 20, 20, 20);
      float[][] expected = {logits(forward, 17), logits(forward, 18), logits(forward, 19)};
      for (int wanted : new int[] {1, 3}) {
        run(forward, caches, tokens, 0, 20, 0);
        run(forward, caches, tokens, 20, 20, wanted);
        for (int row = 20 - wanted; row < 20; row++) {
          assertArrayEquals(expected[row - 17], logits(forward, row), "row " + row);
        }
      }
      assertEquals(40, caches.layer(0).capacity());
    }
  }

  /// Three sequences: one gets a part of its prompt of which nothing is wanted, one a token, one
  /// the rest of a prompt.
  @Test
  void aSequenceInABatchIsAsAlone() throws Exception {
    int[] tokens = tokens();
    try (LlamaModel model = LlamaModel.loadDemo(options());
        Arena arena = Arena.ofShared();
        KvCaches a = new KvCaches(model.config(), KvFormat.F16, 40, PAGES);
        KvCaches b = new KvCaches(model.config(), KvFormat.F16, 40, PAGES);
        KvCaches c = new KvCaches(model.config(), KvFormat.F16, 40, PAGES);
        KvCaches alone = new KvCaches(model.config(), KvFormat.F16, 40, PAGES)) {
      ForwardPass one = forward(model, 40, 20, 1, arena);
      run(one, alone, tokens, 0, 20, 20);
      float[] at4 = logits(one, 4);
      float[] at9 = logits(one, 9);
      float[] at12 = logits(one, 12);

      ForwardPass several = forward(model, 40, 20, 3, arena);
      several.run(
          List.of(
              new ForwardPass.Part(a, 0, tokens, 0, 12, 0),
              new ForwardPass.Part(c, 0, tokens, 0, 4, 1)));
      several.run(List.of(new ForwardPass.Part(b, 0, tokens, 0, 5, 1)));
      several.run(
          List.of(
              new ForwardPass.Part(b, 5, tokens, 5, 3, 0),
              new ForwardPass.Part(a, 12, tokens, 12, 1, 1),
              new ForwardPass.Part(c, 4, tokens, 4, 1, 1)));
      assertRows(several.logits(3, 4), at12, at4);
      several.run(List.of(new ForwardPass.Part(b, 8, tokens, 8, 2, 1)));
      assertRows(several.logits(1), at9);
    }
  }

  private static void assertRows(F32Matrix logits, float[]... expected) {
    assertEquals(expected.length, logits.rows());
    for (int r = 0; r < expected.length; r++) {
      float[] row =
          logits.rowRange(r, r + 1).data().asSlice(0, 4L * expected[r].length).toArray(JAVA_FLOAT);
      assertArrayEquals(expected[r], row, "row " + r);
    }
  }

  private static float[] lastLogits(LlamaModel model, KvCaches caches, Arena arena) {
    ForwardPass forward = forward(model, caches.limit(), BATCH, 1, arena);
    for (int done = 0; done < TOKENS; done += BATCH) {
      run(forward, caches, tokens(), done, BATCH, 1);
    }
    return logits(forward, BATCH - 1);
  }

  private static ForwardPass forward(
      LlamaModel model, int positions, int rows, int sequences, Arena arena) {
    return new ForwardPass(
        model.config(),
        model.weights(),
        sequences == 1 ? model.operators() : model.operatorsFor(sequences),
        new ForwardPass.Limits(positions, rows, sequences),
        model.workers(),
        arena);
  }

  private static void run(
      ForwardPass forward, KvCaches caches, int[] tokens, int from, int rows, int wanted) {
    forward.run(List.of(new ForwardPass.Part(caches, from, tokens, from, rows, wanted)));
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
