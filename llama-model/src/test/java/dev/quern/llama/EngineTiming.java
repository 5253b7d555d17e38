package dev.quern.llama;

import dev.quern.KernelOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/// What requests get of an [Engine]; not a test, run its `main` (docs/benchmarks.md):
///
/// ```
/// EngineTiming MODEL ROUNDS [PROVIDER]
/// ```
///
/// In each round, in turn: one sequence in a session and in an engine; a text with guesses and
/// without; a prompt whose beginning is known; the longest time between two tokens of a text while
/// a long prompt comes in, in steps of that text alone. Medians and all rounds are printed.
final class EngineTiming {
  private static final int TOKENS = 96;
  private static final int SHARED = 1024; // of a prompt
  private static final int LONG = 4096; // a prompt

  private final LlamaModel model;
  private final SplittableRandom random = new SplittableRandom(1);

  private EngineTiming(LlamaModel model) {
    this.model = model;
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    KernelOptions kernels = KernelOptions.fromSystem();
    if (args.length > 2) {
      kernels = kernels.with("quern.provider", args[2]);
    }
    LoadOptions options =
        LoadOptions.defaults().withKernels(kernels).withThreads(2).withContext(LONG + 512);
    try (LlamaModel model = LlamaModel.load(Path.of(args[0]), options)) {
      System.out.println(model.report().text());
      new EngineTiming(model).run(Integer.parseInt(args[1]));
    }
  }

  private void run(int rounds) throws InterruptedException {
    List<double[]> all = new ArrayList<>();
    for (int i = -1; i < rounds; i++) { // the first warms up
      double[] round = {alone(), guesses(), prefix(), gap()};
      System.out.printf(
          Locale.ROOT,
          "%s engine/session %.3f  guesses/none %.3f  known/new prompt %.3f  gap %.2f steps%n",
          i < 0 ? "warm-up" : "round " + (i + 1),
          round[0],
          round[1],
          round[2],
          round[3]);
      if (i >= 0) {
        all.add(round);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "median  engine/session %.3f  guesses/none %.3f  known/new prompt %.3f  gap %.2f steps%n",
        median(all, 0),
        median(all, 1),
        median(all, 2),
        median(all, 3));
  }

  /// Tokens a second of one sequence, an engine's of a session's.
  private double alone() throws InterruptedException {
    int[] prompt = prompt(16);
    double session;
    try (LlamaSession s = model.newSession()) {
      session = s.generateTokens(prompt, tokens(TOKENS), _ -> true).decodeTokensPerSecond();
    }
    try (Engine engine = model.newEngine(EngineOptions.defaults().withSequences(1))) {
      Generation g = engine.submit(EngineRequest.of(prompt, tokens(TOKENS)), _ -> {}).await();
      return g.decodeTokensPerSecond() / session;
    }
  }

  /// Tokens a second with guesses, of those without.
  private double guesses() throws InterruptedException {
    int[] part = prompt(32);
    int[] prompt = SessionTokens.concat(part, part);
    double[] rates = new double[2];
    for (int lookup : new int[] {0, 3}) {
      EngineOptions options = EngineOptions.defaults().withSequences(1).withLookup(lookup);
      try (Engine engine = model.newEngine(options)) {
        Generation g = engine.submit(EngineRequest.of(prompt, tokens(TOKENS)), _ -> {}).await();
        rates[lookup == 0 ? 0 : 1] = (g.tokens().size() - 1) / g.decodeSeconds();
        if (lookup > 0) {
          EngineMetrics m = engine.metrics();
          System.out.printf(
              Locale.ROOT, "    %d of %d guesses right%n", m.acceptedTokens(), m.guessedTokens());
        }
      }
    }
    return rates[1] / rates[0];
  }

  /// Seconds to the first token behind a known beginning, of those the first time.
  private double prefix() throws InterruptedException {
    int[] shared = prompt(SHARED);
    try (Engine engine = model.newEngine(EngineOptions.defaults().withSequences(2))) {
      double[] seconds = new double[2];
      for (int i = 0; i < 2; i++) {
        int[] prompt = SessionTokens.concat(shared, prompt(16));
        Generation g = engine.submit(EngineRequest.of(prompt, tokens(4)), _ -> {}).await();
        seconds[i] = g.timeToFirstTokenSeconds();
      }
      return seconds[1] / seconds[0];
    }
  }

  private double gap() throws InterruptedException {
    try (Engine engine = model.newEngine(EngineOptions.defaults().withSequences(2))) {
      int most = model.context() - 64;
      Completion text = engine.submit(EngineRequest.of(prompt(8), tokens(most)), _ -> {});
      double[] quiet = gaps(engine, 32);
      Completion other = engine.submit(EngineRequest.of(prompt(LONG), tokens(1)), _ -> {});
      List<Double> disturbed = new ArrayList<>();
      while (!other.isDone()) {
        for (double gap : gaps(engine, 1)) {
          disturbed.add(gap);
        }
      }
      text.cancel();
      text.await();
      Arrays.sort(quiet);
      double step = quiet[quiet.length / 2];
      double[] sorted = disturbed.stream().mapToDouble(d -> d / step).sorted().toArray();
      System.out.printf(
          Locale.ROOT,
          "    a step of %.1f ms, at most %.2f steps undisturbed; with the prompt %d tokens, a median of %.2f steps, %.2f for nine in ten%n",
          1000 * step,
          quiet[quiet.length - 1] / step,
          sorted.length,
          sorted[sorted.length / 2],
          sorted[sorted.length * 9 / 10]);
      return sorted[sorted.length - 1];
    }
  }

  /// Times between so many tokens, by a look at the metrics each half millisecond.
  private static double[] gaps(Engine engine, int tokens) throws InterruptedException {
    double[] gaps = new double[tokens];
    long seen = engine.metrics().generatedTokens();
    long last = 0;
    for (int i = -1; i < tokens; ) {
      Thread.sleep(0, 500_000);
      long now = engine.metrics().generatedTokens();
      if (now != seen) {
        long time = System.nanoTime();
        if (i >= 0) {
          gaps[i] = (time - last) / 1e9;
        }
        seen = now;
        last = time;
        i++;
      }
    }
    return gaps;
  }

  private int[] prompt(int tokens) {
    return random.ints(tokens, 0, model.config().vocabulary()).toArray();
  }

  private static GenerationOptions tokens(int tokens) {
    return GenerationOptions.greedy(tokens).ignoringEnd();
  }

  private static double median(List<double[]> rounds, int figure) {
    double[] sorted = rounds.stream().mapToDouble(r -> r[figure]).sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
