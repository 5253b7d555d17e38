package dev.quern.cli.bench;

/// What is measured, in llama-bench's terms: `pp`, `tg`, `-d`, `-r`.
///
/// @param promptTokens tokens of the prompt whose processing is timed; 0 leaves it out
/// @param genTokens tokens that are decoded one by one; 0 leaves it out
/// @param depth tokens of context that both begin after
/// @param repetitions how often both are timed
/// @param warmupSeconds how long repetitions that don't count go on before these; one at least,
///   unless it is 0
public record BenchPlan(
    int promptTokens, int genTokens, int depth, int repetitions, double warmupSeconds) {

  public BenchPlan {
    requireAtLeast("--prompt-tokens", promptTokens, 0);
    requireAtLeast("--gen-tokens", genTokens, 0);
    requireAtLeast("--depth", depth, 0);
    requireAtLeast("--repetitions", repetitions, 1);
    if (!(warmupSeconds >= 0 && warmupSeconds <= 3600)) {
      throw new IllegalArgumentException(
          "--warmup: %s, expected 0 to 3600 seconds".formatted(warmupSeconds));
    }
    if (promptTokens + genTokens == 0) {
      throw new IllegalArgumentException(
          "--prompt-tokens and --gen-tokens are 0, expected something to measure");
    }
  }

  /// Positions that the KV cache must have.
  public int context() {
    return Math.addExact(depth, Math.max(promptTokens, genTokens));
  }

  private static void requireAtLeast(String option, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "%s: %d, expected at least %d".formatted(option, value, least));
    }
  }
}
