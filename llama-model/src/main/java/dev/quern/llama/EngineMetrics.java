package dev.quern.llama;

/// What an [Engine] has done since it was opened, and does.
///
/// @param waiting requests in the queue
/// @param running requests that have a sequence
/// @param ended requests that have ended, however they did
/// @param rejected requests that found the queue full
/// @param steps forward passes
/// @param rows of all of these
/// @param promptTokens tokens of prompts that were run
/// @param cachedTokens tokens of prompts that were not run, since a KV cache had them
/// @param generatedTokens tokens that were chosen
/// @param guessedTokens tokens that were guessed (see [EngineOptions#lookup()] and
///   [EngineOptions#draftTokens()])
/// @param acceptedTokens of these, those that were right
/// @param unguessedTokens tokens that might have been guessed, but were not, since guesses had not
///   paid
/// @param decodeSteps steps in which every row was a decoding sequence's
/// @param decodedTokens tokens that these gave
/// @param decodeSeconds time of these, with choosing the tokens behind them
/// @param kvBytes of all KV caches, as large as they are now: those of sequences that run, and of
///   prefixes that are kept; a draft model's as well
/// @since 0.1
/// @stability api
public record EngineMetrics(
    int waiting,
    int running,
    long ended,
    long rejected,
    long steps,
    long rows,
    long promptTokens,
    long cachedTokens,
    long generatedTokens,
    long guessedTokens,
    long acceptedTokens,
    long unguessedTokens,
    long decodeSteps,
    long decodedTokens,
    double decodeSeconds,
    long kvBytes) {

  /// Rows of a step, on average; NaN if there was none.
  public double batchSize() {
    return steps == 0 ? Double.NaN : (double) rows / steps;
  }

  /// Decoded tokens a second, of steps that did nothing else; NaN if there were none.
  public double decodeTokensPerSecond() {
    return decodeSteps == 0 ? Double.NaN : decodedTokens / decodeSeconds;
  }
}
