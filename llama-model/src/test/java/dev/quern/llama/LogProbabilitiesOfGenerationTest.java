package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.sampling.LogProbabilities;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.sampling.TokenLogProbability;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Log probabilities on their way from the model's logits to the caller.
class LogProbabilitiesOfGenerationTest {
  private static final String PROMPT = "Once upon a time";
  private static LlamaModel model;

  @BeforeAll
  static void load() throws IOException {
    model = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1).withBatch(8));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  /// The logits come from a session of its own, token by token, whose kernels may round otherwise.
  @Test
  void areTheModelsWhateverTheSamplerDoes() {
    SamplingOptions wild =
        new SamplingOptions(1.7, 30, 1, 0, 1.5, 64, 3)
            .withPenalties(0.5, 0.5)
            .withLogitBias(Map.of(13, Double.NEGATIVE_INFINITY));
    try (LlamaSession session = model.newSession();
        LlamaSession other = model.newSession()) {
      int[] prompt = session.encodePrompt(PROMPT);
      GenerationOptions options = GenerationOptions.of(20, wild).withLogProbabilities(5);
      Generation generation = session.generate(prompt, options, text -> {});
      assertEquals(20, generation.tokens().size());
      assertEquals(20, generation.logProbabilities().size());
      List<float[]> logits = new ArrayList<>();
      other.evaluate(prompt, 1, logits::add);
      for (int token : generation.tokens()) {
        other.evaluate(new int[] {token}, logits::add);
      }
      for (int i = 0; i < 20; i++) {
        LogProbabilities actual = generation.logProbabilities().get(i);
        int token = generation.tokens().get(i);
        assertEquals(token, actual.chosen().token());
        assertEquals(5, actual.top().size());
        assertClose(logits.get(i), actual.chosen());
        actual.top().forEach(near(logits.get(i)));
      }
    }
  }

  private static Consumer<TokenLogProbability> near(float[] logits) {
    return actual -> assertClose(logits, actual);
  }

  private static void assertClose(float[] logits, TokenLogProbability actual) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    assertEquals(logits[actual.token()] - Math.log(sum), actual.logProbability(), 1e-3);
  }

  @Test
  void greedyChoosesTheFirstOfTheTop() {
    try (LlamaSession session = model.newSession()) {
      GenerationOptions options = GenerationOptions.greedy(8).withLogProbabilities(1);
      for (LogProbabilities p : session.generate(PROMPT, options, text -> {}).logProbabilities()) {
        assertEquals(List.of(p.chosen()), p.top());
      }
    }
  }

  @Test
  void thereAreAsManyAsTokensWhereverTheTextEnds() {
    try (LlamaSession session = model.newSession()) {
      int[] prompt = session.encodePrompt(PROMPT);
      StringBuilder story = new StringBuilder();
      session.generate(prompt, GenerationOptions.greedy(20), story::append);
      session.rewind(0);
      Generation generation =
          session.generate(
              prompt,
              GenerationOptions.greedy(20)
                  .withLogProbabilities(0)
                  .withStopStrings(story.substring(9, 14)),
              text -> {});
      assertEquals(StopReason.STOP_STRING, generation.stop());
      assertEquals(
          generation.tokens(),
          generation.logProbabilities().stream().map(p -> p.chosen().token()).toList());
      assertTrue(generation.logProbabilities().stream().allMatch(p -> p.top().isEmpty()));
      session.rewind(0);
      Generation none = session.generate(prompt, GenerationOptions.greedy(2), text -> {});
      assertEquals(List.of(), none.logProbabilities());
    }
  }

  @Test
  void aNegativeNumberIsRefused() {
    GenerationOptions options = GenerationOptions.greedy(1);
    LlamaException refused =
        assertThrows(LlamaException.class, () -> options.withLogProbabilities(-1));
    assertEquals(
        "logProbabilities=-1, expected >= 0 (0: the chosen token's only)", refused.getMessage());
  }

  @Test
  void aBiasOfATokenThatTheModelLacksIsRefusedBeforeThePromptIsRun() {
    SamplingOptions biased =
        SamplingOptions.GREEDY.withLogitBias(Map.of(model.config().vocabulary(), 1.0));
    try (LlamaSession session = model.newSession()) {
      LlamaException refused =
          assertThrows(
              LlamaException.class,
              () -> session.generate(PROMPT, GenerationOptions.of(1, biased), text -> {}));
      assertTrue(refused.getMessage().startsWith("sampling: logitBias of token id "));
      assertEquals(0, session.position());
    }
  }
}
