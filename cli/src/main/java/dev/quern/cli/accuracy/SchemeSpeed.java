package dev.quern.cli.accuracy;

import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.LoadProgress;
import dev.quern.measure.Spread;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// How fast models run, measured in turn: in every turn each is loaded, warmed up and timed, so
/// that what drifts on the machine, and what the JVM has compiled, is shared by all. A first turn
/// does not count.
final class SchemeSpeed {
  /// Tokens of the prompt, and tokens that follow it.
  private static final int TOKENS = 64;

  /// How long a model is timed in a turn, and warmed up before: at least one generation.
  private static final double TURN_SECONDS = 0.25;

  /// Tokens a second.
  record Rates(double prefill, double decode) {}

  private SchemeSpeed() {}

  /// Measures.
  ///
  /// @param turns how often each model is timed
  /// @param progress hears how many of all models' turns are done
  /// @return medians over the turns, in the order of the models
  static List<Rates> measure(
      List<Path> models, LoadOptions options, int turns, LoadProgress progress) throws IOException {
    double[][] prefill = new double[models.size()][turns];
    double[][] decode = new double[models.size()][turns];
    for (int turn = -1; turn < turns; turn++) {
      for (int m = 0; m < models.size(); m++) {
        Rates rates = once(models.get(m), options);
        if (turn >= 0) {
          prefill[m][turn] = rates.prefill();
          decode[m][turn] = rates.decode();
        }
        progress.packed((turn + 1L) * models.size() + m + 1, (turns + 1L) * models.size());
      }
    }
    Rates[] medians = new Rates[models.size()];
    Arrays.setAll(
        medians, m -> new Rates(new Spread(prefill[m]).median(), new Spread(decode[m]).median()));
    return List.of(medians);
  }

  private static Rates once(Path file, LoadOptions options) throws IOException {
    try (LlamaModel model = LlamaModel.load(file, options.withContext(2 * TOKENS));
        LlamaSession session = model.newSession()) {
      run(session);
      return run(session);
    }
  }

  private static Rates run(LlamaSession session) {
    int[] prompt = new int[TOKENS];
    Arrays.fill(prompt, 1); // what a token says changes nothing about its cost
    GenerationOptions options = GenerationOptions.greedy(TOKENS).ignoringEnd();
    double prefillSeconds = 0;
    double decodeSeconds = 0;
    int prefillTokens = 0;
    int decodeTokens = 0;
    while (prefillSeconds + decodeSeconds < TURN_SECONDS) {
      session.rewind(0);
      Generation g = session.generateTokens(prompt, options, _ -> true);
      prefillSeconds += g.prefillSeconds();
      prefillTokens += g.promptTokens();
      decodeSeconds += g.decodeSeconds();
      decodeTokens += g.decodeTokens();
    }
    return new Rates(prefillTokens / prefillSeconds, decodeTokens / decodeSeconds);
  }
}
