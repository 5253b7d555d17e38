package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.Operator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Counting time changes no result; going on past the end of the text does what it says.
class KernelProfileTest {
  private static final int END = SyntheticModel.FIRST_SPECIAL + 1; // <|end_of_text|>

  private static final int THREADS = 2;

  @TempDir Path folder;

  @Test
  void everyOperatorIsCountedAndNothingElseChanges() throws IOException {
    Path file = new SyntheticModel().write(folder.resolve("model.gguf"));
    KernelProfile profile = new KernelProfile();
    float[] plain = logits(file, scalar());
    long start = System.nanoTime();
    assertArrayEquals(plain, logits(file, scalar().withProfile(profile)));
    long elapsed = System.nanoTime() - start;
    long sum = 0;
    for (Operator<?, ?> operator : Operator.values()) {
      assertTrue(profile.nanos(operator) > 0, operator.id());
      assertTrue(profile.calls(operator) > 0, operator.id());
      sum += profile.nanos(operator);
    }
    assertTrue(sum <= elapsed, sum + " ns of " + elapsed);
    long parallel = profile.parallelNanos();
    assertTrue(parallel > 0 && parallel < sum, parallel + " ns of " + sum);
    long tasks = profile.taskNanos();
    assertTrue(tasks > 0 && tasks < THREADS * parallel, tasks + " ns in " + parallel);
    profile.reset();
    assertEquals(0, profile.parallelNanos() + profile.taskNanos());
    for (Operator<?, ?> operator : Operator.values()) {
      assertEquals(0, profile.nanos(operator) + profile.calls(operator));
    }
  }

  @Test
  void anEndTokenEndsNothingWhereItIsIgnored() throws IOException {
    Path file = new SyntheticModel().write(folder.resolve("model.gguf"));
    GenerationOptions options = GenerationOptions.greedy(200);
    try (LlamaModel model = LlamaModel.load(file, scalar());
        LlamaSession session = model.newSession()) {
      // A prompt that ends: which one does is the random model's affair, so several are tried.
      int[] prompt = null;
      for (int first = 0; first < END && prompt == null; first++) {
        session.rewind(0);
        int[] tokens = {first};
        if (session.generateTokens(tokens, options, _ -> true).stop() == StopReason.END_OF_TEXT) {
          prompt = tokens;
        }
      }
      assertTrue(prompt != null, "no prompt ends this model's text: the test needs another model");
      session.rewind(0);
      Generation generation = session.generateTokens(prompt, options.ignoringEnd(), _ -> true);
      assertEquals(StopReason.MAX_TOKENS, generation.stop());
      assertEquals(200, generation.tokens().size());
      assertTrue(
          generation.tokens().stream().anyMatch(model.tokenizer()::isEndOfGeneration),
          generation.tokens().toString());
    }
  }

  private static float[] logits(Path file, LoadOptions options) throws IOException {
    List<float[]> logits = new ArrayList<>();
    try (LlamaModel model = LlamaModel.load(file, options);
        LlamaSession session = model.newSession()) {
      session.evaluate(IntStream.range(0, 6).toArray(), logits::add);
    }
    return logits.getLast();
  }

  private static LoadOptions scalar() {
    return LoadOptions.defaults()
        .withKernels(KernelOptions.fromSystem().withProvider("scalar"))
        .withThreads(THREADS);
  }
}
