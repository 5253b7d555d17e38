package dev.quern.llama;

import dev.quern.llama.error.LlamaException;
import java.util.Locale;

/// How an [Engine] shares a model among requests. Made by [#defaults()] and changed by the `with`
/// methods; the constructor grows with them and is no promise.
///
/// @param sequences most requests that run at once; each has a KV cache of the model's context
/// @param promptRows most prompt tokens of a step in which others decode: what bounds the time that
///   a long prompt adds between two of their tokens
/// @param queue most requests that wait
/// @since 0.1
/// @stability api
public record EngineOptions(int sequences, int promptRows, int queue) {

  public EngineOptions {
    check("sequences", sequences, 1);
    check("promptRows", promptRows, 1);
    check("queue", queue, 0);
  }

  /// 8 sequences, 32 prompt tokens a step beside decoding ones, 1,000 requests that wait.
  public static EngineOptions defaults() {
    return new EngineOptions(8, 32, 1_000);
  }

  public EngineOptions withSequences(int sequences) {
    return new EngineOptions(sequences, promptRows, queue);
  }

  public EngineOptions withPromptRows(int promptRows) {
    return new EngineOptions(sequences, promptRows, queue);
  }

  public EngineOptions withQueue(int queue) {
    return new EngineOptions(sequences, promptRows, queue);
  }

  private static void check(String name, int value, int least) {
    if (value < least) {
      throw new LlamaException(
          String.format(Locale.ROOT, "engine: %s=%d, expected >= %d", name, value, least));
    }
  }
}
