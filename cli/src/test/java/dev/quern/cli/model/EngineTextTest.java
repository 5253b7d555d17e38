package dev.quern.cli.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.SelectionException;
import dev.quern.llama.Completion;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineMetrics;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Under the usual numerics rows together may round otherwise than rows alone; on a trained model
/// that is no matter: the text is that of the request alone.
class EngineTextTest {
  private static final List<String> BEGINNINGS =
      List.of(
          "Once upon a time",
          "Once upon a time, Nora",
          "Milo and Oskar",
          "The crow",
          "One day, Felix",
          "Nora was",
          "Once upon a time, there was a crow. The crow",
          "It was");

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector", "x86"})
  void eightTogetherSayWhatEachSaysAlone(String provider) throws Exception {
    LoadOptions options =
        LoadOptions.defaults()
            .withKernels(KernelOptions.fromSystem().withProvider(provider))
            .withThreads(2);
    GenerationOptions greedy = GenerationOptions.greedy(80).ignoringEnd();
    try (LlamaModel model = load(options);
        Engine engine = model.newEngine(EngineOptions.defaults().withLookup(3))) {
      List<List<Integer>> alone = new ArrayList<>();
      List<int[]> prompts = new ArrayList<>();
      for (String beginning : BEGINNINGS) {
        try (LlamaSession session = model.newSession()) {
          prompts.add(session.encodePrompt(beginning));
          alone.add(session.generate(prompts.getLast(), greedy, _ -> {}).tokens());
        }
      }
      for (String run : List.of("together", "behind what is known")) {
        List<Completion> all = new ArrayList<>();
        for (int[] prompt : prompts) {
          all.add(engine.submit(EngineRequest.of(prompt, greedy), _ -> {}));
        }
        for (int i = 0; i < all.size(); i++) {
          assertEquals(alone.get(i), all.get(i).await().tokens(), BEGINNINGS.get(i) + ", " + run);
        }
      }
      EngineMetrics metrics = engine.metrics();
      assertTrue(metrics.batchSize() > 2, metrics::toString);
      assertTrue(metrics.acceptedTokens() > 0, metrics::toString);
      assertTrue(metrics.cachedTokens() > 0, metrics::toString);
    }
  }

  private static LlamaModel load(LoadOptions options) throws Exception {
    try {
      return LlamaModel.loadDemo(options);
    } catch (SelectionException e) {
      Assumptions.abort("left out, this machine or JVM does not run it: " + e.getMessage());
      throw e;
    }
  }
}
