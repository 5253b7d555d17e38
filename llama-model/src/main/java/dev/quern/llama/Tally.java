package dev.quern.llama;

import dev.quern.llama.observe.EngineStep;

/// What an engine has done: its thread counts, any thread reads.
final class Tally {
  private long ended;
  private long steps;
  private long rows;
  private long promptTokens;
  private long cachedTokens;
  private long generatedTokens;
  private long guessedTokens;
  private long acceptedTokens;
  private long unguessedTokens;
  private long decodeSteps;
  private long decodedTokens;
  private long decodeNanos;
  private long kvBytes;

  synchronized void step(EngineStep step) {
    steps++;
    rows += step.rows();
    promptTokens += step.prompts();
    generatedTokens += step.generated();
    guessedTokens += step.guessed();
    acceptedTokens += step.accepted();
    unguessedTokens += step.unguessed();
    if (step.prompts() == 0) {
      decodeSteps++;
      decodedTokens += step.generated();
      decodeNanos += step.nanos();
    }
    kvBytes = step.kvBytes();
  }

  synchronized void cached(int tokens) {
    cachedTokens += tokens;
  }

  synchronized void ended(int sequences) {
    ended += sequences;
  }

  /// @param waiting requests
  /// @param running requests
  /// @param rejected requests so far
  synchronized EngineMetrics metrics(int waiting, int running, long rejected) {
    return new EngineMetrics(
        waiting,
        running,
        ended,
        rejected,
        steps,
        rows,
        promptTokens,
        cachedTokens,
        generatedTokens,
        guessedTokens,
        acceptedTokens,
        unguessedTokens,
        decodeSteps,
        decodedTokens,
        decodeNanos / 1e9,
        kvBytes);
  }
}
