package dev.quern.measure;

import java.util.List;
import java.util.Locale;

/// What is measured, in llama-bench's terms: `pp`, `tg`, `-d`, `-r`.
///
/// @param promptTokens tokens of the prompt whose processing is timed; 0 leaves it out
/// @param genTokens tokens that are generated; 0 leaves decoding out
/// @param depth tokens of context before both
/// @param fill how these get there
/// @param order what decoding begins after
/// @param repetitions how often both are timed
/// @param warmupSeconds how long repetitions that don't count go on before these; one at least,
///   unless it is 0
/// @param sequences how many decode at once, for each number a test of its own; empty leaves it out
/// @param fullContext whether, after all is timed, the rest of the KV cache is filled, so that the
///   process's peak memory is that of a full context
public record BenchPlan(
    int promptTokens,
    int genTokens,
    int depth,
    Fill fill,
    Order order,
    int repetitions,
    double warmupSeconds,
    List<Integer> sequences,
    boolean fullContext) {

  private static final int MAX_TOKENS = 1 << 30; // above any context

  /// Where the context before a measurement comes from.
  public enum Fill {
    /// Random tokens, which are run as a prompt.
    PROMPT,
    /// Random keys and values: the cost of a later token is the same, and filling takes no time.
    NOISE
  }

  /// What decoding begins after.
  public enum Order {
    /// `depth` tokens, as the prompt does: llama-bench's two tests.
    APART,
    /// The prompt, whose last logits give the first token: one conversation.
    AFTER_PROMPT
  }

  public BenchPlan {
    sequences = List.copyOf(sequences);
    sequences.forEach(n -> requireAtLeast("--sequences", n, 1));
    if (!sequences.isEmpty() && genTokens < 2) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "--sequences: --gen-tokens is %d, expected at least 2", genTokens));
    }
    requireAtLeast("--prompt-tokens", promptTokens, 0);
    requireAtLeast("--gen-tokens", genTokens, 0);
    requireAtLeast("--depth", depth, 0);
    requireAtLeast("--repetitions", repetitions, 1);
    if (!(warmupSeconds >= 0 && warmupSeconds <= 3600)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "--warmup: %s, expected 0 to 3600 seconds", warmupSeconds));
    }
    if ((long) depth + promptTokens + genTokens > MAX_TOKENS) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "--depth, --prompt-tokens and --gen-tokens: %d together, expected at most %d",
              (long) depth + promptTokens + genTokens,
              MAX_TOKENS));
    }
    if (promptTokens + genTokens == 0) {
      throw new IllegalArgumentException(
          "--prompt-tokens and --gen-tokens are 0, expected something to measure");
    }
    if (order == Order.AFTER_PROMPT && (promptTokens < 1 || genTokens < 2)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "--after-prompt: %d prompt tokens and %d generated, expected at least 1 and 2",
              promptTokens,
              genTokens));
    }
  }

  /// Positions that the KV cache must have.
  public int context() {
    int tokens =
        order == Order.AFTER_PROMPT ? promptTokens + genTokens : Math.max(promptTokens, genTokens);
    return depth + tokens + (sequences.isEmpty() ? 0 : 1); // theirs begin with a token at least
  }

  /// Generated tokens that decoding's time stands for: the first one after a prompt is part of the
  /// prompt's.
  public int decodedTokens() {
    return order == Order.AFTER_PROMPT ? genTokens - 1 : genTokens;
  }

  private static void requireAtLeast(String option, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s: %d, expected at least %d", option, value, least));
    }
  }
}
