package dev.quern.measure;

import dev.quern.llama.Completion;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineMetrics;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/// Measures an engine that decodes several sequences at once: steps of nothing but a token of each.
/// A sequence begins with the plan's depth of random tokens, one at least.
record BatchedDecode(BenchPlan plan, Consumer<String> progress) {
  /// @return of all sequences together; a round that does not count comes first
  Spread tokensPerSecond(LlamaModel model, int sequences) {
    SplittableRandom random = new SplittableRandom(1);
    EngineOptions options = EngineOptions.defaults().withSequences(sequences);
    double[] rates = new double[plan.repetitions()];
    try (Engine engine = model.newEngine(options)) {
      for (int i = plan.warmupSeconds() > 0 ? -1 : 0; i < rates.length; i++) {
        progress.accept(
            String.format(
                Locale.ROOT,
                "%d sequences, %s",
                sequences,
                i < 0
                    ? "warm-up"
                    : String.format(Locale.ROOT, "repetition %d of %d", i + 1, rates.length)));
        EngineMetrics before = engine.metrics();
        round(model, engine, sequences, random);
        EngineMetrics after = engine.metrics();
        if (i >= 0) {
          rates[i] =
              (after.decodedTokens() - before.decodedTokens())
                  / (after.decodeSeconds() - before.decodeSeconds());
        }
      }
    }
    return new Spread(rates);
  }

  private void round(LlamaModel model, Engine engine, int sequences, SplittableRandom random) {
    GenerationOptions options = GenerationOptions.greedy(plan.genTokens()).ignoringEnd();
    List<Completion> completions = new ArrayList<>();
    for (int s = 0; s < sequences; s++) {
      int[] prompt = BenchRun.tokens(random, Math.max(1, plan.depth()), model);
      completions.add(engine.submit(EngineRequest.of(prompt, options), _ -> {}));
    }
    try {
      for (Completion c : completions) {
        c.await();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("the measurement was interrupted", e);
    }
  }
}
