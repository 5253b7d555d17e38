package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;

/// Texts of an engine against those of each request alone, under the usual numerics: rows together
/// may round otherwise than rows alone, and on a trained model that is no matter. For the tests of
/// providers.
public final class EngineTexts {
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

  private EngineTexts() {}

  /// Eight at once, with guesses; and once more, behind beginnings that are known by then.
  ///
  /// @param model that writes stories
  public static void assertThoseOfEachAlone(LlamaModel model) throws InterruptedException {
    GenerationOptions greedy = GenerationOptions.greedy(80).ignoringEnd();
    List<List<Integer>> alone = new ArrayList<>();
    List<int[]> prompts = new ArrayList<>();
    for (String beginning : BEGINNINGS) {
      try (LlamaSession session = model.newSession()) {
        prompts.add(session.encodePrompt(beginning));
        alone.add(session.generate(prompts.getLast(), greedy, _ -> {}).tokens());
      }
    }
    try (Engine engine = model.newEngine(EngineOptions.defaults().withLookup(3))) {
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
}
