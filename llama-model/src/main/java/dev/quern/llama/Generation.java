package dev.quern.llama;

import dev.quern.llama.sampling.LogProbabilities;
import java.util.List;

/// What a generation produced, and how long it took.
///
/// @param tokens the generated token ids: without the stop token that ended the generation, with
///   those of a stop string
/// @param stop why it ended
/// @param promptTokens tokens that were processed before the first one was generated: the prompt's,
///   and those that an earlier call had left; 0 where it was cancelled in them
/// @param prefillSeconds time to process the prompt
/// @param timeToFirstTokenSeconds from the call to the first generated token; NaN if there was none
/// @param decodeTokens tokens that were run one by one after the prompt
/// @param decodeSeconds time of these
/// @param logProbabilities of each of the tokens, where [GenerationOptions#withLogProbabilities]
///   asked for them; otherwise empty
/// @since 0.1
/// @stability api
public record Generation(
    List<Integer> tokens,
    StopReason stop,
    int promptTokens,
    double prefillSeconds,
    double timeToFirstTokenSeconds,
    int decodeTokens,
    double decodeSeconds,
    List<LogProbabilities> logProbabilities) {

  public Generation {
    tokens = List.copyOf(tokens);
    logProbabilities = List.copyOf(logProbabilities);
  }

  /// How many of a prompt's tokens were not run, since a KV cache had them.
  ///
  /// @param prompt all of its tokens, of which at least one is always run
  public int cachedTokens(int prompt) {
    return promptTokens == 0 ? 0 : prompt - promptTokens;
  }

  /// Prompt tokens a second; NaN if there were none.
  public double prefillTokensPerSecond() {
    return promptTokens == 0 ? Double.NaN : promptTokens / prefillSeconds;
  }

  /// Decoded tokens a second; NaN if there were none.
  public double decodeTokensPerSecond() {
    return decodeTokens == 0 ? Double.NaN : decodeTokens / decodeSeconds;
  }
}
