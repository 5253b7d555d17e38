package dev.quern.llama;

import dev.quern.llama.error.LlamaException;
import java.util.Locale;

/// How an [Engine] shares a model among requests. Made by [#defaults()] and changed by the `with`
/// methods; the constructor grows with them and is no promise.
///
/// @param sequences most requests that run at once; each has a KV cache of the model's context
/// @param promptRows most prompt tokens of a step in which others decode. There are fewer where
///   they would make the time between two tokens of the others more than some 3.5 times as long
/// @param queue most requests that wait
/// @param prefixes most KV caches that are kept of sequences that have ended: a prompt that begins
///   as one of them, or as one that runs, costs only what is new. Whose use is longest ago goes
///   first; 0 keeps none
/// @param lookup most tokens that a sequence guesses of what it has said or was told before, and
///   that the step which runs its next token verifies (see [Engine]); at most 16, 0 guesses nothing
/// @param draftTokens most tokens that a draft model guesses of a sequence at once, where there is
///   one (see [LlamaModel#newEngine(EngineOptions, LlamaModel)]); 1 to 16
/// @since 0.1
/// @stability api
public record EngineOptions(
    int sequences, int promptRows, int queue, int prefixes, int lookup, int draftTokens) {
  /// Each is a row of a step, for which the engine has room from the start.
  private static final int MOST_GUESSED = 16;

  public EngineOptions {
    check("sequences", sequences, 1);
    check("promptRows", promptRows, 1);
    check("queue", queue, 0);
    check("prefixes", prefixes, 0);
    check("lookup", lookup, 0);
    checkGuess("lookup", lookup);
    check("draftTokens", draftTokens, 1);
    checkGuess("draftTokens", draftTokens);
  }

  /// 8 sequences, 64 prompt tokens a step beside decoding ones, 1,000 requests that wait, 8
  /// prefixes, no look-up, and 4 tokens of a draft model.
  public static EngineOptions defaults() {
    return new EngineOptions(8, 64, 1_000, 8, 0, 4);
  }

  public EngineOptions withSequences(int sequences) {
    return new EngineOptions(sequences, promptRows, queue, prefixes, lookup, draftTokens);
  }

  public EngineOptions withPromptRows(int promptRows) {
    return new EngineOptions(sequences, promptRows, queue, prefixes, lookup, draftTokens);
  }

  public EngineOptions withQueue(int queue) {
    return new EngineOptions(sequences, promptRows, queue, prefixes, lookup, draftTokens);
  }

  public EngineOptions withPrefixes(int prefixes) {
    return new EngineOptions(sequences, promptRows, queue, prefixes, lookup, draftTokens);
  }

  public EngineOptions withLookup(int lookup) {
    return new EngineOptions(sequences, promptRows, queue, prefixes, lookup, draftTokens);
  }

  public EngineOptions withDraftTokens(int draftTokens) {
    return new EngineOptions(sequences, promptRows, queue, prefixes, lookup, draftTokens);
  }

  /// KV caches that there may be at once.
  long caches() {
    return (long) sequences + prefixes;
  }

  private static void checkGuess(String name, int value) {
    if (value > MOST_GUESSED) {
      throw new LlamaException(
          String.format(Locale.ROOT, "engine: %s=%d, expected <= %d", name, value, MOST_GUESSED));
    }
  }

  private static void check(String name, int value, int least) {
    if (value < least) {
      throw new LlamaException(
          String.format(Locale.ROOT, "engine: %s=%d, expected >= %d", name, value, least));
    }
  }
}
