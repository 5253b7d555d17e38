package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.quern.llama.sampling.SamplingOptions;
import java.io.IOException;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The penalties know of all that was said in a session.
class PenalizedGenerationTest {
  private static final SamplingOptions NEVER_AGAIN =
      new SamplingOptions(0, 0, 1, 0, 1, 1000, 0).withPenalties(0, 100);

  @Test
  void whatThePromptAndEarlierCallsSaidIsNotSaidAgain() throws IOException {
    try (LlamaModel model = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1));
        LlamaSession session = model.newSession()) {
      int[] prompt = session.encodePrompt("Once upon a time, there was a little boy.");
      List<Integer> usual =
          session.generate(prompt, GenerationOptions.greedy(30), text -> {}).tokens();
      Set<Integer> said = new HashSet<>(IntStream.of(prompt).boxed().toList());
      assertFalse(Collections.disjoint(said, usual), "the prompt is no good for this");

      session.rewind(0);
      GenerationOptions options = GenerationOptions.of(15, NEVER_AGAIN).ignoringEnd();
      for (int[] more : new int[][] {prompt, {}}) {
        for (int token : session.generate(more, options, text -> {}).tokens()) {
          assertFalse(said.contains(token), () -> model.tokenizer().text(token) + " again");
          said.add(token);
        }
      }
      assertEquals(30, said.size() - IntStream.of(prompt).distinct().count());
    }
  }
}
